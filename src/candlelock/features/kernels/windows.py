"""Trailing windows at a constant cost a bar, whose bits depend on the window's values and absolute times alone.

Time is cut into blocks as long as the window, counted from 1970 (van Herk 1992; Gil and Werman 1993). A window is then
the end of the last block and the beginning of this one: the end is accumulated backwards when the block closes, the
beginning forwards, and each window joins one of either. No value is ever subtracted again, so nothing drifts, and
a series that starts later, is cut or comes bar by bar gives the same bits.

Each kernel takes `first`, the absolute number of the chunk's first bar, and a `state` that is carried to the next
chunk; a state of zeros is a series that has not begun. A missing bar (NaN) counts as absent: the value is NaN where
fewer than `enough` of the window's bars are present. Present values are finite. `tile`: (COLUMNS, TILE), to work on.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts.compiled import compiled

if TYPE_CHECKING:
    from candlelock.features.market import Array

ZERO, ONE = np.uint64(0), np.uint64(1)  # places without a sign: asking whether they are negative costs a tenth
TILE, COLUMNS = 128, 16  # bars whose windows are joined together, and what is noted of each: scratch is (COLUMNS, TILE)
FLAT = 1e-12  # a spread below this share of the mean is rounding, not movement


@compiled
def lag(x: Array, out: Array, window: int, first: int, state: Array) -> None:
    """The value `window` bars earlier. State: a ring of values, and whether each is known yet (2 * window)."""
    n, at = x.shape[0], first % window
    for i in range(min(n, window)):
        out[i] = state[at] if state[window + at] else np.nan
        at = at + 1 if at + 1 < window else 0
    for i in range(window, n):
        out[i] = x[i - window]
    begin = max(n - window, 0)
    at = (first + begin) % window
    for i in range(begin, n):
        state[at], state[window + at] = x[i], 1.0
        at = at + 1 if at + 1 < window else 0


@compiled
def window_sum(x: Array, total: Array, count: Array, window: int, enough: int, first: int, state: Array) -> None:
    """Sum of the present values, and how many.

    State: sum and count of this block, count of the last one; suffix sums (window + 1), prefix counts (window). A count
    is a whole number, so that of the last block's end is its total less a prefix.
    """
    sums, counts = state[3 : window + 4], state[window + 4 :]
    s, c, last = state[0], state[1], state[2]
    at, size = np.uint64(first % window), np.uint64(window)
    for i in range(x.shape[0]):
        is_known = x[i] == x[i]
        value = x[i] if is_known else 0.0
        s += value
        c += 1.0 if is_known else 0.0
        n = last - counts[at] + c
        count[i] = n
        total[i] = sums[at + ONE] + s if n >= enough else np.nan
        sums[at], counts[at] = value, c
        at += ONE
        if at == size:
            s = 0.0
            for j in range(window - 1, -1, -1):
                s += sums[j]
                sums[j] = s
            at, s, c, last = ZERO, 0.0, 0.0, c
    state[0], state[1], state[2] = s, c, last


@compiled
def window_max(x: Array, out: Array, window: int, enough: int, first: int, state: Array) -> None:
    """Largest present value.

    State: maximum and count of this block, count of the last one, whether begun; suffix maxima (window + 1), prefix
    counts (window) as in `window_sum`.
    """
    tops, counts = state[4 : window + 5], state[window + 5 :]
    if state[3] == 0.0:
        state[0], state[3], tops[:] = -np.inf, 1.0, -np.inf
    top, c, last = state[0], state[1], state[2]
    at, size = np.uint64(first % window), np.uint64(window)
    for i in range(x.shape[0]):
        is_known = x[i] == x[i]
        value = x[i] if is_known else -np.inf
        top = value if value >= top else top
        c += 1.0 if is_known else 0.0
        larger = tops[at + ONE] if tops[at + ONE] > top else top
        out[i] = larger if last - counts[at] + c >= enough else np.nan
        tops[at], counts[at] = value, c
        at += ONE
        if at == size:
            top = -np.inf
            for j in range(window - 1, -1, -1):
                top = tops[j] if tops[j] > top else top
                tops[j] = top
            at, top, c, last = ZERO, -np.inf, 0.0, c
    state[0], state[1], state[2] = top, c, last


@compiled
def window_age(x: Array, age: Array, window: int, enough: int, first: int, state: Array) -> None:
    """Bars since the largest present value, the latest of several.

    State: maximum, its bar and count of this block, count of the last one, whether begun; suffix maxima and their bars
    (2 * (window + 1)), prefix counts (window).
    """
    w = window + 1
    tops, bars, counts = state[5 : 5 + w], state[5 + w : 5 + 2 * w], state[5 + 2 * w :]
    if state[4] == 0.0:
        state[0], state[4], tops[:] = -np.inf, 1.0, -np.inf
    top, bar, c, last = state[0], state[1], state[2], state[3]
    at, size = np.uint64(first % window), np.uint64(window)
    for i in range(x.shape[0]):
        is_known = x[i] == x[i]
        value = x[i] if is_known else -np.inf
        is_new = is_known and value >= top
        top, bar = value if is_new else top, float(at) if is_new else bar
        c += 1.0 if is_known else 0.0
        since = at + window - bars[at + ONE] if tops[at + ONE] > top else at - bar
        age[i] = since if last - counts[at] + c >= enough else np.nan
        tops[at], counts[at] = value, c
        at += ONE
        if at == size:
            top, bar = -np.inf, 0.0
            for j in range(window - 1, -1, -1):
                is_new = tops[j] > top
                top, bar = tops[j] if is_new else top, float(j) if is_new else bar
                tops[j], bars[j] = top, bar
            at, top, bar, c, last = ZERO, -np.inf, 0.0, 0.0, c
    state[0], state[1], state[2], state[3] = top, bar, c, last


@compiled
def window_moments(
    x: Array, mean: Array, std: Array, window: int, enough: int, first: int, state: Array, tile: Array
) -> None:
    """Mean and population standard deviation; exactly 0 over a flat window.

    Each part sums deviations from a value of its own that lies in the window, so that no precision is lost to the
    level; the two are joined as Chan, Golub and LeVeque (1983) do. State: count, sum, squares and
    origin of this block, origin of the last one; suffix counts, sums and squares (3 * (window + 1)).
    """
    w = window + 1
    counts, sums, squares = state[5 : 5 + w], state[5 + w : 5 + 2 * w], state[5 + 2 * w :]
    c, s, q, origin, last = state[0], state[1], state[2], state[3], state[4]
    at, size = np.uint64(first % window), np.uint64(window)
    for begin in range(0, x.shape[0], TILE):
        n = min(TILE, x.shape[0] - begin)
        for i in range(n):
            value = x[begin + i]
            is_known = value == value
            if is_known and c == 0.0:
                origin = value
            d = value - origin if is_known else 0.0
            s, q, c = s + d, q + d * d, c + (1.0 if is_known else 0.0)
            tile[0, i], tile[1, i], tile[2, i] = counts[at + ONE], sums[at + ONE], squares[at + ONE]
            tile[3, i], tile[4, i], tile[5, i] = c, s, q
            tile[6, i], tile[7, i] = last, origin
            counts[at], sums[at] = 1.0 if is_known else 0.0, value
            at += ONE
            if at == size:
                last = _accumulate_moments(counts, sums, squares, window)
                at, c, s, q = ZERO, 0.0, 0.0, 0.0
        _join_moments(tile, n, enough)
        for i in range(n):
            mean[begin + i], std[begin + i] = tile[0, i], tile[1, i]
    state[0], state[1], state[2], state[3], state[4] = c, s, q, origin, last


@compiled
def _join_moments(tile: Array, n: int, enough: int) -> None:
    """Mean and deviation, in the first two rows, of two parts: counts, sums and squares, and their origins."""
    for i in range(n):
        a, e, p = tile[0, i], tile[1, i], tile[2, i]
        c, s, q = tile[3, i], tile[4, i], tile[5, i]
        last, origin = tile[6, i], tile[7, i]
        both = a + c
        before = e / a if a > 0.0 else 0.0
        after = s / c if c > 0.0 else 0.0
        spread = (p - e * before if a > 0.0 else 0.0) + (q - s * after if c > 0.0 else 0.0)
        gap = (last - origin) + (before - after)  # of the means; their level cancels before it can cost digits
        mean = origin + after + gap * (a / both) if c > 0.0 else last + before
        squares = spread + gap * gap * (a * c / both)
        deviation = math.sqrt((squares if squares > 0.0 else 0.0) / both)
        deviation = deviation if deviation > FLAT * abs(mean) else 0.0
        tile[0, i] = mean if both >= enough else np.nan
        tile[1, i] = deviation if both >= enough else np.nan


@compiled
def _accumulate_moments(counts: Array, sums: Array, squares: Array, window: int) -> float:
    """Turn the block's values in `sums`, known where `counts` is 1, into suffix moments about the last, returned."""
    last, c, s, q = 0.0, 0.0, 0.0, 0.0
    for j in range(window - 1, -1, -1):
        if counts[j] == 1.0:
            if c == 0.0:
                last = sums[j]
            d = sums[j] - last
            s += d
            q += d * d
            c += 1.0
        counts[j], sums[j], squares[j] = c, s, q
    return last


@compiled
def window_powers(
    x: Array, skew: Array, kurtosis: Array, window: int, enough: int, first: int, state: Array, tile: Array
) -> None:
    """Population skewness and excess kurtosis of values around zero, such as returns; NaN over a window that is flat.

    Power sums about zero are joined, so a mean above a thousand deviations counts as flat too. State: 5, then suffixes
    of counts and powers 1 to 4 (window + 1 rows of 5).
    """
    suffix = state[5:].reshape((window + 1, 5))
    c, s1, s2, s3, s4 = state[:5]
    at = first % window
    for begin in range(0, x.shape[0], TILE):
        n = min(TILE, x.shape[0] - begin)
        for i in range(n):
            is_known = x[begin + i] == x[begin + i]
            v, one = (x[begin + i], 1.0) if is_known else (0.0, 0.0)
            v2 = v * v
            c, s1, s2, s3, s4 = c + one, s1 + v, s2 + v2, s3 + v2 * v, s4 + v2 * v2
            early = suffix[at + 1]
            tile[0, i], tile[1, i], tile[2, i] = early[0] + c, early[1] + s1, early[2] + s2
            tile[3, i], tile[4, i] = early[3] + s3, early[4] + s4
            row = suffix[at]
            row[0], row[1], row[2], row[3], row[4] = one, v, v2, v2 * v, v2 * v2
            at += 1
            if at == window:
                for j in range(window - 2, -1, -1):
                    for k in range(5):
                        suffix[j, k] += suffix[j + 1, k]
                at, c, s1, s2, s3, s4 = 0, 0.0, 0.0, 0.0, 0.0, 0.0
        _shape(tile, n, enough)
        for i in range(n):
            skew[begin + i], kurtosis[begin + i] = tile[0, i], tile[1, i]
    state[0], state[1], state[2], state[3], state[4] = c, s1, s2, s3, s4


@compiled
def _shape(tile: Array, n: int, enough: int) -> None:
    """Skewness and excess kurtosis, in the first two rows, of a count and four power sums."""
    for i in range(n):
        per_n = 1.0 / tile[0, i]
        m, m2 = tile[1, i] * per_n, tile[2, i] * per_n
        m3, m4 = tile[3, i] * per_n, tile[4, i] * per_n
        variance = m2 - m * m
        is_known = tile[0, i] >= enough and variance > 1e-6 * m * m
        third = m3 - 3.0 * m * m2 + 2.0 * m * m * m
        fourth = m4 - 4.0 * m * m3 + 6.0 * m * m * m2 - 3.0 * m * m * m * m
        deviation = math.sqrt(variance if variance > 0.0 else 0.0)
        tile[0, i] = third / (variance * deviation) if is_known else np.nan
        tile[1, i] = fourth / (variance * variance) - 3.0 if is_known else np.nan
