"""Group `volume` against its textbook reference, TA-Lib, a published table and answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.markets import changed, of_closes
from tests.oracles.agreement import assert_agrees, assert_agrees_with_talib, features_of
from tests.oracles.specimens import GAPLESS, MARKETS, specimen
from tests.oracles.volume import expected_volume

# High, low, close, volume in thousands and money flow index: StockCharts, ChartSchool, "Money Flow Index".
PUBLISHED = """
    24.8283 24.3205 24.7486 18730.144 -   24.7586 24.5993 24.7088 12271.740 -
    25.1568 24.7785 25.0373 24691.414 -   25.5848 24.9477 25.5450 18357.606 -
    25.6844 24.8083 25.0672 22964.080 -   25.3360 25.0572 25.1070 15918.948 -
    25.2862 24.8482 24.8880 16067.044 -   25.1269 24.7496 24.9975 16568.487 -
    25.2762 24.9278 25.0473 16018.729 -   25.3857 25.0274 25.3360 9773.569 -
    25.5351 25.0473 25.0572 22572.712 -   25.6048 25.0622 25.4455 12986.669 -
    25.7441 25.5351 25.5649 10906.659 -   25.7242 25.4554 25.5550 5799.259 -
    25.6744 25.2862 25.4057 7395.274 49.47   25.4455 25.1667 25.3658 5818.162 45.11
    25.3161 24.9178 25.0373 7164.726 36.27   25.2563 24.9079 24.9178 5672.914 28.41
    25.0373 24.8283 24.8780 5624.742 31.53   25.0074 24.7088 24.9676 5023.469 33.87
    25.3061 25.0274 25.0473 7457.091 41.30   25.1170 24.3404 24.4500 11798.009 42.80
    24.6889 24.2708 24.5694 12366.132 31.83   24.5495 23.8925 24.0219 13294.865 23.76
    24.2708 23.7780 23.8825 9256.870 26.51   24.2708 23.7232 24.2011 9690.604 24.07
    24.5993 24.2011 24.2807 8870.318 22.38   24.4798 24.2409 24.3305 7168.965 22.18
    24.5595 23.4345 24.4400 11356.180 21.53   25.1600 24.2700 25.0000 13379.374 30.84
"""


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says(market: str) -> None:
    """While the price stands for forty bars, what the averages leave out beyond their end weighs more: hence 1e-7."""
    assert_agrees(market, "volume", expected_volume(specimen(market)), rtol=1e-7 if market == "ticks" else 1e-8)


@pytest.mark.parametrize("candles", GAPLESS)
def test_what_ta_lib_has_agrees(candles: str) -> None:
    assert_agrees_with_talib(candles, "volume")


def test_the_money_flow_index_of_a_published_table() -> None:
    high, low, close, volume, index = np.array(
        [float(word.replace("-", "nan")) for word in PUBLISHED.split()]
    ).reshape(-1, 5).T  # fmt: skip
    market = changed(of_closes(list(close), volume=list(volume)), high=high[None], low=low[None])
    found = features_of(market, "money_flow_index_14")["money_flow_index_14"][0]
    assert np.isfinite(index).sum() == 16
    np.testing.assert_allclose(found, index, atol=0.005)


def test_signed_volume_by_hand() -> None:
    up_down = [100.0, 101.0, 100.0, 100.0, *[100.0 + bar for bar in range(1, 10)]]  # moves +, -, 0, then nine +
    volume = [50.0, 3.0, 2.0, 7.0, *[1.0] * 9]
    signed = features_of(of_closes(up_down, volume=volume), "signed_volume_12")["signed_volume_12"][0]
    # rising 3 + 9 x 1, falling 2, unmoved 7; the first bar has no move and its 50 do not count
    assert signed[-1] == (3 + 9 - 2) / (3 + 2 + 7 + 9)


def test_a_missing_bar_takes_its_own_and_the_next_move() -> None:
    closes = [100.0 + bar for bar in range(60)]
    closes[30] = float("nan")
    signed = features_of(of_closes(closes, volume=[1.0] * 60), "signed_volume_48")["signed_volume_48"][0]
    assert signed[-1] == 1.0  # 46 of 48 moves are enough
    assert np.isnan(signed[30])


def test_typical_prices_that_are_equal_are_equal_however_they_round() -> None:
    """0.6161 + 0.6148 + 0.6159 = 0.6161 + 0.6153 + 0.6154, but a third of the one is 1e-16 more than of the other."""
    first, second = (0.6161, 0.6148, 0.6159), (0.6161, 0.6153, 0.6154)
    rounds_apart = sum(first) / 3 != sum(second) / 3
    assert rounds_apart
    bars = np.array([(2.0, 2.0, 2.0), *[first, second] * 8]).T
    market = changed(of_closes(list(bars[2])), high=bars[0][None], low=bars[1][None])
    found = features_of(market, "money_flow_index_14")["money_flow_index_14"][0]
    assert found[14] == 0.0  # the fall at the second bar is all that ever moved
    assert np.isnan(found[15])


def test_a_bar_without_a_range_adds_nothing_to_the_flow_but_its_volume() -> None:
    market = of_closes([10.0] * 20, volume=[3.0] * 20)
    top = np.where(np.arange(20) < 5, 12.0, 10.0)[None]  # five bars close at their low, fifteen have no range
    found = features_of(changed(market, high=top), "chaikin_money_flow_20")["chaikin_money_flow_20"][0, -1]
    assert found == -5 / 20


def test_without_trading_the_flows_are_unknown() -> None:
    names = ("signed_volume_48", "vwap_distance_12", "chaikin_money_flow_20", "money_flow_index_14", "volume_zscore_24")
    names += ("force_index_13", "volume_change_1", "volume_ratio_20", "volume_time_ratio_7d")
    features = features_of(of_closes([100.0 + bar % 7 for bar in range(400)], volume=[0.0] * 400), *names)
    assert all(np.isnan(values).all() for values in features.values())
