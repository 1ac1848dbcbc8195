"""Logistic regression on standardised features: the baseline that any ensemble has to beat; a member if asked.

Of values it is a ridge regression: the same penalty, the squared error in place of the log loss.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from candlelock.train.learners import ridge, standardiser

if TYPE_CHECKING:
    from candlelock.contracts.train_params import LogisticParams
    from candlelock.train.learner import Array, Sample


@dataclass(frozen=True)
class LogisticModel:
    """Standardiser, coefficients (n_features,) and intercept."""

    inputs: standardiser.Standardiser
    coefficients: Array
    intercept: float
    is_value: bool = False
    n_rounds: int = 1

    def predict(self, x: Array) -> Array:
        """Probability of up, or value, shape (n_rows,)."""
        score = self.inputs.apply(x) @ self.coefficients + self.intercept
        return np.asarray(score if self.is_value else 1.0 / (1.0 + np.exp(-score)))

    def gains(self) -> Array:
        """Size of each coefficient on its standardised feature."""
        return np.abs(self.coefficients)

    def to_bytes(self) -> bytes:
        """Everything as JSON."""
        parts = {"coefficients": self.coefficients, "mean": self.inputs.mean, "scale": self.inputs.scale}
        document = {name: values.tolist() for name, values in parts.items()} | {"intercept": self.intercept}
        document |= {"is_value": True} if self.is_value else {}
        return (json.dumps(document, sort_keys=True, indent=1) + "\n").encode()


def fit(sample: Sample, stop: Sample | None, settings: LogisticParams, seed: int, threads: int) -> LogisticModel:
    """Train on `sample`; there is nothing to stop early or to seed."""
    sample = sample.as_classes()
    inputs = standardiser.fit(sample.x, sample.weights)
    if sample.is_value:
        found = ridge.fit(inputs.apply(sample.x), sample.y, sample.weights, 1.0 / settings.c)
        return LogisticModel(inputs, *found, is_value=True)
    from sklearn.linear_model import LogisticRegression

    solver = LogisticRegression(C=settings.c, solver="newton-cholesky")  # at the optimum in a few passes
    fitted = solver.fit(inputs.apply(sample.x), sample.y, sample.weights)
    return LogisticModel(inputs, fitted.coef_[0].astype(np.float64), float(fitted.intercept_[0]))


def contributions(model: LogisticModel, x: Array) -> Array:
    """Coefficient times standardised value, in log-odds or value, then the intercept, (n_rows, n_features + 1)."""
    return np.column_stack([model.inputs.apply(x) * model.coefficients, np.full(len(x), model.intercept)])


def load(content: bytes) -> LogisticModel:
    """The model that `to_bytes` wrote."""
    saved = json.loads(content)
    coefficients, mean, scale = (np.asarray(saved[name]) for name in ("coefficients", "mean", "scale"))
    inputs = standardiser.Standardiser(mean, scale)
    return LogisticModel(inputs, coefficients, saved["intercept"], is_value="is_value" in saved)
