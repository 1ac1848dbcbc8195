"""Textbook statistics for the references of the features: whole windows as matrices, and pandas' exponential averages.

All arrays are float64 of shape (n_symbols, n_bars). A missing bar counts as absent; windows need nine tenths of their
bars, exponential averages nine tenths of their weight. Nothing here shares code with the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tests.oracles.windows import lag, ratio

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

NAN = float("nan")


def windows_of(x: Array, window: int) -> Array:
    """The last `window` values at each bar, the oldest first; shape (n_symbols, n_bars, window)."""
    padded = np.concatenate([np.full((len(x), window - 1), NAN), x], axis=1)
    return np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)


def known(x: Array, window: int, statistic: Array) -> Array:
    """The statistic where at least nine tenths of the window's values are present."""
    return np.where(10 * count(x, window) >= 9 * window, statistic, NAN)


def count(x: Array, window: int) -> Array:
    return (~np.isnan(windows_of(x, window))).sum(axis=2)


def total(x: Array, window: int) -> Array:
    return known(x, window, np.nansum(windows_of(x, window), axis=2))


def mean(x: Array, window: int) -> Array:
    return ratio(total(x, window), count(x, window).astype(float))


def deviations(x: Array, window: int) -> Array:
    """Each window less its mean."""
    return windows_of(x, window) - mean(x, window)[:, :, None]


def std(x: Array, window: int) -> Array:
    """Population standard deviation; one that is rounding is 0."""
    found = np.sqrt(moment(x, window, 2))
    return np.where(found <= 1e-12 * np.abs(mean(x, window)), 0.0, found)


def moment(x: Array, window: int, power: int) -> Array:
    """Central moment."""
    return known(x, window, np.nansum(deviations(x, window) ** power, axis=2) / np.maximum(count(x, window), 1))


def zscore(x: Array, window: int) -> Array:
    return ratio(x - mean(x, window), std(x, window))


def skew(x: Array, window: int) -> Array:
    return ratio(moment(x, window, 3), std(x, window) ** 3)


def kurtosis(x: Array, window: int) -> Array:
    """Excess over the normal distribution's."""
    return ratio(moment(x, window, 4), std(x, window) ** 4) - 3


def mean_deviation(x: Array, window: int) -> Array:
    """Mean absolute deviation; one that is rounding is 0."""
    found = np.nansum(np.abs(deviations(x, window)), axis=2) / np.maximum(count(x, window), 1)
    return known(x, window, np.where(found <= 1e-12 * np.abs(mean(x, window)), 0.0, found))


def path_zscore(steps: Array, window: int) -> Array:
    """Z-score of the last of the window's running totals among them; NaN where they are all alike."""
    rows = windows_of(steps, window)
    path = np.where(np.isnan(rows), NAN, np.nancumsum(rows, axis=2))
    n = np.maximum(count(steps, window), 1)
    middle = np.nansum(path, axis=2) / n
    spread = np.sqrt(np.nansum((path - middle[:, :, None]) ** 2, axis=2) / n)
    spread = np.where(spread <= 1e-5 * np.abs(middle) + 1e-10, 0.0, spread)
    return known(steps, window, ratio(np.nansum(rows, axis=2) - middle, spread))


def highest(x: Array, window: int) -> Array:
    return known(x, window, np.fmax.reduce(windows_of(x, window), axis=2))


def lowest(x: Array, window: int) -> Array:
    return known(x, window, np.fmin.reduce(windows_of(x, window), axis=2))


def bars_since_highest(x: Array, window: int) -> Array:
    """The latest of several."""
    newest_first = windows_of(x, window)[:, :, ::-1]
    return known(x, window, np.argmax(np.where(np.isnan(newest_first), -np.inf, newest_first), axis=2).astype(float))


def rank(x: Array, window: int) -> Array:
    """Share of the window's other present values below the last one, equal ones half."""
    others, own = windows_of(x, window)[:, :, :-1], x[:, :, None]
    below = (others < own).sum(axis=2) + 0.5 * (others == own).sum(axis=2)
    share = ratio(below.astype(float), (~np.isnan(others)).sum(axis=2).astype(float))
    return known(x, window, np.where(np.isnan(x), NAN, share))


def co_moments(x: Array, y: Array, window: int) -> tuple[Array, Array, Array]:
    """Population covariance and both variances over the bars with both; a variance that is rounding is 0."""
    both = np.where(np.isnan(x) | np.isnan(y), NAN, 1.0)
    n, own, other = count(both, window), deviations(x * both, window), deviations(y * both, window)
    sums = [np.nansum(one * two, axis=2) / np.maximum(n, 1) for one, two in ((own, other), (own, own), (other, other))]
    covariance, x_variance, y_variance = (known(both, window, each) for each in sums)
    x_variance = np.where(x_variance <= 1e-20 * mean(x * both, window) ** 2, 0.0, x_variance)
    y_variance = np.where(y_variance <= 1e-20 * mean(y * both, window) ** 2, 0.0, y_variance)
    return np.where((x_variance == 0) | (y_variance == 0), 0.0 * covariance, covariance), x_variance, y_variance


def correlation(x: Array, y: Array, window: int) -> Array:
    covariance, x_variance, y_variance = co_moments(x, y, window)
    return ratio(covariance, np.sqrt(x_variance * y_variance))


def slope(y: Array, x: Array, window: int) -> Array:
    """Of the least-squares line of y on x."""
    covariance, x_variance, _ = co_moments(x, y, window)
    return ratio(covariance, x_variance)


def fading_mean(x: Array, weight: float) -> Array:
    """Exponential average with `weight` on the last bar, without an end; bars keep their place when others are missing.

    NaN where less than nine tenths of the weight is present.
    """
    average = pd.DataFrame(x.T).ewm(alpha=weight, adjust=True, ignore_na=False).mean().to_numpy().T
    present = np.concatenate([np.zeros((len(x), 1)), ~np.isnan(x)], axis=1)  # nothing was, before the first bar
    share = pd.DataFrame(present.T).ewm(alpha=weight, adjust=False).mean().to_numpy()[1:].T
    return np.where(share >= 0.9, average, NAN)


def ema(x: Array, period: int) -> Array:
    return fading_mean(x, 2 / (period + 1))


def wilder(x: Array, period: int) -> Array:
    return fading_mean(x, 1 / period)


def log_return(close: Array, n_bars: int = 1) -> Array:
    """Needs both of its bars."""
    return np.log(ratio(close, lag(close, n_bars)))


def typical_price(market: Market) -> Array:
    return (market.high + market.low + market.close) / 3


def true_range(market: Market) -> Array:
    """The largest of three, as Wilder has it; NaN without the bar before."""
    before = lag(market.close, 1)
    spans = [market.high - market.low, np.abs(market.high - before), np.abs(market.low - before)]
    return np.where(np.isnan(before), NAN, np.max(spans, axis=0))


def place(x: Array, low: Array, high: Array) -> Array:
    """Share of the way from low to high."""
    return ratio(x - low, high - low)


def share_of(part: Array, whole: Array) -> Array:
    """0 of a whole of 0."""
    return np.where(whole == 0, 0.0 * part, ratio(part, whole))
