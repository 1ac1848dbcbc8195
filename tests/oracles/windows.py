"""The frozen slow oracle of the trailing windows: every window is accumulated anew, bar by bar, oldest first.

Once the library's own; the kernels are held against it. Do not change it along with them. All arrays are float64 with
time on the last axis.

NaN rule: a missing bar counts as absent; a statistic is NaN where fewer than `min_present` of its `window` bars are
present, and at the first `window - 1` bars.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.features.market import Array

PRESENT_FRAC = 0.9


def min_present(window: int) -> int:
    """Bars a window of `window` bars needs: nine tenths, so that windows of up to nine bars need every one."""
    return math.ceil(PRESENT_FRAC * window)


def lag(x: Array, n_bars: int) -> Array:
    """The value `n_bars` earlier; NaN at the first `n_bars` bars. Same shape."""
    out = np.full_like(x, np.nan)
    out[..., n_bars:] = x[..., : max(x.shape[-1] - n_bars, 0)]
    return out


def _accumulate(x: Array, window: int, start: Array, step: Callable[[Array, Array], Array]) -> Array:
    n_out = x.shape[-1] - window + 1
    for offset in range(window):
        start = step(start, x[..., offset : offset + n_out])
    return start


def _pad(values: Array, like: Array) -> Array:
    out = np.full_like(like, np.nan)
    out[..., like.shape[-1] - values.shape[-1] :] = values
    return out


def _reduce(x: Array, window: int, fill: float, step: Callable[[Array, Array], Array]) -> tuple[Array, Array]:
    """The reduced value and the number of present bars of each full window; shape (..., n_bars - window + 1)."""
    present = ~np.isnan(x)
    empty = np.full((*x.shape[:-1], x.shape[-1] - window + 1), fill)
    value = _accumulate(np.where(present, x, fill), window, empty, step)
    count = _accumulate(present.astype(np.float64), window, np.zeros_like(empty), np.add)
    return value, count


def _statistic(x: Array, window: int, fill: float, step: Callable[[Array, Array], Array], mean: bool = False) -> Array:
    if x.shape[-1] < window:
        return np.full_like(x, np.nan)
    value, count = _reduce(x, window, fill, step)
    enough = count >= min_present(window)
    scaled = np.divide(value, count, out=np.full_like(value, np.nan), where=enough) if mean else value
    return _pad(np.where(enough, scaled, np.nan), x)


def rolling_sum(x: Array, window: int) -> Array:
    """Sum of the present values of the last `window` bars."""
    return _statistic(x, window, 0.0, np.add)


def rolling_mean(x: Array, window: int) -> Array:
    """Mean of the present values of the last `window` bars."""
    return _statistic(x, window, 0.0, np.add, mean=True)


def rolling_max(x: Array, window: int) -> Array:
    """Largest present value of the last `window` bars."""
    return _statistic(x, window, -np.inf, np.maximum)


def rolling_min(x: Array, window: int) -> Array:
    """Smallest present value of the last `window` bars."""
    return _statistic(x, window, np.inf, np.minimum)


def rolling_std(x: Array, window: int) -> Array:
    """Population standard deviation (ddof 0) of the present values of the last `window` bars, by two passes.

    A flat window gives exactly 0: its mean may round, so a spread below 1e-12 of the mean's size counts as flat.
    """
    if x.shape[-1] < window:
        return np.full_like(x, np.nan)
    total, count = _reduce(x, window, 0.0, np.add)
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count >= min_present(window))

    def add_square(acc: Array, values: Array) -> Array:
        deviation = values - mean
        return acc + np.where(np.isnan(values), 0.0, deviation * deviation)

    squares = _accumulate(x, window, np.zeros_like(mean), add_square)
    variance = np.divide(squares, count, out=np.full_like(squares, np.nan), where=count > 0)
    deviation = np.sqrt(variance)
    return _pad(np.where(deviation <= 1e-12 * np.abs(mean), 0.0, deviation), x)


def ratio(numerator: Array, denominator: Array) -> Array:
    """`numerator / denominator`, NaN where the denominator is 0 or either is NaN. Same shape."""
    usable = (denominator != 0) & ~np.isnan(denominator)
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=usable)


def zscore(x: Array, window: int) -> Array:
    """Distance of the last value from its window's mean in standard deviations; NaN over a flat window."""
    return ratio(x - rolling_mean(x, window), rolling_std(x, window))


def position_in_range(close: Array, high: Array, low: Array, window: int) -> Array:
    """Where `close` lies between the window's lowest low (0) and highest high (1); NaN over a flat window."""
    lowest = rolling_min(low, window)
    return ratio(close - lowest, rolling_max(high, window) - lowest)
