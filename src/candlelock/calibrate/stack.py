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
    """Fit on out-of-fold probabilities, each of shape (n_rows,), and labels 1.0 or 0.0; weights are never negative.

    A member that only fits the others' errors in one period gets weight 0 instead of a sign that the next period turns
    against the stack (Breiman 1996, Stacked regressions). `l2` penalises half the sum of squared weights.
    """
    from scipy.optimize import minimize

    z = np.column_stack([logit(p) for p in members.values()])

    def loss(theta: Array) -> tuple[float, Array]:
        weights, score = theta[:-1], z @ theta[:-1] + theta[-1]
        error = sigmoid(score) - y
        value = float(np.sum(np.logaddexp(0.0, score) - y * score) + 0.5 * l2 * weights @ weights)
        return value / len(y), np.append(z.T @ error + l2 * weights, error.sum()) / len(y)

    start = np.append(np.full(len(members), 1.0 / len(members)), 0.0)
    bounds = [(0.0, None)] * len(members) + [(None, None)]
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-10})
    return StackWeights(dict(zip(members, map(float, found.x[:-1]), strict=True)), float(found.x[-1]))


def apply_stack(stack: StackWeights, members: Mapping[str, Array]) -> Array:
    """Stacked probability, shape (n_rows,)."""
    z = np.full_like(next(iter(members.values())), stack.intercept)
    for name, weight in sorted(stack.weights.items()):  # one order: a stack read from JSON gives the same bits
        z = z + weight * logit(members[name])
    return sigmoid(z)
