"""Group `trend` against its textbook reference, TA-Lib and answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.markets import changed, of_closes
from tests.oracles.agreement import assert_agrees, assert_agrees_with_talib, features_of
from tests.oracles.specimens import GAPLESS, MARKETS, specimen
from tests.oracles.trend import expected_trend


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says(market: str) -> None:
    assert_agrees(market, "trend", expected_trend(specimen(market)), rtol=1e-8)


@pytest.mark.parametrize("candles", GAPLESS)
def test_what_ta_lib_has_agrees(candles: str) -> None:
    """The parabolic stop begins anew at fixed times: `test_operators` says how often it differs."""
    assert_agrees_with_talib(candles, "trend", apart=("parabolic_sar_distance",))


@pytest.mark.parametrize("window", [48, 192, 672])
def test_the_place_in_a_long_range_by_hand(window: int) -> None:
    market = of_closes([10.0] * 700)
    high, low = market.high.copy(), market.low.copy()
    high[0, 700 - window], low[0, 699] = 20.0, 5.0  # the oldest and the newest bar of the window
    high[0, 699 - window] = 1000.0  # just out of it
    name = f"range_position_{window}"
    place = features_of(changed(market, high=high, low=low), name)[name][0]
    assert place[-1] == (10 - 5) / (20 - 5)
    assert place[-2] == 0.0  # from the low of 10 to the high of 1000
    assert np.isnan(place[window - 2])


def test_the_distance_from_the_mean_of_200_bars() -> None:
    distance = features_of(of_closes([7.0, *[100.0] * 199, 110.0]), "sma_distance_200")["sma_distance_200"][0]
    assert distance[-1] == pytest.approx(110 / ((199 * 100 + 110) / 200) - 1, rel=1e-13)
    assert distance[-2] == pytest.approx(100 / ((199 * 100 + 7) / 200) - 1, rel=1e-13)
    assert np.isnan(distance[198])


def test_a_straight_line_in_logs_has_its_slope_and_a_perfect_fit() -> None:
    names = (
        "regression_slope_24",
        "regression_slope_96",
        "regression_fit_24",
        "regression_fit_96",
        "efficiency_ratio_48",
    )
    features = features_of(of_closes(list(50 * np.exp(-0.003 * np.arange(100)))), *names)
    for window in (24, 96):
        assert features[f"regression_slope_{window}"][0, -1] == pytest.approx(-0.003, rel=1e-9)
        assert features[f"regression_fit_{window}"][0, -1] == pytest.approx(-1.0, abs=1e-12)
    assert features["efficiency_ratio_48"][0, -1] == pytest.approx(1.0, rel=1e-12)


def test_an_outside_bar_that_reaches_as_far_up_as_down_moves_neither_way_however_it_rounds() -> None:
    """Wilder: the larger side counts, and neither of two equal ones. 100.3 - 100.2 is not 99.9 - 99.8 in binary."""
    assert 100.3 - 100.2 != 99.9 - 99.8
    high, low = np.full((1, 700), 100.2), np.full((1, 700), 99.9)
    high[0, 1::2], low[0, 1::2] = 100.3, 99.8
    market = changed(of_closes([100.0] * 700), high=high, low=low)
    features = features_of(market, "plus_di_14", "minus_di_14", "dx_14", "adx_14")
    assert features["plus_di_14"][0, -1] == features["minus_di_14"][0, -1] == 0.0
    assert np.isnan(features["dx_14"]).all()
    assert np.isnan(features["adx_14"]).all()


@pytest.mark.parametrize("price", [0.1, 0.3, 7.0, 67_123.45])
def test_means_of_a_price_that_stands_do_not_cross_by_rounding(price: float) -> None:
    cross = features_of(of_closes([price] * 300), "bars_since_cross_14_50")["bars_since_cross_14_50"][0]
    assert set(cross[144:]) == {0.0}


def test_the_cloud_is_the_one_drawn_26_bars_before() -> None:
    closes = [100.0] * 60 + [200.0] * 40
    names = (
        "ichimoku_span_a_distance",
        "ichimoku_span_b_distance",
        "ichimoku_turning_distance",
        "ichimoku_base_distance",
    )
    features = {name: values[0] for name, values in features_of(of_closes(closes), *names).items()}
    assert features["ichimoku_turning_distance"][60] == pytest.approx(200 / 150 - 1)
    assert features["ichimoku_turning_distance"][68] == 0.0
    assert features["ichimoku_base_distance"][84] == pytest.approx(200 / 150 - 1)
    assert features["ichimoku_base_distance"][85] == 0.0
    # turning and base line met at 150 from bar 60 to 67, and are drawn from bar 86 on
    assert features["ichimoku_span_a_distance"][85] == 1.0
    assert features["ichimoku_span_a_distance"][86] == pytest.approx(200 / 150 - 1)
    assert features["ichimoku_span_b_distance"][99] == pytest.approx(200 / 150 - 1)
