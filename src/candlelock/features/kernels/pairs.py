"""How two series move together over a trailing window. Blocks and joins as in `windows`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.features.kernels.compiled import compiled

if TYPE_CHECKING:
    from candlelock.features.market import Array

FLAT = 1e-20  # a variance below this share of the squared mean is rounding


@compiled
def window_pairs(
    x: Array, y: Array, covariance: Array, x_variance: Array, y_variance: Array,
    window: int, enough: int, first: int, state: Array,
) -> None:  # fmt: skip
    """Population covariance and variances over the bars where both are present; a flat series has exactly 0.

    State: count, sums of x, y, xx, yy and xy of this block, its origin and that of the last, then suffixes of the same
    six sums (window + 1 rows of 6).
    """
    suffix = state[10:].reshape((window + 1, 6))
    c, sx, sy, xx, yy, xy, ox, oy, px, py = state[:10]
    at = first % window
    for i in range(x.shape[0]):
        is_known = x[i] == x[i] and y[i] == y[i]
        if is_known:
            if c == 0.0:
                ox, oy = x[i], y[i]
            dx, dy = x[i] - ox, y[i] - oy
            c += 1.0
            sx, sy = sx + dx, sy + dy
            xx, yy, xy = xx + dx * dx, yy + dy * dy, xy + dx * dy
        early = suffix[at + 1]
        a = early[0]
        if a + c >= enough:
            covariance[i], x_variance[i], y_variance[i] = _join(early, px, py, c, sx, sy, xx, yy, xy, ox, oy)
        else:
            covariance[i], x_variance[i], y_variance[i] = np.nan, np.nan, np.nan
        suffix[at, 0], suffix[at, 1], suffix[at, 2] = 1.0 if is_known else 0.0, x[i], y[i]
        at += 1
        if at == window:
            px, py = _accumulate(suffix, window)
            at, c, sx, sy, xx, yy, xy = 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
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
def _join(
    early: Array, px: float, py: float,
    c: float, sx: float, sy: float, xx: float, yy: float, xy: float, ox: float, oy: float,
) -> tuple[float, float, float]:  # fmt: skip
    a = early[0]
    per_n = 1.0 / (a + c)
    per_a, per_c = 1.0 / a if a > 0.0 else 0.0, 1.0 / c if c > 0.0 else 0.0
    ax, ay, cx, cy = early[1] * per_a, early[2] * per_a, sx * per_c, sy * per_c
    gap_x, gap_y = (px - ox) + (ax - cx), (py - oy) + (ay - cy)
    share = a * c * per_n
    var_x = max((early[3] - early[1] * ax) + (xx - sx * cx) + gap_x * gap_x * share, 0.0) * per_n
    var_y = max((early[4] - early[2] * ay) + (yy - sy * cy) + gap_y * gap_y * share, 0.0) * per_n
    both = ((early[5] - early[1] * ay) + (xy - sx * cy) + gap_x * gap_y * share) * per_n
    middle_x = (a * (px + ax) + c * (ox + cx)) * per_n
    middle_y = (a * (py + ay) + c * (oy + cy)) * per_n
    if var_x <= FLAT * middle_x * middle_x:
        var_x, both = 0.0, 0.0
    if var_y <= FLAT * middle_y * middle_y:
        var_y, both = 0.0, 0.0
    return both, var_x, var_y
