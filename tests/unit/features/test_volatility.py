"""Group `volatility` against its textbook reference, TA-Lib, a published table, known paths and answers by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from candlelock.features.market import Market
from tests.markets import FIRST_MS, HOUR_MS, changed, of_closes
from tests.oracles.agreement import assert_agrees, assert_agrees_with_talib, features_of
from tests.oracles.specimens import GAPLESS, MARKETS, specimen
from tests.oracles.volatility import expected_volatility

# Closes from 1 May 2009 and, from the 20th on, the bands: StockCharts, ChartSchool, "Bollinger Bands".
CLOSES = """
    86.1557 89.0867 88.7829 90.3228 89.0671 91.1453 89.4397 89.1750 86.9302 87.6752 86.9596 89.4299 89.3221 88.7241
    87.4497 87.2634 89.4985 87.9006 89.1260 90.7043 92.9001 92.9784 91.8021 92.6647 92.6843 92.3021 92.7725
"""
UPPER = "91.291862 91.949268 92.612595 92.934200 93.311950 93.728450 93.899592 94.266255"
LOWER = "86.124018 86.141052 85.866895 85.847210 85.703650 85.648870 85.593408 85.560025"


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says(market: str) -> None:
    """While the price stands for forty bars, what the averages leave out beyond their end weighs more: hence 1e-7."""
    assert_agrees(market, "volatility", expected_volatility(specimen(market)), rtol=1e-7 if market == "ticks" else 1e-8)


@pytest.mark.parametrize("candles", GAPLESS)
def test_what_ta_lib_has_agrees(candles: str) -> None:
    assert_agrees_with_talib(candles, "volatility")


def test_the_bands_of_a_published_table() -> None:
    close = np.array([float(word) for word in CLOSES.split()])
    upper, lower = (np.array([float(word) for word in text.split()]) for text in (UPPER, LOWER))
    names = (
        "bollinger_upper_distance_20",
        "bollinger_lower_distance_20",
        "bollinger_width_20",
        "bollinger_position_20",
    )
    features = {name: values[0, 19:] for name, values in features_of(of_closes(list(close)), *names).items()}
    np.testing.assert_allclose(features["bollinger_upper_distance_20"], close[19:] / upper - 1, atol=1e-7)
    np.testing.assert_allclose(features["bollinger_lower_distance_20"], close[19:] / lower - 1, atol=1e-7)
    np.testing.assert_allclose(features["bollinger_width_20"], (upper - lower) / ((upper + lower) / 2), atol=1e-7)
    np.testing.assert_allclose(features["bollinger_position_20"], (close[19:] - lower) / (upper - lower), atol=1e-6)


def brownian(volatility: float, drift: float, n_bars: int, n_steps: int) -> Market:
    """Bars of a Brownian log price seen at `n_steps` moments, its extremes moved out by what is missed between them.

    The shift of 0.5826 steps' deviations is that of Broadie, Glasserman and Kou (1997).
    """
    random = np.random.default_rng(7)
    steps = random.normal(drift / n_steps, volatility / math.sqrt(n_steps), (n_bars, n_steps))
    path = np.concatenate([np.zeros((n_bars, 1)), np.cumsum(steps, axis=1)], axis=1)
    path += np.concatenate([[0.0], np.cumsum(path[:-1, -1])])[:, None]
    price, missed = np.exp(path), np.exp(0.5826 * volatility / math.sqrt(n_steps))
    fields = {"open": price[:, 0], "high": price.max(axis=1) * missed, "low": price.min(axis=1) / missed}
    fields["close"] = price[:, -1]
    times = FIRST_MS + HOUR_MS * np.arange(n_bars, dtype=np.int64)
    rows = {name: x[None] for name, x in fields.items()}
    return Market(("S0",), HOUR_MS, times, **rows, volume=np.ones((1, n_bars)))


@pytest.mark.parametrize(
    ("name", "drift", "error"),
    [
        ("parkinson_24", 0.0, 0.02),
        ("garman_klass_24", 0.0, 0.02),
        ("rogers_satchell_24", 0.0, 0.02),
        ("rogers_satchell_24", 0.02, 0.02),  # the one that a drift does not mislead
        ("volatility_24", 0.0, 0.04),  # a population deviation falls short by one part in 48
    ],
)
def test_the_volatility_of_a_known_path_is_recovered(name: str, drift: float, error: float) -> None:
    market = brownian(0.02, drift, n_bars=2_400, n_steps=2_000)
    found = features_of(market, name)[name][0, 24:]
    assert math.sqrt((found**2).mean()) == pytest.approx(0.02, rel=error)


def test_a_drift_misleads_parkinson() -> None:
    found = features_of(brownian(0.02, 0.02, n_bars=480, n_steps=500), "parkinson_24")["parkinson_24"][0, 24:]
    assert found.mean() > 0.022


def test_volatility_by_hand() -> None:
    # moves of +3 % and -1 % by turns: mean 1 %, every deviation 2 %
    closes = 100 * np.exp(np.cumsum([0.0, *[0.03, -0.01] * 48]))
    names = ("volatility_6", "volatility_24", "volatility_96", "volatility_ratio_6_96", "semivariance_balance_48")
    features = features_of(of_closes(list(closes)), *names)
    for window in (6, 24, 96):
        assert features[f"volatility_{window}"][0, -1] == pytest.approx(0.02, rel=1e-12)
        assert np.isnan(features[f"volatility_{window}"][0, 4])
    assert features["volatility_ratio_6_96"][0, -1] == pytest.approx(1.0, rel=1e-12)
    assert features["semivariance_balance_48"][0, -1] == pytest.approx((9 - 1) / (9 + 1), rel=1e-12)


def test_one_jump_in_a_calm_path_is_a_jump() -> None:
    random = np.random.default_rng(3)
    moves = random.choice([-0.01, 0.01], 49)
    calm = features_of(of_closes(list(np.exp(np.cumsum([0.0, *moves])))), "jump_share_48")["jump_share_48"][0, -1]
    moves[30] = 0.2
    jump = features_of(of_closes(list(np.exp(np.cumsum([0.0, *moves])))), "jump_share_48")["jump_share_48"][0, -1]
    assert calm == 0.0  # bipower of equal sizes exceeds the variance by pi / 2
    assert jump == pytest.approx(1 - math.pi / 2 * (46 * 1e-4 + 2 * 0.2 * 0.01) / (47 * 1e-4 + 0.04), rel=1e-9)


def test_the_bars_own_range_and_its_place_among_the_true_ranges() -> None:
    market = changed(of_closes([8.0] * 400), high=np.full((1, 400), 9.0), low=np.full((1, 400), 7.0))
    features = features_of(market, "range_1", "atr_percent_14", "true_range_ratio_14", "choppiness_14")
    assert features["range_1"][0, -1] == 0.25
    assert features["atr_percent_14"][0, -1] == pytest.approx(25.0)
    assert features["true_range_ratio_14"][0, -1] == pytest.approx(1.0)
    assert features["choppiness_14"][0, -1] == pytest.approx(100.0)


def test_a_still_price_has_none_and_no_ratio() -> None:
    features = features_of(of_closes([0.3] * 97), "volatility_96", "volatility_ratio_6_96", "squeeze_20")
    assert features["volatility_96"][0, -1] == 0.0
    assert np.isnan(features["volatility_ratio_6_96"][0, -1])
