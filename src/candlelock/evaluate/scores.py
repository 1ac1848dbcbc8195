"""Scores of up-probabilities, each with its value and its bootstrap replicates from one formula.

`y` holds 1.0 and 0.0, `p` probabilities, both of shape (n_rows,). A direction is "up" at p >= 0.5. Scores follow
scikit-learn; ECE is Naeini et al. 2015, over the bins it is given.

Does not belong here: what is no score, such as the parts of the Brier score (`probabilities`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.evaluate.bootstrap import Blocks

Array = npt.NDArray[np.float64]
Bins = npt.NDArray[np.int64]
Scored = tuple[float, Array]
UP_FROM = 0.5
EDGE = 1e-7


def score_all(y: Array, p: Array, blocks: Blocks, n_bins: int) -> dict[str, Scored]:
    """Every score there is; the ECE over bins of equal width and of equal mass."""
    return {
        **score_outcomes(y, p, blocks),
        "auc_roc": score_auc(y, p, blocks),
        **score_means(y, p, blocks),
        "calibration_ece": score_ece(y, p, blocks, bin_of(p, n_bins)),
        "calibration_ece_equal_mass": score_ece(y, p, blocks, mass_bin_of(p, n_bins)),
    }


def outcomes(y: Array, p: Array) -> Array:
    """True positive, false positive, true negative, false negative: indicators of shape (n_rows, 4)."""
    up, is_up = p >= UP_FROM, y > 0
    return np.column_stack([up & is_up, up & ~is_up, ~up & ~is_up, ~up & is_up]).astype(np.float64)


def score_outcomes(y: Array, p: Array, blocks: Blocks) -> dict[str, Scored]:
    """Accuracy, precision, recall and F1; NaN where their denominator is 0."""
    total, replicates = blocks.sums(outcomes(y, p))
    return {name: (float(_COUNTED[name](total[None])[0]), _COUNTED[name](replicates)) for name in _COUNTED}


def score_means(y: Array, p: Array, blocks: Blocks) -> dict[str, Scored]:
    """Log loss (probabilities cut at 1e-7) and Brier score."""
    rows = np.column_stack([log_losses(y, p), (p - y) ** 2, np.ones_like(y)])
    total, replicates = blocks.sums(rows)
    return {
        name: (float(total[i] / total[2]), replicates[:, i] / replicates[:, 2])
        for i, name in enumerate(("log_loss", "brier"))
    }


def log_losses(y: Array, p: Array) -> Array:
    """Log loss of every row, probabilities cut at 1e-7; shape (n_rows,)."""
    q = np.clip(p, EDGE, 1 - EDGE)
    return -(y * np.log(q) + (1 - y) * np.log(1 - q))


def score_ece(y: Array, p: Array, blocks: Blocks, bins: Bins) -> Scored:
    """Expected calibration error over bins of p, numbered from 0."""
    gap = np.zeros((len(y), int(bins.max()) + 1))
    gap[np.arange(len(y)), bins] = p - y
    total, replicates = blocks.sums(gap)
    n_rows, n_drawn = blocks.sums(np.ones_like(y))
    return float(np.abs(total).sum() / n_rows[0]), np.abs(replicates).sum(axis=1) / n_drawn[:, 0]


def bin_of(p: Array, n_bins: int) -> Bins:
    """Equal-width bin of each probability; 1 falls into the last."""
    return np.minimum((p * n_bins).astype(np.int64), n_bins - 1)


def mass_bin_of(p: Array, n_bins: int) -> Bins:
    """Bin of each probability, of as many rows as the others; equal probabilities stay together."""
    edges = np.quantile(p, np.arange(1, n_bins) / n_bins, method="inverted_cdf")
    return np.searchsorted(edges, p, side="left")


def score_auc(y: Array, p: Array, blocks: Blocks) -> Scored:
    """Area under the ROC curve, ties counted half; NaN with one class."""
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(p[order]) != 0])
    is_up, block = y[order], blocks.index[order]

    def area(weight: Array) -> float:
        ups = np.add.reduceat(weight * is_up, starts)
        downs = np.add.reduceat(weight * (1 - is_up), starts)
        pairs = ups.sum() * downs.sum()
        return float((ups * (np.cumsum(downs) - downs / 2)).sum() / pairs) if pairs > 0 else float("nan")

    return area(np.ones_like(is_up)), np.asarray([area(draw[block]) for draw in blocks.draws])


def _ratio(numerator: Array, denominator: Array) -> Array:
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)


_COUNTED: dict[str, Callable[[Array], Array]] = {
    "accuracy": lambda c: _ratio(c[:, 0] + c[:, 2], c.sum(axis=1)),
    "precision": lambda c: _ratio(c[:, 0], c[:, 0] + c[:, 1]),
    "recall": lambda c: _ratio(c[:, 0], c[:, 0] + c[:, 3]),
    "f1": lambda c: _ratio(2 * c[:, 0], 2 * c[:, 0] + c[:, 1] + c[:, 3]),
}
