"""Exponential averages with an end: bars older than `window` no longer count, so that the memory is exactly the window.

The weight of a bar falls by `q` with every bar of time, present or not; what is missing has no weight. The window is so
long that what lies beyond it weighs less than 1e-10 of the whole. Blocks as in `windows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts.compiled import compiled

if TYPE_CHECKING:
    from candlelock.features.market import Array

PRESENT_FRAC = 0.9  # share of the full weight that has to be present


@compiled
def window_decay(x: Array, mean: Array, total: Array, window: int, q: float, first: int, state: Array) -> None:
    """Sum of q**age * value over the present bars, and the same as a mean by weight; age 0 is the last bar.

    State: prefix sum and weight, whether powers are known, then powers of q, suffix sums, weights (3 * (window + 1)).
    """
    w = window + 1
    powers, sums, weights = state[3 : 3 + w], state[3 + w : 3 + 2 * w], state[3 + 2 * w :]
    if state[2] == 0.0:
        powers[0], state[2] = 1.0, 1.0
        for j in range(1, w):
            powers[j] = powers[j - 1] * q
    enough = PRESENT_FRAC * (1.0 - powers[window]) / (1.0 - q)
    s, weight = state[0], state[1]
    at = first % window
    done = 0
    while done < x.shape[0]:
        n = min(window - at, x.shape[0] - done)
        now, late, late_weight = x[done : done + n], total[done : done + n], mean[done : done + n]
        for i in range(n):
            is_known = now[i] == now[i]
            s = q * s + (now[i] if is_known else 0.0)
            weight = q * weight + (1.0 if is_known else 0.0)
            late[i], late_weight[i] = s, weight
        _join_decay(late, late_weight, sums[at + 1 :], weights[at + 1 :], powers[at + 1 :], enough)
        for i in range(n):
            is_known = now[i] == now[i]
            sums[at + i], weights[at + i] = (now[i], 1.0) if is_known else (0.0, 0.0)
        at, done = at + n, done + n
        if at == window:
            _accumulate_decay(sums, weights, powers, window)
            at, s, weight = 0, 0.0, 0.0
    state[0], state[1] = s, weight


@compiled
def _join_decay(total: Array, mean: Array, sums: Array, weights: Array, powers: Array, enough: float) -> None:
    """Add the earlier block's end, which has aged since, to this block's sum in `total` and its weight in `mean`."""
    for i in range(total.shape[0]):
        numerator = total[i] + powers[i] * sums[i]
        weight = mean[i] + powers[i] * weights[i]
        mean[i] = numerator / weight if weight >= enough else np.nan
        total[i] = numerator if weight >= enough else np.nan


@compiled
def _accumulate_decay(sums: Array, weights: Array, powers: Array, window: int) -> None:
    s, weight = 0.0, 0.0
    for j in range(window - 1, -1, -1):
        s, weight = s + powers[window - 1 - j] * sums[j], weight + powers[window - 1 - j] * weights[j]
        sums[j], weights[j] = s, weight
