from __future__ import annotations

import numpy as np
import pytest

from candlelock.features.trend import build_trend
from tests.markets import changed, of_closes


@pytest.mark.parametrize("window", [48, 192, 672])
def test_the_place_in_a_long_range_by_hand(window: int) -> None:
    market = of_closes([10.0] * 700)
    high, low = market.high.copy(), market.low.copy()
    high[0, 700 - window], low[0, 699] = 20.0, 5.0  # the oldest and the newest bar of the window
    high[0, 699 - window] = 1000.0  # just out of it
    features = build_trend(changed(market, high=high, low=low))
    assert features[f"range_position_{window}"][0, -1] == (10 - 5) / (20 - 5)
    assert features[f"range_position_{window}"][0, -2] == 0.0  # from the low of 10 to the high of 1000
    assert np.isnan(features[f"range_position_{window}"][0, window - 2])


def test_the_distance_from_the_mean_of_200_bars() -> None:
    features = build_trend(of_closes([7.0, *[100.0] * 199, 110.0]))
    assert features["sma_distance_200"][0, -1] == pytest.approx(110 / ((199 * 100 + 110) / 200) - 1, rel=1e-13)
    assert features["sma_distance_200"][0, -2] == pytest.approx(100 / ((199 * 100 + 7) / 200) - 1, rel=1e-13)
    assert np.isnan(features["sma_distance_200"][0, 198])
