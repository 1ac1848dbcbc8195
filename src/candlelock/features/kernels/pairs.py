"""How two series move together over a trailing window. Blocks and joins as in `windows`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts.compiled import compiled
from candlelock.features.kernels.windows import TILE

if TYPE_CHECKING:
    from candlelock.features.market import Array

FLAT = 1e-20  # a variance below this share of the squared mean is rounding


@compiled
def window_pairs(
    x: Array, y: Array, covariance: Array, x_variance: Array, y_variance: Array,
    window: int, enough: int, first: int, state: Array, tile: Array,
) -> None:  # fmt: skip
    """Population covariance and variances over the bars where both are present; a flat series has exactly 0.

    State: count, sums of x, y, xx, yy and xy of this block, its origin and that of the last, then suffixes of the same
    six sums (window + 1 rows of 6).
    """
    suffix = state[10:].reshape((window + 1, 6))
    c, sx, sy, xx, yy, xy, ox, oy, px, py = state[:10]
    at = first % window
    for begin in range(0, x.shape[0], TILE):
        n = min(TILE, x.shape[0] - begin)
        for i in range(n):
            u, v = x[begin + i], y[begin + i]
            is_known = u == u and v == v
            if is_known:
                if c == 0.0:
                    ox, oy = u, v
                dx, dy = u - ox, v - oy
                c, sx, sy = c + 1.0, sx + dx, sy + dy
                xx, yy, xy = xx + dx * dx, yy + dy * dy, xy + dx * dy
            early = suffix[at + 1]
            for k in range(6):
                tile[k, i] = early[k]
            tile[6, i], tile[7, i], tile[8, i] = c, sx, sy
            tile[9, i], tile[10, i], tile[11, i] = xx, yy, xy
            tile[12, i], tile[13, i], tile[14, i], tile[15, i] = px, py, ox, oy
            suffix[at, 0], suffix[at, 1], suffix[at, 2] = 1.0 if is_known else 0.0, u, v
            at += 1
            if at == window:
                px, py = _accumulate(suffix, window)
                at, c, sx, sy, xx, yy, xy = 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        _join(tile, n, enough)
        for i in range(n):
            covariance[begin + i] = tile[0, i]
            x_variance[begin + i], y_variance[begin + i] = tile[1, i], tile[2, i]
    state[0], state[1], state[2], state[3], state[4] = c, sx, sy, xx, yy
    state[5], state[6], state[7], state[8], state[9] = xy, ox, oy, px, py


@compiled
def _accumulate(suffix: Array, window: int) -> tuple[float, float]:
    """Turn the block's pairs, known where column 0 is 1, into suffix sums about the last one, and return that."""
    c, sx, sy, xx, yy, xy, px, py = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(window - 1, -1, -1):
        row = suffix[j]
        if row[0] == 1.0:
            if c == 0.0:
                px, py = row[1], row[2]
            dx, dy = row[1] - px, row[2] - py
            c += 1.0
            sx, sy = sx + dx, sy + dy
            xx, yy, xy = xx + dx * dx, yy + dy * dy, xy + dx * dy
        row[0], row[1], row[2], row[3], row[4], row[5] = c, sx, sy, xx, yy, xy
    return px, py


@compiled
def _join(tile: Array, n: int, enough: int) -> None:
    """Covariance and variances, in the first three rows, of two parts: their six sums each, then their origins."""
    for i in range(n):
        a, c = tile[0, i], tile[6, i]
        per_n = 1.0 / (a + c)
        per_a, per_c = 1.0 / a if a > 0.0 else 0.0, 1.0 / c if c > 0.0 else 0.0
        ax, ay = tile[1, i] * per_a, tile[2, i] * per_a
        cx, cy = tile[7, i] * per_c, tile[8, i] * per_c
        px, py, ox, oy = tile[12, i], tile[13, i], tile[14, i], tile[15, i]
        gap_x, gap_y = (px - ox) + (ax - cx), (py - oy) + (ay - cy)
        share = a * c * per_n
        xx = tile[3, i] - tile[1, i] * ax + (tile[9, i] - tile[7, i] * cx)
        yy = tile[4, i] - tile[2, i] * ay + (tile[10, i] - tile[8, i] * cy)
        xy = tile[5, i] - tile[1, i] * ay + (tile[11, i] - tile[7, i] * cy)
        xx, yy, xy = xx + gap_x * gap_x * share, yy + gap_y * gap_y * share, xy + gap_x * gap_y * share
        var_x, var_y = (0.0 if xx < 0.0 else xx) * per_n, (0.0 if yy < 0.0 else yy) * per_n
        middle_x = (a * (px + ax) + c * (ox + cx)) * per_n
        middle_y = (a * (py + ay) + c * (oy + cy)) * per_n
        var_x = 0.0 if var_x <= FLAT * middle_x * middle_x else var_x
        var_y = 0.0 if var_y <= FLAT * middle_y * middle_y else var_y
        is_flat, is_enough = var_x == 0.0 or var_y == 0.0, a + c >= enough
        tile[0, i] = (0.0 if is_flat else xy * per_n) if is_enough else np.nan
        tile[1, i] = var_x if is_enough else np.nan
        tile[2, i] = var_y if is_enough else np.nan
