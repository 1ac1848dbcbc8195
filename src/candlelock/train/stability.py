"""What the models of a member lean on, as shares by feature, and how alike those of the folds are in it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from candlelock.contracts.training_documents import FeatureGain, Stability

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.select.transform import Transform
    from candlelock.train.averaging import Averaged
    from candlelock.train.learner import Array

    Shares = Mapping[str, float]

N_TOP = 20


def share_gains(model: Averaged, selection: Transform) -> dict[str, float]:
    """Feature -> share of the model's gain, which the selection gives back to the features its columns came from.

    They sum to 1, or are all 0 where the model leans on nothing.
    """
    gains = model.gains()
    return selection.attribute(gains / gains.sum() if gains.sum() > 0 else gains)


def describe_gains(final: Shares, folds: Sequence[Shares]) -> list[FeatureGain]:
    """The final model's shares, largest first, beside those of the folds: 0 where a fold's selection left one out."""
    ranked = sorted(final.items(), key=lambda item: (-item[1], item[0]))
    return [_beside_folds(name, share, [fold.get(name, 0.0) for fold in folds]) for name, share in ranked]


def _beside_folds(name: str, share: float, folds: Sequence[float]) -> FeatureGain:
    mean = sum(folds) / len(folds)
    return FeatureGain(name=name, gain=share, fold_mean=mean, fold_low=min(folds), fold_high=max(folds))


def describe_stability(folds: Sequence[Shares]) -> Stability:
    """How alike the shares of every two folds are. A feature that neither of the two has does not count."""
    pairs = list(itertools.combinations(folds, 2))
    correlations = [found for pair in pairs if (found := rank_correlation(*pair)) is not None]
    overlaps = [found for pair in pairs if (found := top_overlap(*pair)) is not None]
    return Stability(
        rank_correlation=float(np.mean(correlations)) if correlations else None,
        n_top=N_TOP,
        top_overlap=float(np.mean(overlaps)) if overlaps else None,
    )


def rank_correlation(one: Shares, other: Shares) -> float | None:
    """Spearman's, over the features that either has, ties at their mean rank; None where all shares of one are equal.

    Source: Spearman 1904, The proof and measurement of association between two things.
    """
    names = sorted(set(one) | set(other))
    ranks = [_centred_ranks(np.asarray([each.get(name, 0.0) for name in names])) for each in (one, other)]
    size = np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum())
    return float((ranks[0] * ranks[1]).sum() / size) if size > 0 else None


def _centred_ranks(values: Array) -> Array:
    ranks = np.asarray(rankdata(values))
    return np.asarray(ranks - ranks.mean())


def top_overlap(one: Shares, other: Shares) -> float | None:
    """Jaccard's index of the features of the largest shares; None where neither leans on any.

    Source: Jaccard 1912, The distribution of the flora in the alpine zone.
    """
    tops = [set(_top(each)) for each in (one, other)]
    either = tops[0] | tops[1]
    return len(tops[0] & tops[1]) / len(either) if either else None


def _top(shares: Shares) -> list[str]:
    ranked = sorted((name for name, share in shares.items() if share > 0), key=lambda name: (-shares[name], name))
    return ranked[:N_TOP]
