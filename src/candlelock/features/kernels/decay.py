"""Exponential averages with an end: bars older than `window` no longer count, so that the memory is exactly the window.

The weight of a bar falls by `q` with every bar of time, present or not; what is missing has no weight. The window is so
long that what lies beyond it weighs less than 1e-10 of the whole. Blocks as in `windows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.features.kernels.compiled import compiled

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
    for i in range(x.shape[0]):
        is_known = x[i] == x[i]
        value, one = (x[i], 1.0) if is_known else (0.0, 0.0)
        s = q * s + value
        weight = q * weight + one
        numerator = s + powers[at + 1] * sums[at + 1]
        denominator = weight + powers[at + 1] * weights[at + 1]
        is_enough = denominator >= enough
        mean[i] = numerator / denominator if is_enough else np.nan
        total[i] = numerator if is_enough else np.nan
        sums[at], weights[at] = value, one
        at += 1
        if at == window:
            for j in range(window - 1, -1, -1):
                sums[j] = sums[j + 1] + powers[window - 1 - j] * sums[j]
                weights[j] = weights[j + 1] + powers[window - 1 - j] * weights[j]
            at, s, weight = 0, 0.0, 0.0
    state[0], state[1] = s, weight
