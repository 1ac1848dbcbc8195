"""Where a running total stands within its own path over a trailing window. Blocks as in `windows`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts.compiled import compiled
from candlelock.features.kernels.windows import TILE

if TYPE_CHECKING:
    from candlelock.features.market import Array

FLAT = 1e-20


@compiled
def window_path(x: Array, out: Array, window: int, enough: int, first: int, state: Array, tile: Array) -> None:
    """Z-score of the last running total of x among the window's running totals; NaN where the path is flat.

    A part of the path is its count, total, and the sum and squares of its running totals from 0; a later part stands on
    the total of the earlier. State: 4 of this block, then suffixes (window + 1 rows of 4).
    """
    suffix = state[4:].reshape((window + 1, 4))
    c, t, p, q = state[0], state[1], state[2], state[3]
    at = first % window
    for begin in range(0, x.shape[0], TILE):
        n = min(TILE, x.shape[0] - begin)
        for i in range(n):
            is_known = x[begin + i] == x[begin + i]
            if is_known:
                c, t = c + 1.0, t + x[begin + i]
                p, q = p + t, q + t * t
            early = suffix[at + 1]
            for k in range(4):
                tile[k, i] = early[k]
            tile[4, i], tile[5, i] = c, t
            tile[6, i], tile[7, i] = p, q
            suffix[at, 0], suffix[at, 1] = 1.0 if is_known else 0.0, x[begin + i] if is_known else 0.0
            at += 1
            if at == window:
                _accumulate(suffix, window)
                at, c, t, p, q = 0, 0.0, 0.0, 0.0, 0.0
        _join(tile, n, enough)
        for i in range(n):
            out[begin + i] = tile[0, i]
    state[0], state[1], state[2], state[3] = c, t, p, q


@compiled
def _join(tile: Array, n: int, enough: int) -> None:
    """The score, in the first row, of a path of two parts: their counts, totals, sums and squares."""
    for i in range(n):
        count, base = tile[0, i] + tile[4, i], tile[1, i]
        c, t = tile[4, i], tile[5, i]
        p, q = tile[6, i], tile[7, i]
        mean = (tile[2, i] + p + c * base) / count
        squares = (tile[3, i] + q + 2.0 * base * p + c * base * base) / count
        variance = squares - mean * mean
        is_known = count >= enough and variance > FLAT + 1e-10 * mean * mean
        deviation = math.sqrt(variance if variance > 0.0 else 0.0)
        tile[0, i] = (base + t - mean) / deviation if is_known else np.nan


@compiled
def _accumulate(suffix: Array, window: int) -> None:
    """Turn the block's steps in column 1, known where column 0 is 1, into suffix paths: a step goes before the rest."""
    c, t, p, q = 0.0, 0.0, 0.0, 0.0
    for j in range(window - 1, -1, -1):
        row = suffix[j]
        if row[0] == 1.0:
            step = row[1]
            q = q + 2.0 * step * p + (c + 1.0) * step * step
            p = p + (c + 1.0) * step
            c, t = c + 1.0, t + step
        row[0], row[1], row[2], row[3] = c, t, p, q
