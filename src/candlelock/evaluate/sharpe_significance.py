"""What a Sharpe ratio is worth: its standard error, the tries it is the best of, the length of its record.

Every ratio is per period of the returns it comes from, never annual, and over no riskless rate. Kurtosis is raw: 3 for
a normal distribution.

The standard error is that of Lo 2002 and Mertens 2002 for returns of any distribution, as Bailey and López de Prado use
it: √((1 - skewness · SR + (kurtosis - 1)/4 · SR²) / (n - 1)). The term in brackets is the variance of the ratio's
influence (r - mean)/σ - SR/2 · ((r - mean)²/σ² - 1). Where that influence is autocorrelated, its long-run variance
takes the place of its variance, as in Lo's general case: n counts as `n_effective` periods, never as more than n.

Sources: Bailey and López de Prado 2012, The Sharpe Ratio Efficient Frontier; the same 2014, The Deflated Sharpe Ratio;
Bailey, Borwein, López de Prado and Zhu 2014, Pseudo-Mathematics and Financial Charlatanism.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from candlelock.contracts.errors import InputError, Problem
from candlelock.evaluate.block_length import long_run_variance

Array = npt.NDArray[np.float64]
MIN_PERIODS = 8
SMALLEST = 1e-12  # of the bracket: 0 for two values alone


@dataclass(frozen=True)
class ReturnShape:
    """A Sharpe ratio and what its standard error is made of."""

    n_periods: int
    n_effective: float
    sharpe: float
    skewness: float
    kurtosis: float

    @property
    def spread(self) -> float:
        """Standard error × √(n_effective - 1)."""
        bracket = 1 - self.skewness * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2
        return math.sqrt(max(bracket, SMALLEST))

    @property
    def standard_error(self) -> float:
        """Of the Sharpe ratio."""
        return self.spread / math.sqrt(self.n_effective - 1)


def measure_returns(returns: Array) -> ReturnShape | None:
    """The shape of returns (n_periods,), none of them NaN; None where they are fewer than 8 or do not vary."""
    if len(returns) < MIN_PERIODS or np.ptp(returns) == 0:
        return None
    z = (returns - returns.mean()) / returns.std()
    sharpe = float(returns.mean() / returns.std(ddof=1))
    influence = z - sharpe / 2 * (z**2 - 1)
    variance = float(influence.var())
    widening = max(long_run_variance(influence) / variance, 1.0) if variance > SMALLEST else 1.0
    n_effective = max(len(returns) / widening, 2.0)
    return ReturnShape(len(returns), n_effective, sharpe, float((z**3).mean()), float((z**4).mean()))


def probability_above(shape: ReturnShape, benchmark: float = 0.0) -> float:
    """Probabilistic Sharpe ratio: that the true one is above `benchmark`."""
    return float(ndtr((shape.sharpe - benchmark) / shape.standard_error))


def expected_max_sharpe(n_trials: int, variance: float) -> float:
    """The highest ratio to be expected of `n_trials` independent tries without skill; 0 for one.

    `variance`: of the ratios over the tries. The False Strategy theorem, whose approximation a test compares with the
    exact mean. Raises InputError for no trial, a variance below 0.
    """
    if n_trials < 1 or not variance >= 0:
        found = f"{n_trials} trials, variance {variance}"
        help_line = "count the trial that is judged, too"
        raise InputError(Problem("significance-trials", "trials", found, "at least 1, and at least 0", help_line))
    if n_trials == 1:
        return 0.0
    high, higher = ndtri(1 - 1 / n_trials), ndtri(1 - 1 / (n_trials * math.e))
    return math.sqrt(variance) * float((1 - np.euler_gamma) * high + np.euler_gamma * higher)


def deflated_sharpe(shape: ReturnShape, n_trials: int, variance: float) -> float:
    """Probability that the true ratio is above the best to be expected of so many tries without skill."""
    return probability_above(shape, expected_max_sharpe(n_trials, variance))


def min_track_record(shape: ReturnShape, benchmark: float, confidence: float) -> float | None:
    """Periods for which so high a ratio must be seen to be above `benchmark`; None where it is not above.

    Periods like those measured: where these count as fewer, more are needed.
    """
    lead = shape.sharpe - benchmark
    if lead <= 0:
        return None
    independent = 1 + (shape.spread * float(ndtri(confidence)) / lead) ** 2
    return independent * shape.n_periods / shape.n_effective


def min_backtest_length(n_trials: int, sharpe: float) -> float | None:
    """Periods from which on the best of so many tries without skill is expected to stay below `sharpe`.

    None where that is not above 0. With an annual ratio, years.
    """
    return (expected_max_sharpe(n_trials, 1.0) / sharpe) ** 2 if sharpe > 0 else None
