"""Sets of directions, and intervals of values, that hold the right one in a promised share of rows, also when the
market changes.

Split conformal prediction (Vovk et al. 2005; Lei et al. 2018) with the score 1 - p(label), or of a value how far it was
off, and adaptive conformal
inference over it (Gibbs & Candès 2021): after each decision whose labels have become known, the miscoverage asked for
moves against the share of symbols missed. A label counts from its end on, so overlapping labels arrive late, as they
do in trading; each step of delay widens the paper's bound by one step of `gamma`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
N_LEVELS = 1000
NONE, ALL = -1.0, 1.0  # no score is as low, none is higher


@dataclass(frozen=True)
class Conformal:
    """Miscoverage asked for, the step of its adaptation (0: split conformal), and the scores' quantiles by level.

    `quantiles[k]` belongs to the coverage k / (len - 1): -1 for 0, where every set is empty, up to what takes all: 1,
    or infinity where scores are those of values.
    """

    alpha: float
    gamma: float
    quantiles: Sequence[float]

    def quantile(self, alpha: float) -> float:
        """Score up to which an answer is in the set at miscoverage `alpha`; the next higher level where between."""
        last = len(self.quantiles) - 1
        return self.quantiles[min(max(int(np.ceil(round((1 - alpha) * last, 9))), 0), last)]


def fit_conformal(p: Array, y: Array, alpha: float, gamma: float) -> Conformal:
    """Quantiles of 1 - p(label) over rows that nothing was fitted on; `p` and `y`, 1.0 or 0.0, of shape (n_rows,)."""
    return Conformal(alpha, gamma, _quantiles(scores_of(p, y), ALL))


def fit_intervals(foretold: Array, y: Array, alpha: float, gamma: float) -> Conformal:
    """Quantiles of |y - foretold| over rows that nothing was fitted on, both of shape (n_rows,)."""
    return Conformal(alpha, gamma, _quantiles(np.abs(y - foretold), np.inf))


def _quantiles(scores: Array, most: float) -> list[float]:
    """That of coverage c is the ⌈(n + 1) c⌉-th smallest score; `most` where there is none."""
    rank = -(-(len(scores) + 1) * np.arange(1, N_LEVELS) // N_LEVELS)
    inner = np.append(np.sort(scores), most)[np.minimum(rank, len(scores) + 1) - 1]
    return [NONE, *inner.tolist(), most]


def scores_of(p: Array, y: Array) -> Array:
    """1 - p(label), (n_rows,); NaN where the label is."""
    return np.where(np.isnan(y), np.nan, np.where(y > 0, 1 - p, p))


def sets_of(p: Array, quantile: float | Array) -> tuple[Mask, Mask]:
    """Whether up, and whether down, is in the set; both of the shape of `p`."""
    return 1 - p <= quantile, p <= quantile


def run_forward(conformal: Conformal, scores: Array, decision_ms: Times, label_end_ms: Times) -> tuple[Array, Array]:
    """Largest score that is in the set of each row, and the miscoverage asked for at each; both of shape (n_rows,).

    Rows in any order; `scores`: of what happened, NaN where that is unknown for good. At a decision only labels are
    used that have ended by then.
    """
    order = np.argsort(decision_ms, kind="stable")
    times, first = np.unique(decision_ms[order], return_index=True)
    groups = np.split(order, first[1:])
    labelled = [group[~np.isnan(scores[group])] for group in groups]
    known_ms = np.array([label_end_ms[own].max() if len(own) else np.iinfo(np.int64).max for own in labelled])
    waiting = iter(np.argsort(known_ms, kind="stable").tolist())
    largest, asked = np.zeros(len(scores)), np.zeros(len(scores))
    alpha, due = conformal.alpha, next(waiting)
    for now, group in zip(times, groups, strict=True):
        while due is not None and known_ms[due] <= now:
            own = labelled[due]
            missed = 1 - (scores[own] <= largest[own]).mean()
            alpha += conformal.gamma * (conformal.alpha - float(missed))
            due = next(waiting, None)
        largest[group], asked[group] = conformal.quantile(alpha), alpha
    return largest, asked
