"""What counts as the same value: the bits, or a documented part of the spread."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.causality.comparison import differences, spread

EXACT, ROOM = np.zeros(1), np.full(1, 1e-9)
NAN = float("nan")


def differ(now: float, before: float, tolerance: np.ndarray) -> bool:
    return differences(np.full((1, 1, 1), now), np.full((1, 1, 1), before), tolerance) is not None


@pytest.mark.parametrize(
    ("now", "before", "exactly", "nearly"),
    [
        (1.0, 1.0, False, False),
        (NAN, NAN, False, False),
        (-NAN, NAN, False, False),
        (1.0, NAN, True, True),
        (NAN, 1.0, True, True),
        (0.0, -0.0, True, False),
        (1.0, np.nextafter(1.0, 2.0), True, False),
        (1.0, 1.0 + 2e-9, True, True),
        (float("inf"), float("inf"), False, False),
        (float("inf"), 1.0, True, True),
        (float("inf"), -float("inf"), True, True),
    ],
)
def test_one_value_against_another(now: float, before: float, exactly: bool, nearly: bool) -> None:
    assert differ(now, before, EXACT) is exactly
    assert differ(now, before, ROOM) is nearly


def test_each_feature_has_its_own_room() -> None:
    before = np.zeros((2, 1, 3))
    now = np.broadcast_to(np.array([1e-10, -0.0, 1e-8]), before.shape).copy()
    found = differences(now, before, np.array([0.0, 1e-9]))
    assert found is not None
    assert found.tolist() == [[[True, True, True]], [[False, False, True]]]


def test_the_spread_is_that_of_known_finite_values() -> None:
    assert spread(np.array([1.0, 3.0, NAN, np.inf])) == 1.0
    assert spread(np.array([NAN, NAN])) == 0.0
