"""How long the blocks of a bootstrap have to be: chosen from the series, by Politis and White 2004.

With the correction of Patton, Politis and White 2009. Circular blocks of length b miss the variance of a mean by a bias
of G/b and a variance of D·b/n; the chosen b makes their sum of squares least: (2 G² n / D)^⅓, with G = Σ |k| R(k) and
D = 4/3 (Σ R(k))² over the autocovariances R. Both sums run through a flat-top window up to twice the first lag from
which on five autocorrelations in a row are no larger than chance leaves them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.evaluate.circular_blocks import Steps

Array = npt.NDArray[np.float64]
MIN_LENGTH = 8
N_SMALL = 5  # lags in a row
BOUND = 2.0  # of a small autocorrelation, in √(log10 n / n)


def block_length(series: Array) -> float:
    """Length of circular blocks for the mean of a series (n,) without NaN, in its steps; at least 1.

    At most min(3 √n, n / 3); 1 for a series that does not vary or is shorter than 8.
    """
    n = len(series)
    if n < MIN_LENGTH or np.ptp(series) == 0:
        return 1.0
    covariance, window = _windowed(series)
    lags = np.arange(len(covariance))
    bias = 2 * float((window * lags) @ covariance)
    level = covariance[0] + 2 * float(window[1:] @ covariance[1:])
    most = math.ceil(min(3 * math.sqrt(n), n / 3))
    if level == 0:
        return float(most)
    return min(max(float((2 * bias**2 / (4 / 3 * level**2) * n) ** (1 / 3)), 1.0), float(most))


def long_run_variance(series: Array) -> float:
    """n times the variance of the mean of a series (n,) without NaN, through the same window; may be below 0."""
    if len(series) < MIN_LENGTH or np.ptp(series) == 0:
        return float(series.var())
    covariance, window = _windowed(series)
    return float(covariance[0] + 2 * window[1:] @ covariance[1:])


def sum_by_step(steps: Steps, values: Array) -> Array:
    """Rows' deviations from their mean, summed within each step of time; 0 for a step without rows; (n_steps,).

    The mean over rows is a ratio of sums over steps; this is the series whose autocorrelation decides its variance.
    """
    return np.asarray(np.bincount(steps.index, values - values.mean(), steps.n_steps), dtype=np.float64)


def choose_lengths(steps: Steps, values: Mapping[str, Array]) -> dict[str, float]:
    """The length that the mean of each series of rows (n_rows,) asks for, in hours."""
    return {name: block_length(sum_by_step(steps, each)) * steps.hours for name, each in values.items()}


def _windowed(series: Array) -> tuple[Array, Array]:
    """Autocovariances from lag 0 on as far as the window reaches, and the window."""
    n = len(series)
    n_lags = min(math.ceil(math.sqrt(n)) + N_SMALL, n - 1)
    covariance = _autocovariances(series, n_lags)
    is_small = np.abs(covariance[1:] / covariance[0]) < BOUND * math.sqrt(math.log10(n) / n)
    runs = np.flatnonzero(np.convolve(is_small, np.ones(N_SMALL), "valid") == N_SMALL)
    reach = min(2 * (int(runs[0]) + 1), n_lags) if len(runs) else n_lags
    window = np.clip(2 * (1 - np.arange(reach + 1) / reach), 0, 1)
    return covariance[: reach + 1], window


def _autocovariances(series: Array, n_lags: int) -> Array:
    n = len(series)
    spectrum = rfft(series - series.mean(), next_fast_len(n + n_lags, real=True))
    out: Array = irfft(np.abs(spectrum) ** 2, next_fast_len(n + n_lags, real=True))[: n_lags + 1] / n
    return out
