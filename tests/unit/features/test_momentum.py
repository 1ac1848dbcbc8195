"""Group `momentum` against its textbook reference, TA-Lib, published tables and answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.markets import changed, of_closes
from tests.oracles.agreement import assert_agrees, assert_agrees_with_talib, features_of
from tests.oracles.momentum import expected_momentum
from tests.oracles.specimens import GAPLESS, MARKETS, specimen

NAN = float("nan")

# Closes and Wilder's relative strength of 14 days, begun with a plain mean: StockCharts, ChartSchool, "RSI".
CLOSES = """
    44.3389 44.0902 44.1497 43.6124 44.3278 44.8264 45.0955 45.4245 45.8433 46.0826 45.8931 46.0328 45.6140 46.2820
    46.2820 46.0028 46.0328 46.4116 46.2222 45.6439 46.2122 46.2521 45.7137 46.4515 45.7835 45.3548 44.0288 44.1783
    44.2181 44.5672 43.4205 42.6628 43.1314
"""
STRENGTH = """
    70.53 66.32 66.55 69.41 66.36 57.97 62.93 63.26 56.06 62.38 54.71 50.42 39.99 41.46 41.87 45.46 37.30 33.08 37.77
"""

# High, low, close and commodity channel index of 20 days: StockCharts, ChartSchool, "CCI".
CHANNEL = """
    24.2013 23.8534 23.8932 -        24.0721 23.7242 23.9528 -        24.0423 23.6447 23.6745 -
    23.8733 23.3664 23.7839 -        23.6745 23.4559 23.4956 -        23.5851 23.1776 23.3217 -
    23.8037 23.3962 23.7540 -        23.8036 23.5652 23.7938 -        24.3007 24.0522 24.1417 -
    24.1516 23.7739 23.8137 -        24.0522 23.5950 23.7839 -        24.0622 23.8435 23.8634 -
    23.8833 23.6447 23.7044 -        25.1356 23.9429 24.9567 -        25.1952 24.7380 24.8771 -
    25.0660 24.7678 24.9616 -        25.2151 24.8970 25.1753 -        25.3741 24.9268 25.0660 -
    25.3642 24.9567 25.2747 -        25.2648 24.9268 24.9964 102.31   24.8175 24.2112 24.4597 30.74
    24.4398 24.2112 24.2808 6.55     24.6485 24.4299 24.6237 33.30    24.8374 24.4398 24.5815 34.95
    24.7479 24.2013 24.5268 13.84    24.5094 24.2510 24.3504 ~10.75   24.6784 24.2112 24.3404 ~11.58
    24.6684 24.1516 24.2311 ~29.35   23.8435 23.6348 23.7640 ~129.36  24.3007 23.7640 24.2013 ~73.07
"""


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says(market: str) -> None:
    """While the price stands for forty bars, what the averages leave out beyond their end weighs more: hence 1e-7."""
    assert_agrees(market, "momentum", expected_momentum(specimen(market)), rtol=1e-7 if market == "ticks" else 1e-8)


@pytest.mark.parametrize("candles", GAPLESS)
def test_what_ta_lib_has_agrees(candles: str) -> None:
    assert_agrees_with_talib(candles, "momentum")


def test_the_commodity_channel_index_of_a_published_table() -> None:
    words = [float("nan" if word == "-" else word.replace("~", "-")) for word in CHANNEL.split()]
    high, low, close, index = np.array(words).reshape(-1, 4).T
    market = changed(of_closes(list(close)), high=high[None], low=low[None])
    assert np.isfinite(index).sum() == 11
    # prices have four decimals, mean deviations of about 0.5 as well
    np.testing.assert_allclose(features_of(market, "cci_20")["cci_20"][0], index, atol=0.02)


def before(closes: list[float], period: int, n_pairs: int) -> list[float]:
    """Rises and falls by turns, after which Wilder's averages come to the plain means that the table began with."""
    steps = np.diff(closes)[:period]
    keep, sides = 1 - 1 / period, (np.maximum(steps, 0), np.maximum(-steps, 0))
    of_table = [sum(side * keep ** np.arange(period - 1, -1, -1.0)) / period for side in sides]
    wanted = [(side.mean() - own) / keep**period for side, own in zip(sides, of_table, strict=True)]
    rise, fall = (period * (1 - keep**2) * average for average in wanted)
    path = np.cumsum([rise / keep, -fall] * n_pairs)
    return list(closes[0] - path[-1] + np.concatenate([[0.0], path[:-1]]))


def test_the_relative_strength_of_a_published_table() -> None:
    closes = [1000 + float(word) for word in CLOSES.split()]  # only differences count
    history = before(closes, 14, 400)
    found = features_of(of_closes(history + closes), "rsi_14")["rsi_14"][0, len(history) + 14 :]
    np.testing.assert_allclose(found, [float(word) for word in STRENGTH.split()], atol=0.0051)


def of_moves(*moves: float) -> list[float]:
    """Closes whose one-bar log returns are these hundredths."""
    return [100.0 * np.exp(total / 100) for total in np.cumsum([0.0, *moves])]


@pytest.mark.parametrize(
    ("moves", "strength"),
    [
        # rises 5 + 1 + 2 = 8 of 8 + 2 = 10 moved
        ([5.0, -1.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0], 80.0),
        ([1.0] * 14, 100.0),
        ([-1.0] * 14, 0.0),
        ([1.0, -1.0] * 7, 50.0),
        # the 15th move back has left: 9 up of 9 + 3
        ([-99.0, *[3.0, -1.0] * 3, *[0.0] * 8], 75.0),
    ],
)
def test_cutlers_strength_by_hand(moves: list[float], strength: float) -> None:
    found = features_of(of_closes(of_moves(*moves)), "cutler_rsi_14")["cutler_rsi_14"][0, -1]
    assert found == pytest.approx(strength, rel=1e-11, abs=1e-11)


def test_strength_is_unknown_without_a_move_and_with_two_moves_missing() -> None:
    names = ("cutler_rsi_14", "rsi_7", "true_strength_25_13")
    still = features_of(of_closes([7.0] * 500), *names)
    assert all(np.isnan(values).all() for values in still.values())
    closes = of_moves(*[1.0, -1.0] * 10)
    closes[-1 - 5] = NAN  # one missing bar takes two of the moves
    assert np.isnan(features_of(of_closes(closes), "cutler_rsi_14")["cutler_rsi_14"][0, -1])


def test_stochastic_by_hand() -> None:
    market = of_closes([10.0] * 20)
    high, low = market.high.copy(), market.low.copy()
    high[0, 7], low[0, 6] = 14.0, 8.0  # bars 6 to 19 are the last 14
    low[0, 5] = 1.0
    features = features_of(changed(market, high=high, low=low), "stochastic_k_14", "williams_r_14")
    assert features["stochastic_k_14"][0, 19] == pytest.approx(100 * (10 - 8) / (14 - 8), rel=1e-14)
    assert features["stochastic_k_14"][0, 18] == pytest.approx(100 * (10 - 1) / (14 - 1), rel=1e-14)
    assert features["williams_r_14"][0, 19] == pytest.approx(-100 * (14 - 10) / (14 - 8), rel=1e-14)
    assert np.isnan(features["stochastic_k_14"][0, 12])


@pytest.mark.parametrize("price", [0.1, 7.0, 67_123.45])
def test_a_price_that_stands_has_no_channel_index_whatever_its_third_rounds_to(price: float) -> None:
    features = features_of(of_closes([price] * 60), "cci_14", "cci_20")
    assert all(np.isnan(values).all() for values in features.values())


def test_anchors_are_days_whatever_the_bar() -> None:
    closes = [float(bar) for bar in range(1, 800)]
    features = features_of(of_closes(closes), "momentum_7d", "momentum_30d")  # hourly bars
    assert features["momentum_7d"][0, -1] == pytest.approx(np.log(799 / (799 - 168)), rel=1e-12)
    assert features["momentum_30d"][0, -1] == pytest.approx(np.log(799 / (799 - 720)), rel=1e-12)
