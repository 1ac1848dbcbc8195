from __future__ import annotations

import pytest

from candlelock.artifacts.seeds import derive


@pytest.mark.parametrize(
    ("seed", "name", "derived"),
    [
        (42, "tune/direction/lightgbm", 1_778_674_674),
        (42, "train/direction/mlp", 1_107_551_448),
        (42, "evaluate/direction", 1_892_293_281),
        (43, "evaluate/direction", 991_077_193),
        (0, "", 268_142_436),
    ],
)
def test_a_derived_seed_is_this_for_ever(seed: int, name: str, derived: int) -> None:
    """Other values would give other models from the same parameters."""
    assert derive(seed, name) == derived


def test_seeds_fit_where_libraries_take_them() -> None:
    derived = [derive(42, str(number)) for number in range(2_000)]
    assert 0 <= min(derived) <= max(derived) < 2**31
    assert len(set(derived)) == len(derived)
