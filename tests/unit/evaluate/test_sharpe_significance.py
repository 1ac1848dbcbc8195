"""What a Sharpe ratio is worth: the papers' own figures, recomputed, and what autocorrelation takes away."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kurtosis, norm, skew

from candlelock.contracts.errors import InputError
from candlelock.evaluate.figures import returns_of
from candlelock.evaluate.sharpe_significance import (
    ReturnShape,
    deflated_sharpe,
    expected_max_sharpe,
    measure_returns,
    min_backtest_length,
    min_track_record,
    probability_above,
)


def shape(n: int, sharpe: float, skewness: float = 0.0, raw_kurtosis: float = 3.0) -> ReturnShape:
    return ReturnShape(n, n, sharpe, skewness, raw_kurtosis)


# Bailey and López de Prado 2014: five years of 250 days, an annual ratio of 2.5, the annual ratios of the tries with a
# variance of 1/2. By hand: √(0.5 / 250) · (0.42278 · 2.32635 + 0.57722 · 2.68066) = 0.04472 · 2.53060 = 0.1132; the
# bracket is 1 + 3 · 0.15811 + 2.25 · 0.025 = 1.5306; (0.15811 - 0.11317) · √1249 / √1.5306 = 1.2838; Φ = 0.9004.
VARIANCE = 0.5 / 250
FOUND = shape(1250, 2.5 / math.sqrt(250), -3, 10)


def test_a_hundred_tries_deflate_the_papers_ratio_to_its_figure() -> None:
    assert expected_max_sharpe(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(FOUND, 100, VARIANCE) == pytest.approx(0.9004, abs=5e-5)


def test_the_paper_finds_skill_after_46_tries_or_after_88_were_returns_normal() -> None:
    assert deflated_sharpe(FOUND, 46, VARIANCE) == pytest.approx(0.9505, abs=5e-5)
    assert deflated_sharpe(shape(1250, FOUND.sharpe), 88, VARIANCE) == pytest.approx(0.9505, abs=5e-5)


# Bailey and López de Prado 2012: two years of months with a ratio of 0.458. By hand, with skewness -2.448 and kurtosis
# 10.164: 0.458 · √23 / √(1 + 2.448 · 0.458 + 9.164/4 · 0.458²) = 2.1965 / 1.6130 = 1.3617.
@pytest.mark.parametrize(("skewness", "raw_kurtosis", "expected"), [(0, 3, 0.982), (-2.448, 10.164, 0.913)])
def test_two_years_of_a_fund_are_worth_less_for_its_tail(skewness: float, raw_kurtosis: float, expected: float) -> None:
    assert probability_above(shape(24, 0.458, skewness, raw_kurtosis)) == pytest.approx(expected, abs=5e-4)


# The same paper: years until an annual ratio of 2 is above 1 with 95 %. By hand, for months: 1 + (1 + 0.5 · 4/12) ·
# (1.64485 / (1/√12))² = 1 + 1.16667 · 32.467 = 38.88 months.
@pytest.mark.parametrize(
    ("per_year", "skewness", "raw_kurtosis", "years"),
    [(250, 0, 3, 2.73), (52, 0, 3, 2.83), (12, 0, 3, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_track_record_that_a_ratio_of_two_needs_against_one(
    per_year: int, skewness: float, raw_kurtosis: float, years: float
) -> None:
    measured = shape(1000, 2 / math.sqrt(per_year), skewness, raw_kurtosis)
    needed = min_track_record(measured, 1 / math.sqrt(per_year), 0.95)
    assert needed is not None
    assert needed / per_year == pytest.approx(years, abs=5e-3)


def test_after_the_least_track_record_the_probability_is_the_confidence() -> None:
    needed = min_track_record(FOUND, 0.05, 0.9)
    assert needed is not None
    again = ReturnShape(round(needed), needed, FOUND.sharpe, FOUND.skewness, FOUND.kurtosis)
    assert probability_above(again, 0.05) == pytest.approx(0.9)
    assert min_track_record(FOUND, FOUND.sharpe, 0.9) is None


def test_days_that_count_half_have_to_be_twice_as_many() -> None:
    whole, half = min_track_record(FOUND, 0.0, 0.95), min_track_record(replace(FOUND, n_effective=625), 0.0, 0.95)
    assert whole is not None
    assert half == pytest.approx(2 * whole)


# Bailey, Borwein, López de Prado and Zhu 2014: five years bear no more than 45 tries, else the best of them is expected
# to show an annual ratio of 1. By hand for 45: (0.42278 · 2.00999 + 0.57722 · 2.40081)² = 2.23564² = 4.998.
def test_five_years_bear_45_tries() -> None:
    lengths = [min_backtest_length(n, 1.0) for n in (45, 46)]
    assert lengths[0] == pytest.approx(4.998, abs=5e-4)
    assert lengths[1] == pytest.approx(5.036, abs=5e-4)
    assert expected_max_sharpe(10, 1.0) == pytest.approx(1.57, abs=5e-3)  # the paper's figure for ten
    assert min_backtest_length(45, -0.1) is None


@pytest.mark.parametrize(("n_trials", "off"), [(3, 0.01), (5, 0.03), (10, 0.03), (100, 0.01), (10_000, 0.003)])
def test_the_theorem_is_near_the_exact_mean_of_the_highest(n_trials: int, off: float) -> None:
    exact = quad(lambda x: x * n_trials * norm.pdf(x) * norm.cdf(x) ** (n_trials - 1), -12, 12, limit=500)[0]
    assert expected_max_sharpe(n_trials, 4.0) == pytest.approx(2 * exact, rel=off)


def test_one_try_deflates_nothing_and_none_is_an_error() -> None:
    assert deflated_sharpe(FOUND, 1, VARIANCE) == probability_above(FOUND)
    for n_trials, variance in ((0, 1.0), (5, -1.0), (5, math.nan)):
        with pytest.raises(InputError) as caught:
            expected_max_sharpe(n_trials, variance)
        assert caught.value.problems[0].code == "significance-trials"


def test_the_shape_is_scipys_with_raw_kurtosis() -> None:
    returns = np.random.default_rng(1).standard_t(5, 500) * 0.02 + 0.001
    measured = measure_returns(returns)
    assert measured is not None
    assert measured.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert measured.skewness == pytest.approx(skew(returns))
    assert measured.kurtosis == pytest.approx(kurtosis(returns, fisher=False))
    assert measured.kurtosis > 3


def test_returns_that_tell_nothing_have_no_shape() -> None:
    assert measure_returns(np.zeros(100)) is None
    assert measure_returns(np.array([0.1, -0.1, 0.2])) is None


def test_two_values_alone_break_nothing() -> None:
    measured = measure_returns(np.tile([0.1, -0.1, 0.1, 0.1], 10))
    assert measured is not None
    assert 0 <= probability_above(measured) <= 1


def autoregressive(random: np.random.Generator, n: int, rho: float) -> np.ndarray:
    out = np.empty(n)
    value = random.normal() / math.sqrt(1 - rho**2)
    for at, shock in enumerate(random.normal(size=n)):
        out[at] = value
        value = rho * value + shock
    return out


# Lo 2002, for Gaussian AR(1) in closed form: the long-run variance of the mean is (1 + ρ)/(1 - ρ) times the variance,
# that of squares (1 + ρ²)/(1 - ρ²) times; at a ratio near 0 the first is all there is. With ρ = 0.5 it is three times.
def test_days_that_repeat_each_other_count_as_fewer() -> None:
    random = np.random.default_rng(2)
    shares = []
    for _ in range(60):
        measured = measure_returns(0.02 * autoregressive(random, 1000, 0.5))
        assert measured is not None
        shares.append(measured.n_effective / 1000)
    assert np.median(shares) == pytest.approx(1 / 3, rel=0.1)


def test_days_that_swing_back_count_as_no_more_than_there_are() -> None:
    measured = measure_returns(autoregressive(np.random.default_rng(3), 1000, -0.5))
    assert measured is not None
    assert measured.n_effective == 1000


def share_found(rho: float, n_simulations: int) -> float:
    """How often skill is seen, at 5 %, in half a year of returns without any."""
    random = np.random.default_rng(4)
    shapes = [measure_returns(autoregressive(random, 182, rho)) for _ in range(n_simulations)]
    return float(np.mean([probability_above(each) > 0.95 for each in shapes if each]))


def test_skill_is_seen_where_there_is_none_about_as_often_as_said() -> None:
    assert 0.025 <= share_found(0.0, 600) <= 0.07
    assert share_found(0.4, 600) <= 0.09  # without the correction it is one in seven


def test_returns_start_from_the_capital_and_end_with_the_account() -> None:
    np.testing.assert_allclose(returns_of(np.array([100.0, 110.0, 99.0, 0.0, 0.0])), [0.1, -0.1, -1.0, 0.0])
