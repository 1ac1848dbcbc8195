"""Logistic regression with weights that are never negative: what stack and calibrators are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
EDGE = 1e-6  # probabilities are kept this far from 0 and 1


def logit(p: Array) -> Array:
    """log(p / (1 - p)), p cut to [1e-6, 1 - 1e-6]. Same shape."""
    q = np.clip(p, EDGE, 1 - EDGE)
    return np.asarray(np.log(q) - np.log1p(-q))


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)). Same shape."""
    return np.asarray(1.0 / (1.0 + np.exp(-z)))


def fit_logistic(z: Array, y: Array, l2: float, has_intercept: bool) -> tuple[list[float], float]:
    """Weights (n_columns,) of `z` (n_rows, n_columns), none negative, and the intercept, for labels 1.0 or 0.0.

    `l2` penalises half the sum of squared distances of the weights from even ones of sum 1. Without an intercept it
    is 0.
    """
    from scipy.optimize import minimize

    n_columns = z.shape[1]
    even = 1.0 / n_columns

    def loss(theta: Array) -> tuple[float, Array]:
        apart, score = theta[:-1] - even, z @ theta[:-1] + theta[-1]
        error = sigmoid(score) - y
        value = float(np.sum(np.logaddexp(0.0, score) - y * score) + 0.5 * l2 * apart @ apart)
        return value / len(y), np.append(z.T @ error + l2 * apart, error.sum()) / len(y)

    start = np.append(np.full(n_columns, even), 0.0)
    bounds = [(0.0, None)] * n_columns + [(None, None) if has_intercept else (0.0, 0.0)]
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-10})
    return [float(weight) for weight in found.x[:-1]], float(found.x[-1])
