"""What the operators mean, bar by bar: every window is looked at anew, by NumPy, SciPy and exact sums.

Arrays are float64 of shape (n_bars,); bars before the first are missing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import talib
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.features.market import Array

NAN = float("nan")
FLAT = 1e-12


def in_units(price: Array) -> Array:
    """Prices, and thirds of them, as whole numbers of thirds of a billionth, so that equal ones are equal."""
    return np.rint(price * 3e9).astype(np.int64)


def is_enough(n_present: int, window: int) -> bool:
    """Nine tenths of the window."""
    return 10 * n_present >= 9 * window


def last_bars(x: Array, bar: int, window: int) -> Array:
    """The last `window` bars, the oldest first; shorter at the beginning."""
    return x[max(bar - window + 1, 0) : bar + 1]


def over_windows(x: Array, window: int, statistic: Callable[[Array], float]) -> Array:
    """The statistic of the present values of each window, NaN where too few are present."""
    out = np.full(len(x), NAN)
    for bar in range(len(x)):
        present = last_bars(x, bar, window)
        present = present[~np.isnan(present)]
        if is_enough(len(present), window):
            out[bar] = statistic(present)
    return out


def over_pairs(x: Array, y: Array, window: int, statistic: Callable[[Array, Array], float]) -> Array:
    """The statistic of the bars of each window on which both are present."""
    both = np.where(np.isnan(x) | np.isnan(y), NAN, 1.0)
    out = np.full(len(x), NAN)
    for bar in range(len(x)):
        own, other = last_bars(x * both, bar, window), last_bars(y * both, bar, window)
        present = ~np.isnan(own)
        if is_enough(int(present.sum()), window):
            out[bar] = statistic(own[present], other[present])
    return out


def exact_sum(values: Array) -> float:
    """Rounded once."""
    return math.fsum(values)


def exact_mean(values: Array) -> float:
    return math.fsum(values) / len(values)


def std(values: Array) -> float:
    """Population standard deviation by two passes; a spread that is rounding is none."""
    middle = exact_mean(values)
    found = math.sqrt(math.fsum((values - middle) ** 2) / len(values))
    return found if found > FLAT * abs(middle) and values.min() < values.max() else 0.0


def skew(values: Array) -> float:
    return float(stats.skew(values)) if is_spread(values) else NAN


def kurtosis(values: Array) -> float:
    return float(stats.kurtosis(values)) if is_spread(values) else NAN


def is_spread(values: Array) -> bool:
    """More than a thousandth of the mean: what the power sums are made for."""
    return bool(values.std() > 1e-3 * abs(values.mean()))


def covariance(x: Array, y: Array) -> float:
    """Population covariance; exactly 0 where either is flat."""
    if x.min() == x.max() or y.min() == y.max():
        return 0.0
    return math.fsum((x - exact_mean(x)) * (y - exact_mean(y))) / len(x)


def correlation(x: Array, y: Array) -> float:
    """Pearson's; NaN where either is flat."""
    if x.min() == x.max() or y.min() == y.max():
        return NAN
    return covariance(x, y) / math.sqrt(covariance(x, x) * covariance(y, y))


def slope(y: Array, x: Array) -> float:
    """Of the least-squares line of y on x; NaN where x is flat."""
    return covariance(x, y) / covariance(x, x) if x.min() < x.max() else NAN


def mean_deviation(values: Array) -> float:
    middle = exact_mean(values)
    found = math.fsum(np.abs(values - middle)) / len(values)
    return found if found > FLAT * abs(middle) else 0.0


def path_zscore(steps: Array, window: int) -> Array:
    """Z-score of the last of the window's running totals among them; NaN where they are all alike."""

    def statistic(present: Array) -> float:
        path = np.cumsum(present)
        spread = std(path)
        return (path[-1] - exact_mean(path)) / spread if spread > 1e-5 * abs(exact_mean(path)) + 1e-10 else NAN

    return over_windows(steps, window, statistic)


def bars_since(x: Array, window: int, is_extreme: Callable[[Array], float]) -> Array:
    """Age of the latest of the window's extremes."""
    out = np.full(len(x), NAN)
    for bar in range(len(x)):
        recent = last_bars(x, bar, window)
        present = recent[~np.isnan(recent)]
        if is_enough(len(present), window):
            out[bar] = len(recent) - 1 - np.flatnonzero(recent == is_extreme(present))[-1]
    return out


def rank(x: Array, window: int) -> Array:
    """Share of the window's other present values that are smaller, equal ones half."""
    out = np.full(len(x), NAN)
    for bar in range(len(x)):
        others = last_bars(x, bar, window)[:-1]
        others = others[~np.isnan(others)]
        if not np.isnan(x[bar]) and is_enough(len(others) + 1, window) and len(others):
            out[bar] = ((others < x[bar]).sum() + 0.5 * (others == x[bar]).sum()) / len(others)
    return out


def decay(x: Array, q: float, window: int) -> tuple[Array, Array]:
    """Mean by weight q**age and weighted sum over the window; NaN without nine tenths of the weight."""
    mean, total = np.full(len(x), NAN), np.full(len(x), NAN)
    for bar in range(len(x)):
        recent = last_bars(x, bar, window)
        weights = q ** np.arange(len(recent) - 1, -1, -1.0)
        present = ~np.isnan(recent)
        weight = math.fsum(weights[present])
        if weight >= 0.9 * (1 - q**window) / (1 - q):
            total[bar] = math.fsum(weights[present] * recent[present])
            mean[bar] = total[bar] / weight
    return mean, total


def run_length(x: Array, window: int) -> Array:
    """Looks back from each bar for as long as the sign is the same."""
    out = np.full(len(x), NAN)
    for bar in range(len(x)):
        length = 0
        while length < window and bar >= length and np.sign(x[bar - length]) == np.sign(x[bar]) != 0:
            length += 1
        out[bar] = NAN if np.isnan(x[bar]) else length * np.sign(x[bar])
    return out


def profile(price: Array, volume: Array, window: int, bins: int) -> tuple[Array, Array]:
    """Share of volume above the last price, and log distance from the middle of the bin with the most volume.

    Which price is above which, and in which bin it lies, is told in whole units, without rounding.
    """
    above, distance = np.full(len(price), NAN), np.full(len(price), NAN)
    for bar in range(len(price)):
        prices, volumes = last_bars(price, bar, window), last_bars(volume, bar, window)
        present = ~(np.isnan(prices) | np.isnan(volumes))
        prices, volumes = prices[present], volumes[present]
        if not present[-1] or not is_enough(len(prices), window):
            continue
        units = in_units(prices)
        low, reach = int(units.min()), int(units.max() - units.min())
        if volumes.sum() <= 0 or reach == 0:
            continue
        above[bar] = math.fsum(volumes[units > units[-1]]) / math.fsum(volumes)
        filled = [0.0] * bins
        for unit, traded in zip(units.tolist(), volumes.tolist(), strict=True):
            filled[min((unit - low) * bins // reach, bins - 1)] += traded
        edges = np.linspace(prices.min(), prices.max(), bins + 1)
        fullest = filled.index(max(filled))
        distance[bar] = math.log(price[bar] / ((edges[fullest] + edges[fullest + 1]) / 2))
    return above, distance


def same_time_mean(x: Array, n_days: int, day_bars: int) -> Array:
    """Mean of the values exactly 1 to `n_days` days before."""
    out = np.full(len(x), NAN)
    for bar in range(len(x)):
        before = [x[bar - day * day_bars] for day in range(1, n_days + 1) if bar >= day * day_bars]
        present = [value for value in before if not math.isnan(value)]
        if is_enough(len(present), n_days):
            out[bar] = math.fsum(present) / len(present)
    return out


def parabolic_sar(high: Array, low: Array, window: int, first: int) -> Array:
    """TA-Lib's SAR of the present bars, begun with the block of `window` bars before the block of the bar.

    NaN unless nine tenths of the bars since then are present.
    """
    out = np.full(len(high), NAN)
    for bar in range(len(high)):
        begin = ((first + bar) // window - 1) * window - first
        top, bottom = high[max(begin, 0) : bar + 1], low[max(begin, 0) : bar + 1]
        present = ~(np.isnan(top) | np.isnan(bottom))
        if present[-1] and is_enough(int(present.sum()), bar - begin + 1):
            out[bar] = talib.SAR(top[present], bottom[present])[-1]
    return out


def higher(fields: dict[str, Array], n_bars: int, first: int) -> dict[str, Array]:
    """For every bar: open, high, low, close and volume of the last higher bar that has closed by then."""
    n = len(fields["close"])
    out = {name: np.full(n, NAN) for name in fields}
    for bar in range(n):
        end = (first + bar + 1) // n_bars * n_bars - first  # one past the last closed higher bar
        inside = [i for i in range(max(end - n_bars, 0), max(end, 0)) if not np.isnan(fields["close"][i])]
        if inside and is_enough(len(inside), n_bars):
            out["open"][bar] = fields["open"][inside[0]]
            out["high"][bar] = fields["high"][inside].max()
            out["low"][bar] = fields["low"][inside].min()
            out["close"][bar] = fields["close"][inside[-1]]
            out["volume"][bar] = math.fsum(fields["volume"][inside])
    return out


def across(x: Array, statistic: Callable[[float, Array], float], peers: list[int] | None = None) -> Array:
    """At each bar, for each symbol with a value: the statistic of it and the others' present values.

    `x`: (n_symbols, n_bars). `peers`: others are those of the same number alone.
    """
    out = np.full(x.shape, NAN)
    for row, bar in np.ndindex(x.shape):
        others = [
            x[other, bar]
            for other in range(len(x))
            if other != row and not np.isnan(x[other, bar]) and (peers is None or peers[other] == peers[row])
        ]
        if others and not np.isnan(x[row, bar]):
            out[row, bar] = statistic(x[row, bar], np.array(others))
    return out
