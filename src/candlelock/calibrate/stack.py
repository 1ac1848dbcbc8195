"""Logistic stacking of member probabilities on out-of-fold rows (Wolpert 1992)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = npt.NDArray[np.float64]
EDGE = 1e-6  # probabilities are kept this far from 0 and 1


@dataclass(frozen=True)
class StackWeights:
    """logit(p) = intercept + Σ weight · logit(p_member)."""

    weights: Mapping[str, float]
    intercept: float


def logit(p: Array) -> Array:
    """log(p / (1 - p)), p cut to [1e-6, 1 - 1e-6]. Same shape."""
    q = np.clip(p, EDGE, 1 - EDGE)
    return np.asarray(np.log(q) - np.log1p(-q))


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)). Same shape."""
    return np.asarray(1.0 / (1.0 + np.exp(-z)))


def fit_stack(members: Mapping[str, Array], y: Array, l2: float) -> StackWeights:
    """Fit on out-of-fold probabilities, each of shape (n_rows,), and labels 1.0 or 0.0."""
    from sklearn.linear_model import LogisticRegression

    z = np.column_stack([logit(p) for p in members.values()])
    fitted = LogisticRegression(C=1.0 / l2, max_iter=1000).fit(z, y)
    return StackWeights(dict(zip(members, map(float, fitted.coef_[0]), strict=True)), float(fitted.intercept_[0]))


def apply_stack(stack: StackWeights, members: Mapping[str, Array]) -> Array:
    """Stacked probability, shape (n_rows,)."""
    z = np.full_like(next(iter(members.values())), stack.intercept)
    for name, weight in stack.weights.items():
        z = z + weight * logit(members[name])
    return sigmoid(z)
