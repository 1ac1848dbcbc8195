"""Statistics of short windows that no block scheme gives: each window is read again, oldest bar first.

State: whether the series has begun, then the last `window` values, oldest first.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from candlelock.features.kernels.compiled import compiled
from candlelock.features.kernels.windows import FLAT

if TYPE_CHECKING:
    from candlelock.features.market import Array


EDGE = 1e-7  # of a bin: a price on an edge belongs above it, however it rounds


@compiled
def _begin(state: Array) -> None:
    """Before a series' first bar everything is missing."""
    if state[0] == 0.0:
        state[:] = np.nan
        state[0] = 1.0


@compiled
def _push(ring: Array, value: float) -> None:
    last = ring.shape[0] - 1
    for j in range(last):
        ring[j] = ring[j + 1]
    ring[last] = value


@compiled
def mean_deviation(x: Array, out: Array, window: int, enough: int, state: Array) -> None:
    """Mean absolute deviation from the window's mean; exactly 0 over a flat window. State: 1 + window."""
    _begin(state)
    ring = state[1:]
    for i in range(x.shape[0]):
        _push(ring, x[i])
        total, count = 0.0, 0
        for j in range(window):
            if ring[j] == ring[j]:
                total += ring[j]
                count += 1
        if count < enough:
            out[i] = np.nan
            continue
        middle, spread = total / count, 0.0
        for j in range(window):
            if ring[j] == ring[j]:
                spread += abs(ring[j] - middle)
        out[i] = spread / count if spread > FLAT * abs(total) else 0.0


@compiled
def rank(x: Array, out: Array, window: int, enough: int, state: Array) -> None:
    """Share of the window's other present values below the last one, ties counted half. State: 1 + window."""
    _begin(state)
    ring = state[1:]
    for i in range(x.shape[0]):
        _push(ring, x[i])
        below, ties, count = 0, 0, 0
        for j in range(window - 1):
            below += ring[j] < x[i]
            ties += ring[j] == x[i]
            count += ring[j] == ring[j]
        is_known = x[i] == x[i] and count + 1 >= enough and count > 0
        out[i] = (below + 0.5 * ties) / count if is_known else np.nan


@compiled
def volume_profile(
    price: Array, volume: Array, above: Array, distance: Array,
    window: int, enough: int, bins: int, state: Array,
) -> None:  # fmt: skip
    """Volume by price over the window, each bar's volume at its price; the last price is the window's newest.

    `above`: share of the volume traded above the last price. `distance`: log of the last price over the middle of the
    price bin with the most volume (the point of control; the lowest of several), of `bins` bins between the window's
    lowest and highest price. NaN without volume or with a single price. State: 1 + 2 * window.
    """
    _begin(state)
    prices, volumes = state[1 : 1 + window], state[1 + window :]
    histogram = np.empty(bins)
    for i in range(price.shape[0]):
        is_known = price[i] == price[i] and volume[i] == volume[i]
        _push(prices, price[i] if is_known else np.nan)
        _push(volumes, volume[i] if is_known else np.nan)
        low, high, total, over, count = np.inf, -np.inf, 0.0, 0.0, 0
        for j in range(window):
            if prices[j] == prices[j]:
                low, high = min(low, prices[j]), max(high, prices[j])
                total += volumes[j]
                over += volumes[j] if prices[j] > price[i] * (1.0 + FLAT) else 0.0
                count += 1
        if not is_known or count < enough or total <= 0.0 or high - low <= FLAT * high:
            above[i], distance[i] = np.nan, np.nan
            continue
        above[i] = over / total
        histogram[:] = 0.0
        scale = bins / (high - low)
        for j in range(window):
            if prices[j] == prices[j]:
                histogram[min(int((prices[j] - low) * scale + EDGE), bins - 1)] += volumes[j]
        control = low + (np.argmax(histogram) + 0.5) / scale
        distance[i] = math.log(price[i] / control)
