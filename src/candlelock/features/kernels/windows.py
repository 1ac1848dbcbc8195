"""Trailing windows at a constant cost a bar, whose bits depend on the window's values and absolute times alone.

Time is cut into blocks as long as the window, counted from 1970 (van Herk 1992; Gil and Werman 1993). A window is then
the end of the last block and the beginning of this one: the end is accumulated backwards when the block closes, the
beginning forwards, and each window joins one of either. Nothing is ever subtracted again, so nothing drifts, and
a series that starts later, is cut or comes bar by bar gives the same bits.

Each kernel takes `first`, the absolute number of the chunk's first bar, and a `state` that is carried to the next
chunk; a state of zeros is a series that has not begun. A missing bar (NaN) counts as absent: the value is NaN where
fewer than `enough` of the window's bars are present.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from candlelock.features.kernels.compiled import compiled

if TYPE_CHECKING:
    from candlelock.features.market import Array

    Part = tuple[float, float, float, float]

FLAT = 1e-12  # a spread below this share of the mean is rounding, not movement


@compiled
def lag(x: Array, out: Array, window: int, first: int, state: Array) -> None:
    """The value `window` bars earlier. State: a ring of values, and whether each is known yet (2 * window)."""
    at = first % window
    for i in range(x.shape[0]):
        out[i] = state[at] if state[window + at] else np.nan
        state[at], state[window + at] = x[i], 1.0
        at = at + 1 if at + 1 < window else 0


@compiled
def window_sum(x: Array, total: Array, count: Array, window: int, enough: int, first: int, state: Array) -> None:
    """Sum of the present values, and how many. State: prefix (2), suffix sums and counts (2 * (window + 1))."""
    sums, counts = state[2 : window + 3], state[window + 3 :]
    s, c = state[0], state[1]
    at = first % window
    for i in range(x.shape[0]):
        is_known = x[i] == x[i]
        value, one = (x[i], 1.0) if is_known else (0.0, 0.0)
        s += value
        c += one
        n = counts[at + 1] + c
        count[i] = n
        total[i] = sums[at + 1] + s if n >= enough else np.nan
        sums[at], counts[at] = value, one
        at += 1
        if at == window:
            for j in range(window - 2, -1, -1):
                sums[j] += sums[j + 1]
                counts[j] += counts[j + 1]
            at, s, c = 0, 0.0, 0.0
    state[0], state[1] = s, c


@compiled
def window_max(x: Array, out: Array, age: Array, window: int, enough: int, first: int, state: Array) -> None:
    """Largest present value, and its age in bars, the latest of several. State: 3, suffixes (3 * (window + 1))."""
    w = window + 1
    tops, bars, counts = state[3 : 3 + w], state[3 + w : 3 + 2 * w], state[3 + 2 * w :]
    top, bar, c = state[0], state[1], state[2]
    at = first % window
    for i in range(x.shape[0]):
        is_known = x[i] == x[i]
        if is_known and (c == 0.0 or x[i] >= top):
            top, bar = x[i], float(at)
        one = 1.0 if is_known else 0.0
        c += one
        earlier = counts[at + 1]
        use_earlier = earlier > 0.0 and (c == 0.0 or tops[at + 1] > top)
        is_enough = earlier + c >= enough
        out[i] = (tops[at + 1] if use_earlier else top) if is_enough else np.nan
        age[i] = (at + window - bars[at + 1] if use_earlier else at - bar) if is_enough else np.nan
        tops[at], bars[at], counts[at] = x[i] if is_known else 0.0, float(at), one
        at += 1
        if at == window:
            _accumulate_max(tops, bars, counts, window)
            at, top, bar, c = 0, 0.0, 0.0, 0.0
    state[0], state[1], state[2] = top, bar, c


@compiled
def _accumulate_max(tops: Array, bars: Array, counts: Array, window: int) -> None:
    for j in range(window - 2, -1, -1):
        if counts[j] == 0.0 or (counts[j + 1] > 0.0 and tops[j + 1] >= tops[j]):
            tops[j], bars[j] = tops[j + 1], bars[j + 1]
        counts[j] += counts[j + 1]


@compiled
def window_moments(x: Array, mean: Array, std: Array, window: int, enough: int, first: int, state: Array) -> None:
    """Mean and population standard deviation; exactly 0 over a flat window.

    Each part sums deviations from a value of its own that lies in the window, so that no precision is lost to the
    level; the two are joined as Chan, Golub and LeVeque (1983) do. State: 5, suffix counts, sums, squares.
    """
    w = window + 1
    counts, sums, squares = state[5 : 5 + w], state[5 + w : 5 + 2 * w], state[5 + 2 * w :]
    c, s, q, origin, last = state[0], state[1], state[2], state[3], state[4]
    at = first % window
    for i in range(x.shape[0]):
        is_known = x[i] == x[i]
        if is_known and c == 0.0:
            origin = x[i]
        d = x[i] - origin if is_known else 0.0
        s += d
        q += d * d
        c += 1.0 if is_known else 0.0
        if counts[at + 1] + c >= enough:
            early = (counts[at + 1], sums[at + 1], squares[at + 1], last)
            mean[i], std[i] = _join_moments(early, (c, s, q, origin))
        else:
            mean[i], std[i] = np.nan, np.nan
        counts[at], sums[at] = 1.0 if is_known else 0.0, x[i]
        at += 1
        if at == window:
            last = _accumulate_moments(counts, sums, squares, window)
            at, c, s, q = 0, 0.0, 0.0, 0.0
    state[0], state[1], state[2], state[3], state[4] = c, s, q, origin, last


@compiled
def _join_moments(early: Part, late: Part) -> tuple[float, float]:
    """Mean and deviation of two parts, each a count, sum and squares about its origin."""
    a, e, p, last = early
    c, s, q, origin = late
    n = a + c
    before = e / a if a > 0.0 else 0.0
    after = s / c if c > 0.0 else 0.0
    spread = (p - e * before if a > 0.0 else 0.0) + (q - s * after if c > 0.0 else 0.0)
    gap = (last - origin) + (before - after)  # of the means; their level cancels before it can cost digits
    mean = origin + after + gap * (a / n) if c > 0.0 else last + before
    deviation = math.sqrt(max(spread + gap * gap * (a * c / n), 0.0) / n)
    return mean, deviation if deviation > FLAT * abs(mean) else 0.0


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
def window_powers(x: Array, skew: Array, kurtosis: Array, window: int, enough: int, first: int, state: Array) -> None:
    """Population skewness and excess kurtosis of values around zero, such as returns; NaN over a window that is flat.

    Power sums about zero are joined, so a mean above a thousand deviations counts as flat too. State: 5, then suffixes
    of counts and powers 1 to 4 (window + 1 rows of 5).
    """
    suffix = state[5:].reshape((window + 1, 5))
    c, s1, s2, s3, s4 = state[:5]
    at = first % window
    for i in range(x.shape[0]):
        is_known = x[i] == x[i]
        v, one = (x[i], 1.0) if is_known else (0.0, 0.0)
        v2 = v * v
        c, s1, s2, s3, s4 = c + one, s1 + v, s2 + v2, s3 + v2 * v, s4 + v2 * v2
        early = suffix[at + 1]
        skew[i], kurtosis[i] = np.nan, np.nan
        if early[0] + c >= enough:
            per_n = 1.0 / (early[0] + c)
            m, m2 = (early[1] + s1) * per_n, (early[2] + s2) * per_n
            m3, m4 = (early[3] + s3) * per_n, (early[4] + s4) * per_n
            variance = m2 - m * m
            if variance > 1e-6 * m * m:
                skew[i] = (m3 - 3.0 * m * m2 + 2.0 * m * m * m) / (variance * math.sqrt(variance))
                fourth = m4 - 4.0 * m * m3 + 6.0 * m * m * m2 - 3.0 * m * m * m * m
                kurtosis[i] = fourth / (variance * variance) - 3.0
        row = suffix[at]
        row[0], row[1], row[2], row[3], row[4] = one, v, v2, v2 * v, v2 * v2
        at += 1
        if at == window:
            for j in range(window - 2, -1, -1):
                for k in range(5):
                    suffix[j, k] += suffix[j + 1, k]
            at, c, s1, s2, s3, s4 = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    state[0], state[1], state[2], state[3], state[4] = c, s1, s2, s3, s4
