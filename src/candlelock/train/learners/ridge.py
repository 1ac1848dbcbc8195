"""Ridge regression in closed form: what the linear learners are where labels are values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from candlelock.train.learner import Array


def fit(z: Array, y: Array, weights: Array | None, penalty: float) -> tuple[Array, float]:
    """Coefficients (n_features,) and intercept that minimise Σ weight · error² + penalty · Σ coefficient².

    `z`: (n_rows, n_features), no NaN; `y`, `weights`: (n_rows,); None: all rows count once. `penalty`: above 0; the
    intercept bears none. Source: Hoerl and Kennard 1970, Ridge regression, by the normal equations of centred rows.
    """
    counts = np.ones(len(y)) if weights is None else weights
    share = counts / counts.sum()
    center, mean = share @ z, float(share @ y)
    centred = z - center
    products = centred.T @ (centred * counts[:, None]) + penalty * np.eye(z.shape[1])
    coefficients = linalg.solve(products, centred.T @ (counts * (y - mean)), assume_a="pos")
    return np.asarray(coefficients), mean - float(center @ coefficients)
