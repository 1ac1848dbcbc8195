"""Group `statistical` against its textbook reference, TA-Lib, and series of a known kind."""

from __future__ import annotations

import numpy as np
import pytest

from tests.markets import of_closes
from tests.oracles.agreement import assert_agrees, assert_agrees_with_talib, features_of
from tests.oracles.specimens import GAPLESS, MARKETS, specimen
from tests.oracles.statistical import expected_statistical

N_BARS = 20_000


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says(market: str) -> None:
    assert_agrees(market, "statistical", expected_statistical(specimen(market)))


@pytest.mark.parametrize("candles", GAPLESS)
def test_what_ta_lib_has_agrees(candles: str) -> None:
    assert_agrees_with_talib(candles, "statistical")


def mean_of(name: str, moves: np.ndarray) -> float:
    """Mean of the feature over a price that moves so."""
    return float(np.nanmean(features_of(of_closes(list(np.exp(np.cumsum(moves)))), name)[name]))


def test_a_random_walk_has_no_memory_and_no_shape() -> None:
    moves = np.random.default_rng(1).normal(0, 0.01, N_BARS)
    assert mean_of("variance_ratio_6_192", moves) == pytest.approx(1 - 5 / 192, abs=0.04)  # less for the own mean
    assert mean_of("autocorrelation_1_96", moves) == pytest.approx(0.0, abs=0.03)  # less for the own mean
    assert mean_of("skew_192", moves) == pytest.approx(0.0, abs=0.05)
    assert mean_of("kurtosis_192", moves) == pytest.approx(0.0, abs=0.1)
    assert mean_of("return_position_96", moves) == pytest.approx(0.5, abs=0.01)


def test_a_known_autoregression_is_recovered() -> None:
    """With a share of 0.4 of each move in the next: variance ratio 1 + 2 sum over k of (1 - k / 6) 0.4^k = 2.04."""
    random = np.random.default_rng(2)
    moves = np.zeros(N_BARS)
    for bar in range(1, N_BARS):
        moves[bar] = 0.4 * moves[bar - 1] + random.normal(0, 0.01)
    ratio = 1 + 2 * sum((1 - k / 6) * 0.4**k for k in range(1, 6))
    assert mean_of("variance_ratio_6_192", moves) == pytest.approx(ratio, rel=0.06)
    assert mean_of("autocorrelation_1_96", moves) == pytest.approx(0.4, abs=0.03)
    assert mean_of("autocorrelation_2_96", moves) == pytest.approx(0.16, abs=0.03)
    assert mean_of("autocorrelation_3_96", moves) == pytest.approx(0.064, abs=0.03)


def test_an_exponential_has_a_skewness_of_two_and_an_excess_of_six() -> None:
    """Windows of 192 see less of so long a tail than there is."""
    moves = 0.01 * (np.random.default_rng(3).exponential(1.0, N_BARS) - 1.0)
    assert mean_of("skew_192", moves) == pytest.approx(2.0, abs=0.2)
    assert 3.5 < mean_of("kurtosis_192", moves) < 6.0


def test_calm_and_wild_bars_that_come_together_are_seen_in_the_sizes_alone() -> None:
    random = np.random.default_rng(4)
    scale = np.repeat(random.choice([0.002, 0.02], N_BARS // 10), 10)
    moves = scale * random.normal(0, 1, N_BARS)
    assert mean_of("size_autocorrelation_1_96", moves) > 0.3
    assert mean_of("autocorrelation_1_96", moves) == pytest.approx(0.0, abs=0.03)
    assert mean_of("kurtosis_192", moves) > 1.0


def test_by_hand() -> None:
    moves = [0.01, -0.01] * 120
    closes = list(np.exp(np.cumsum([0.0, *moves])))
    names = ("mean_return_24", "autocorrelation_1_24", "autocorrelation_2_96", "kurtosis_48", "variance_ratio_6_192")
    features = {name: values[0, -1] for name, values in features_of(of_closes(closes), *names).items()}
    assert features["mean_return_24"] == pytest.approx(0.0, abs=1e-15)
    assert features["autocorrelation_1_24"] == pytest.approx(-1.0)
    assert features["autocorrelation_2_96"] == pytest.approx(1.0)
    assert features["kurtosis_48"] == pytest.approx(-2.0)
    assert features["variance_ratio_6_192"] == pytest.approx(0.0, abs=1e-12)
