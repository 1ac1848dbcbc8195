"""Statistics of short windows that no block scheme gives: each window is read again, oldest bar first.

State: whether the series has begun, then the last values, oldest first, and room for the next TILE, whose leftovers
mean nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts.compiled import compiled
from candlelock.features.kernels.windows import FLAT, TILE

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
def _append(history: Array, earlier: int, x: Array, begin: int) -> int:
    """Put the next bars of x behind the `earlier` ones; returns how many."""
    n: int = min(TILE, x.shape[0] - begin)
    for i in range(n):
        history[earlier + i] = x[begin + i]
    return n


@compiled
def _move_on(history: Array, earlier: int, n: int) -> None:
    """Keep the last `earlier` bars."""
    for j in range(earlier):
        history[j] = history[j + n]


@compiled
def mean_deviation(x: Array, out: Array, window: int, enough: int, state: Array, tile: Array) -> None:
    """Mean absolute deviation from the window's mean; exactly 0 over a flat window. State: window + TILE."""
    _begin(state)
    history, earlier = state[1:], window - 1
    for begin in range(0, x.shape[0], TILE):
        n = _append(history, earlier, x, begin)
        for i in range(n):
            tile[0, i], tile[1, i], tile[2, i] = 0.0, 0.0, 0.0
        for j in range(window):
            for i in range(n):
                value = history[i + j]
                tile[0, i] += value if value == value else 0.0
                tile[1, i] += 1.0 if value == value else 0.0
        for j in range(window):
            for i in range(n):
                value = history[i + j]
                gap = abs(value - tile[0, i] / tile[1, i])
                tile[2, i] += gap if value == value else 0.0
        for i in range(n):
            spread = tile[2, i] if tile[2, i] > FLAT * abs(tile[0, i]) else 0.0
            out[begin + i] = spread / tile[1, i] if tile[1, i] >= enough else np.nan
        _move_on(history, earlier, n)


@compiled
def rank(x: Array, out: Array, window: int, enough: int, state: Array, tile: Array) -> None:
    """Share of the window's other present values below the last one, ties counted half. State: window + TILE."""
    _begin(state)
    history, earlier = state[1:], window - 1
    for begin in range(0, x.shape[0], TILE):
        n = _append(history, earlier, x, begin)
        for i in range(n):
            tile[0, i], tile[1, i], tile[2, i] = 0.0, 0.0, history[earlier + i]
        for j in range(earlier):
            for i in range(n):
                value, last = history[i + j], tile[2, i]
                tile[0, i] += (0.5 if value < last else 0.0) + (0.5 if value <= last else 0.0)
                tile[1, i] += 1.0 if value == value else 0.0
        for i in range(n):
            count, last = tile[1, i], tile[2, i]
            is_known = last == last and count + 1.0 >= enough and count > 0.0
            out[begin + i] = tile[0, i] / count if is_known else np.nan
        _move_on(history, earlier, n)


@compiled
def volume_profile(
    price: Array, volume: Array, above: Array, distance: Array,
    window: int, enough: int, bins: int, state: Array, tile: Array,
) -> None:  # fmt: skip
    """Volume by price over the window, each bar's volume at its price; the last price is the window's newest.

    `above`: share of the volume traded above the last price. `distance`: log of the last price over the middle of the
    price bin with the most volume (the point of control; the lowest of several), of `bins` bins between the window's
    lowest and highest price. NaN without volume or with a single price. State: 2 * (window + TILE) - 1, and the bins.
    """
    earlier, size = window - 1, window - 1 + TILE
    _begin(state[: 1 + size])  # the prices; volumes of zero add nothing
    prices, volumes, histogram = state[1 : 1 + size], state[1 + size : 1 + 2 * size], state[1 + 2 * size :]
    for begin in range(0, price.shape[0], TILE):
        n = _append(prices, earlier, price, begin)
        _append(volumes, earlier, volume, begin)
        for i in range(earlier, earlier + n):
            is_known = prices[i] == prices[i] and volumes[i] == volumes[i]
            prices[i], volumes[i] = (prices[i], volumes[i]) if is_known else (np.nan, 0.0)
        _measure_profile(prices, volumes, window, n, tile)
        for i in range(n):
            low, high, total = tile[0, i], tile[1, i], tile[2, i]
            is_known = prices[earlier + i] == prices[earlier + i] and tile[4, i] >= enough
            above[begin + i], distance[begin + i] = np.nan, np.nan
            if is_known and total > 0.0 and high - low > FLAT * high:
                above[begin + i] = tile[3, i] / total
                control = _control(prices[i : i + window], volumes[i : i + window], low, bins / (high - low), histogram)
                distance[begin + i] = math.log(prices[earlier + i] / control)
        _move_on(prices, earlier, n)
        _move_on(volumes, earlier, n)


@compiled
def _measure_profile(prices: Array, volumes: Array, window: int, n: int, tile: Array) -> None:
    """Lowest and highest price, volume, volume above the last price, and number of bars, of n windows."""
    for i in range(n):
        tile[0, i], tile[1, i] = np.inf, -np.inf
        tile[2, i], tile[3, i], tile[4, i] = 0.0, 0.0, 0.0
        tile[5, i] = prices[window - 1 + i] * (1.0 + FLAT)
    for j in range(window):
        for i in range(n):
            price, volume = prices[i + j], volumes[i + j]
            tile[0, i] = price if price < tile[0, i] else tile[0, i]
            tile[1, i] = price if price > tile[1, i] else tile[1, i]
            tile[2, i] += volume
            tile[3, i] += volume if price > tile[5, i] else 0.0
            tile[4, i] += 1.0 if price == price else 0.0


@compiled
def _control(prices: Array, volumes: Array, low: float, scale: float, histogram: Array) -> float:
    """Middle of the bin with the most volume."""
    last = histogram.shape[0] - 1
    for k in range(last + 1):
        histogram[k] = 0.0
    for j in range(prices.shape[0]):
        if prices[j] == prices[j]:
            histogram[min(int((prices[j] - low) * scale + EDGE), last)] += volumes[j]
    return low + (np.argmax(histogram) + 0.5) / scale
