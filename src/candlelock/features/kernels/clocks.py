"""Operators that change the clock: higher bars, what is held until the next one closes, the same time of other days."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts.compiled import compiled

if TYPE_CHECKING:
    from candlelock.features.market import Array

HIGHER_STATE = 6
NEARLY_A_BAR = 1e-9  # what rounding may add to whole bars


@compiled
def higher_bars(
    open: Array, high: Array, low: Array, close: Array, volume: Array,
    out: Array, n_bars: int, enough: int, first: int, state: Array,
) -> None:  # fmt: skip
    """Bars of `n_bars` bars each, cut at multiples counted from 1970, written when their last bar has closed.

    `out`: 2-D, rows open, high, low, close, volume; a column for each higher bar that ends in this chunk. NaN where
    fewer than `enough` bars are present. State: count, open, high, low, close, volume of the unfinished bar.
    """
    done = 0
    for i in range(close.shape[0]):
        if close[i] == close[i]:
            if state[0] == 0.0:
                state[1], state[2], state[3], state[5] = open[i], high[i], low[i], 0.0
            state[0] += 1.0
            state[2], state[3] = max(state[2], high[i]), min(state[3], low[i])
            state[4] = close[i]
            state[5] += volume[i]
        if (first + i + 1) % n_bars == 0:
            for row in range(5):
                out[row, done] = state[row + 1] if state[0] >= enough else np.nan
            state[0] = 0.0
            done += 1


@compiled
def hold(x: Array, out: Array, n_bars: int, first: int, state: Array) -> None:
    """The value of the last higher bar that has closed; `x` has one for each that ends in this chunk.

    State: whether one has closed, and its value.
    """
    done = 0
    for i in range(out.shape[0]):
        if (first + i + 1) % n_bars == 0:
            state[0], state[1] = 1.0, x[done]
            done += 1
        out[i] = state[1] if state[0] == 1.0 else np.nan


@compiled
def same_time_mean(
    x: Array, out: Array, n_days: int, size: int, enough: int, day: float, first: int, state: Array
) -> None:
    """Mean of the values 1 to `n_days` days of `day` bars earlier, rounded up to whole bars, the last day first.

    State: a ring of the `size` bars of all days, and whether each is known yet (2 * size).
    """
    ring, is_filled = state[:size], state[size:]
    at = first % size
    for i in range(x.shape[0]):
        total, count = 0.0, 0
        for back in range(1, n_days + 1):
            j = at - math.ceil(back * day - NEARLY_A_BAR)
            j = j + size if j < 0 else j
            if is_filled[j] and ring[j] == ring[j]:
                total += ring[j]
                count += 1
        out[i] = total / count if count >= enough else np.nan
        ring[at], is_filled[at] = x[i], 1.0
        at = at + 1 if at + 1 < size else 0
