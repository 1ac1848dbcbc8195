"""Group `relative` against the reference made of its registry entries, and answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.markets import of_closes, walk
from tests.oracles.agreement import assert_agrees, features_of, registered
from tests.oracles.relative import expected_relative
from tests.oracles.specimens import MARKETS, specimen

NAMES = tuple(entry.name for entry in registered() if entry.group == "relative")


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_its_entry_says(market: str) -> None:
    assert_agrees(market, "relative", expected_relative(specimen(market)))


def test_alone_there_are_no_others() -> None:
    features = features_of(walk(1, n_symbols=1, n_bars=700), *NAMES)
    assert all(np.isnan(values).all() for values in features.values())


def test_own_and_others_by_hand() -> None:
    rising, falling = [100.0 * 1.01**bar for bar in range(20)], [100.0 * 0.99**bar for bar in range(20)]
    mixed = [100.0, 101.0] * 10
    names = ("others_cutler_rsi_14", "excess_cutler_rsi_14")
    features = {name: values[:, -1] for name, values in features_of(of_closes(rising, falling, mixed), *names).items()}
    assert features["others_cutler_rsi_14"] == pytest.approx([25.0, 75.0, 50.0])
    assert features["excess_cutler_rsi_14"] == pytest.approx([75.0, -75.0, 0.0], abs=1e-9)


def test_the_path_of_the_excess_ends_at_its_top_when_it_only_rose() -> None:
    ahead, behind = list(np.exp(0.01 * np.arange(20))), [1.0] * 20
    found = features_of(of_closes(ahead, behind), "excess_path_zscore_12")["excess_path_zscore_12"][:, -1]
    path = np.arange(12.0)
    assert found == pytest.approx([(11 - path.mean()) / path.std(), -(11 - path.mean()) / path.std()])
