"""Operators over the symbols at one bar. Symbols are taken in their order, so the bits do not depend on the chunk.

`x` and `out` have the shape (n_symbols, n_bars). A symbol without the bar is left out, and gets NaN where the operator
is about itself; fewer than two symbols give NaN.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts.compiled import compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    from candlelock.features.market import Array

MEAN, OTHERS_MEAN, DEVIATION, RANK, VENUES_MEAN = range(5)


@compiled
def across(code: int, x: Array, peers: npt.NDArray[np.int64], out: Array) -> None:
    """One statistic of every bar. `peers`: the group of each symbol, for VENUES_MEAN, which takes no others."""
    n_symbols, n = x.shape
    for i in range(n):
        for s in range(n_symbols):
            out[s, i] = np.nan
        total, count = 0.0, 0
        for s in range(n_symbols):
            if x[s, i] == x[s, i]:
                total += x[s, i]
                count += 1
        if count < 2:
            continue
        for s in range(n_symbols):
            if code == MEAN:
                out[s, i] = total / count
            elif x[s, i] != x[s, i]:
                continue
            elif code == DEVIATION:
                out[s, i] = _deviation(x[:, i], total / count, count)
            elif code == RANK:
                out[s, i] = _rank(x[:, i], s, count)
            else:
                out[s, i] = _others(x[:, i], s, peers, code == VENUES_MEAN)


@compiled
def _others(x: Array, own: int, peers: npt.NDArray[np.int64], same_group: bool) -> float:
    total, count = 0.0, 0
    for s in range(x.shape[0]):
        if s != own and x[s] == x[s] and (not same_group or peers[s] == peers[own]):
            total += x[s]
            count += 1
    return total / count if count else np.nan


@compiled
def _deviation(x: Array, mean: float, count: int) -> float:
    total = 0.0
    for s in range(x.shape[0]):
        if x[s] == x[s]:
            total += (x[s] - mean) * (x[s] - mean)
    return math.sqrt(total / count)


@compiled
def _rank(x: Array, own: int, count: int) -> float:
    below = 0.0
    for s in range(x.shape[0]):
        if s != own:
            below += 1.0 if x[s] < x[own] else (0.5 if x[s] == x[own] else 0.0)
    return below / (count - 1)
