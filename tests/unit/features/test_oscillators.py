"""Group `oscillators` against its textbook reference, TA-Lib, a published table and answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.markets import changed, of_closes
from tests.oracles.agreement import assert_agrees, assert_agrees_with_talib, features_of
from tests.oracles.oscillators import expected_oscillators
from tests.oracles.specimens import GAPLESS, MARKETS, specimen

# High, low and close of 20 October to 1 December 2010: StockCharts, ChartSchool, "Ultimate Oscillator".
PUBLISHED = """
    57.9342 56.5199 57.5657  58.4620 57.0677 57.6653  57.7649 56.4403 56.9183  59.8763 57.5258 58.4720
    59.0198 57.5756 58.7409  60.1751 57.8943 60.0058  60.2946 58.0139 58.4521  59.8564 58.4322 59.1791
    59.7767 58.4521 58.6712  59.7269 58.5816 58.8704  59.5994 58.5417 59.2986  62.9637 59.6173 62.5653
    62.2666 61.3602 62.0176  63.0633 61.2507 62.0474  63.7406 62.1869 62.5155  62.7446 61.0216 62.3661
    63.4816 61.5694 63.4019  63.2326 60.7926 61.8981  62.1371 60.3444 60.5436  60.5037 58.2031 59.0895
    59.8862 58.9102 59.0098  60.3245 59.0905 59.3883  59.7070 58.5915 59.2090  62.2168 59.4401 59.6572
    59.7368 57.3267 59.0696  59.9360 59.1094 59.8962  59.6471 58.8714 59.2887  59.3683 58.2429 59.1194
    60.2149 58.2628 59.6771  61.6989 60.5834 61.4798
"""


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says(market: str) -> None:
    assert_agrees(market, "oscillators", expected_oscillators(specimen(market)), rtol=1e-8)


@pytest.mark.parametrize("candles", GAPLESS)
def test_what_ta_lib_has_agrees(candles: str) -> None:
    assert_agrees_with_talib(candles, "oscillators")


def test_the_ultimate_oscillator_of_a_published_table() -> None:
    high, low, close = np.array([float(word) for word in PUBLISHED.split()]).reshape(-1, 3).T
    market = changed(of_closes(list(close)), high=high[None], low=low[None])
    found = features_of(market, "ultimate_oscillator_7_14_28")["ultimate_oscillator_7_14_28"][0]
    np.testing.assert_allclose(found[28:], [53.397838, 57.164680], atol=5e-6)
    assert np.isnan(found[:28]).all()


def test_aroon_names_the_latest_of_equal_extremes() -> None:
    closes = [5.0, 9.0, *[5.0] * 3, 9.0, *[5.0] * 9]
    features = features_of(of_closes(closes), "aroon_up_14", "aroon_down_14", "aroon_oscillator_14")
    assert features["aroon_up_14"][0, -1] == pytest.approx(100 * (14 - 9) / 14)
    assert features["aroon_down_14"][0, -1] == 100.0
    assert features["aroon_oscillator_14"][0, -1] == pytest.approx(-100 * 9 / 14)


def test_the_stochastic_of_a_strength_that_only_rounds_is_unknown() -> None:
    random = np.random.default_rng(1)
    closes = [*np.exp(np.cumsum(random.normal(0, 0.01, 400))), *[1.0] * 60]  # moves, then stands
    found = features_of(of_closes(closes), "stochastic_rsi_14", "rsi_14")
    assert np.isfinite(found["rsi_14"][0, -1])
    assert np.isfinite(found["stochastic_rsi_14"][0, 330:413]).all()
    assert np.isnan(found["stochastic_rsi_14"][0, 414:]).all()
    rising = features_of(of_closes([1.001**bar for bar in range(400)]), "stochastic_rsi_14")["stochastic_rsi_14"]
    assert np.isnan(rising).all()  # a strength of 100 throughout


def test_awesome_and_detrended_by_hand() -> None:
    closes = [10.0] * 29 + [20.0] * 5
    features = features_of(of_closes(closes), "awesome_oscillator_5_34", "detrended_price_20")
    assert features["awesome_oscillator_5_34"][0, -1] == pytest.approx((20 - (29 * 10 + 5 * 20) / 34) / 20)
    assert features["detrended_price_20"][0, -1] == pytest.approx((10 - (15 * 10 + 5 * 20) / 20) / 20)
