"""Logistic regression on standardised features: the baseline that any ensemble has to beat; a member if asked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from candlelock.train.learners import standardiser

if TYPE_CHECKING:
    from candlelock.contracts.train_params import LogisticParams
    from candlelock.train.learner import Array, Sample


@dataclass(frozen=True)
class LogisticModel:
    """Standardiser, coefficients (n_features,) and intercept."""

    inputs: standardiser.Standardiser
    coefficients: Array
    intercept: float
    n_rounds: int = 1

    def predict(self, x: Array) -> Array:
        """Probability of up, shape (n_rows,)."""
        return np.asarray(1.0 / (1.0 + np.exp(-(self.inputs.apply(x) @ self.coefficients + self.intercept))))

    def gains(self) -> Array:
        """Size of each coefficient on its standardised feature."""
        return np.abs(self.coefficients)

    def to_bytes(self) -> bytes:
        """Everything as JSON."""
        parts = {"coefficients": self.coefficients, "mean": self.inputs.mean, "scale": self.inputs.scale}
        document = {name: values.tolist() for name, values in parts.items()} | {"intercept": self.intercept}
        return (json.dumps(document, sort_keys=True, indent=1) + "\n").encode()


def fit(sample: Sample, stop: Sample | None, settings: LogisticParams, seed: int, threads: int) -> LogisticModel:
    """Train on `sample`; there is nothing to stop early or to seed."""
    from sklearn.linear_model import LogisticRegression

    inputs = standardiser.fit(sample.x, sample.weights)
    solver = LogisticRegression(C=settings.c, solver="newton-cholesky")  # at the optimum in a few passes
    fitted = solver.fit(inputs.apply(sample.x), sample.y, sample.weights)
    return LogisticModel(inputs, fitted.coef_[0].astype(np.float64), float(fitted.intercept_[0]))


def contributions(model: LogisticModel, x: Array) -> Array:
    """Coefficient times standardised value, in log-odds, then the intercept, shape (n_rows, n_features + 1)."""
    return np.column_stack([model.inputs.apply(x) * model.coefficients, np.full(len(x), model.intercept)])


def load(content: bytes) -> LogisticModel:
    """The model that `to_bytes` wrote."""
    saved = json.loads(content)
    coefficients, mean, scale = (np.asarray(saved[name]) for name in ("coefficients", "mean", "scale"))
    return LogisticModel(standardiser.Standardiser(mean, scale), coefficients, saved["intercept"])
