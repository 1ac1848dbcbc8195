from __future__ import annotations

import numpy as np
import pytest

from candlelock.features.volume import build_volume
from tests.markets import of_closes

UP_DOWN = [100.0, 101.0, 100.0, 100.0, *[100.0 + bar for bar in range(1, 10)]]  # moves +, -, 0, then nine +


def test_signed_volume_by_hand() -> None:
    volume = [50.0, 3.0, 2.0, 7.0, *[1.0] * 9]
    signed = build_volume(of_closes(UP_DOWN, volume=volume))["signed_volume_12"][0]
    # rising 3 + 9 x 1, falling 2, unmoved 7; the first bar has no move and its 50 do not count
    assert signed[-1] == (3 + 9 - 2) / (3 + 2 + 7 + 9)


def test_a_missing_bar_takes_its_own_and_the_next_move() -> None:
    closes = [100.0 + bar for bar in range(60)]
    closes[30] = float("nan")
    signed = build_volume(of_closes(closes, volume=[1.0] * 60))["signed_volume_48"][0]
    assert signed[-1] == 1.0  # 46 of 48 moves are enough
    assert np.isnan(signed[30])


def test_volume_z_scores_have_their_windows() -> None:
    volume = [1.0] * 90 + [2.0, 3.0, 5.0, 8.0, 13.0, 21.0]
    features = build_volume(of_closes([100.0] * 96, volume=volume))
    for window in (6, 24, 96):
        own = np.array(volume[-window:])
        assert features[f"volume_zscore_{window}"][0, -1] == pytest.approx((21 - own.mean()) / own.std(), rel=1e-12)


def test_without_trading_both_are_unknown() -> None:
    features = build_volume(of_closes([100.0 + bar for bar in range(100)], volume=[0.0] * 100))
    assert all(np.isnan(values).all() for values in features.values())
