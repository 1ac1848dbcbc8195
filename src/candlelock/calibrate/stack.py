"""Logistic stacking of member probabilities on out-of-fold rows (Wolpert 1992)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.calibrate.logistic import fit_logistic, logit, sigmoid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.calibrate.logistic import Array


def fit_stack(members: Mapping[str, Array], y: Array, l2: float) -> dict[str, float]:
    """Weights by member, fitted on out-of-fold probabilities, each of shape (n_rows,), and labels 1.0 or 0.0.

    They are never negative: a member that only fits the others' errors in one period gets weight 0 instead of a sign
    that the next period turns against the stack (Breiman 1996, Stacked regressions). `l2` penalises half the sum of
    squared distances from the even average, which is hard to beat where members are alike (Clemen 1989). There is no
    intercept: the share of ups drifts from quarter to quarter, and one fitted to the last is wrong in the next.
    """
    weights, _ = fit_logistic(np.column_stack([logit(p) for p in members.values()]), y, l2, has_intercept=False)
    return dict(zip(members, weights, strict=True))


def apply_stack(weights: Mapping[str, float], members: Mapping[str, Array]) -> Array:
    """Stacked probability, whose logit is Σ weight · logit(p_member); shape (n_rows,)."""
    z = np.zeros_like(next(iter(members.values())))
    for name, weight in sorted(weights.items()):  # one order: a stack read from JSON gives the same bits
        z = z + weight * logit(members[name])
    return sigmoid(z)
