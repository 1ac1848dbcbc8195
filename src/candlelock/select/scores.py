"""How much a feature says about the label on its own, column by column and over its known rows.

`x` is (n_rows, n_features) with NaN where unknown, `y` (n_rows,) of 1.0 and 0.0. A score is NaN where it cannot be
computed: no row is known, or all that are have one label or one value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

Array = npt.NDArray[np.float64]
Score = TypeVar("Score")


def auc_edges(x: Array, y: Array) -> Array:
    """AUC of each feature as a score for y, less 0.5, ties counted half: in [-0.5, 0.5].

    Source: Mann and Whitney 1947; Hanley and McNeil 1982. Sums of ranks are exact, so that twins tie.
    """
    return _by_column(_auc_edge, x, y)


def mutual_information(x: Array, y: Array, n_bins: int) -> Array:
    """Mutual information of each feature with y in nats, less what chance gives; it may fall below zero.

    The plug-in estimate over `n_bins` bins of equal count, equal values in one bin, less its first-order bias
    (filled bins - 1) / (2 rows). Source: Miller 1955, Note on the bias of information estimates; Paninski 2003.
    """
    return _by_column(lambda column, y: _information(rank_bins(column, n_bins), y), x, y)


def _mid_ranks(values: Array) -> Array:
    from scipy.stats import rankdata  # half a second to import

    return np.asarray(rankdata(values), dtype=np.float64)


def rank_bins(values: Array, n_bins: int) -> npt.NDArray[np.int64]:
    """Bin of each value by its mid-rank: bins of about equal count, equal values never apart. No NaN."""
    middle = (_mid_ranks(values) - 0.5) / len(values)
    bins: npt.NDArray[np.int64] = np.minimum((middle * n_bins).astype(np.int64), n_bins - 1)
    return bins


def f_test(x: Array, y: Array) -> tuple[Array, Array]:
    """F-statistic and p-value of the analysis of variance between the two classes (scikit-learn's `f_classif`)."""
    from sklearn.feature_selection import f_classif

    def both(column: Array, y: Array) -> tuple[float, float]:
        f, p = f_classif(column[:, None], y)
        return float(f[0]), float(p[0])

    found = np.asarray([_of_known(both, column, y) or (np.nan, np.nan) for column in x.T]).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _by_column(score: Callable[[Array, Array], float], x: Array, y: Array) -> Array:
    found = (_of_known(score, column, y) for column in x.T)
    return np.asarray([np.nan if value is None else value for value in found], dtype=np.float64)


def _of_known(score: Callable[[Array, Array], Score], column: Array, y: Array) -> Score | None:
    known = ~np.isnan(column)
    column, y = (column, y) if known.all() else (column[known], y[known])
    if not len(y) or y.min() == y.max() or column.min() == column.max():
        return None
    return score(column, y)


def _auc_edge(column: Array, y: Array) -> float:
    ups = _mid_ranks(column)[y > 0]
    n_up, n_down = len(ups), len(y) - len(ups)
    doubled = round(2 * float(ups.sum())) - n_up * (n_up + 1) - n_up * n_down  # integers: no rounding before the ratio
    return doubled / (2 * n_up * n_down)


def _information(bins: npt.NDArray[np.int64], y: Array) -> float:
    counts = np.bincount(2 * bins + (y > 0), minlength=2 * (int(bins.max()) + 1)).reshape(-1, 2)
    counts = counts[counts.sum(axis=1) > 0]
    joint = counts / len(y)
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    terms = joint * np.log(np.where(joint > 0, joint / apart, 1.0))
    return float(terms.sum()) - (len(counts) - 1) / (2 * len(y))
