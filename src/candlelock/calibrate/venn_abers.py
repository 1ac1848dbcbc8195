"""Inductive Venn-Abers calibration, as knots of a map that is linear between them.

Source: Vovk, Petej and Fedorova 2015, Large-scale probabilistic predictors with and without guarantees of validity.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def fit_steps(p: Array, y: Array) -> tuple[Array, Array, Array]:
    """The distinct scores (n,), in order, and p0 and p1 between them, (n + 1,) each: from below the first to above all.

    `p`: scores (n_rows,), no NaN; `y`: labels 1.0 or 0.0. p0 and p1 are what isotonic regression says of a further row
    with label 0 or 1. At a score itself p0 is that of the interval above it and p1 that of the interval below.
    """
    scores, group = np.unique(p, return_inverse=True)
    n_rows, n_ups = np.bincount(group), np.bincount(group, y)
    p0 = 1.0 - _insert_ups(n_rows[::-1], (n_rows - n_ups)[::-1])[::-1]
    return scores, p0, _insert_ups(n_rows, n_ups)


def fit_knots(p: Array, y: Array) -> tuple[Array, Array]:
    """Knots x and y of p1 / (1 - p0 + p1), the probability with the least regret in log loss; it never falls.

    Linear between them and level beyond. A step is two knots at neighbouring floating-point numbers, or three where
    the value at the score itself is a third one, so that every number gets its exact value. Shapes (n_knots,).
    """
    scores, p0, p1 = fit_steps(p, y)
    between, at = p1 / (1 - p0 + p1), p1[:-1] / (1 - p0[1:] + p1[:-1])
    below, above = np.nextafter(scores, -np.inf), np.nextafter(scores, np.inf)
    x = np.concatenate([below, scores, above])
    values = np.concatenate([between[:-1], at, between[1:]])
    is_free = ~np.isin(x, scores)  # a neighbour that is a score itself has that one's value
    is_free[len(scores) : 2 * len(scores)] = True
    x, first = np.unique(x[is_free], return_index=True)
    values = values[is_free][first]
    is_corner = np.diff(values, prepend=np.nan, append=np.nan) != 0
    kept = is_corner[:-1] | is_corner[1:]
    return x[kept], values[kept]


def _insert_ups(n_rows: npt.NDArray[Any], n_ups: npt.NDArray[Any]) -> Array:
    """Isotonic value of one further row of label 1 before each group of rows, and after the last; (n_groups + 1,).

    Groups in order of their score. The blocks of the rows before and of those after are corners of convex hulls of the
    cumulative sums; the further row is pooled with neighbouring blocks until none is out of order.
    """
    rows, ups = [0, *np.cumsum(n_rows).tolist()], [0.0, *np.cumsum(n_ups).tolist()]
    after, before, values = _corners_after(rows, ups), list[int](), []
    for start in range(len(rows)):
        while len(before) > 1 and _mean(rows, ups, before[-2], before[-1]) >= _mean(rows, ups, before[-1], start):
            before.pop()
        before.append(start)
        place, end, value = len(before) - 1, start, 1.0
        while True:
            if end + 1 < len(rows) and _mean(rows, ups, end, after[end]) < value:
                end = after[end]
            elif place > 0 and _mean(rows, ups, before[place - 1], before[place]) > value:
                place -= 1
            else:
                break
            first = before[place]
            value = (ups[end] - ups[first] + 1.0) / (rows[end] - rows[first] + 1)
        values.append(value)
    return np.asarray(values)


def _corners_after(rows: list[int], ups: list[float]) -> list[int]:
    """Of each place, where the first block of the rows after it ends."""
    after = [len(rows)] * len(rows)
    for start in range(len(rows) - 2, -1, -1):
        end = start + 1
        while end + 1 < len(rows) and _mean(rows, ups, start, end) >= _mean(rows, ups, end, after[end]):
            end = after[end]
        after[start] = end
    return after


def _mean(rows: list[int], ups: list[float], first: int, end: int) -> float:
    return (ups[end] - ups[first]) / (rows[end] - rows[first])
