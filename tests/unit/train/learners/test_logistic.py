"""The baseline against a minimiser of its own."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from candlelock.contracts.train_params import LogisticParams
from candlelock.train.learner import Sample
from candlelock.train.learners import logistic

C = 0.1


def test_coefficients_minimise_the_penalised_loss() -> None:
    random = np.random.default_rng(4)
    x = random.normal(size=(400, 3)) * [1, 10, 0.1]
    y = (x[:, 0] + random.normal(size=400) > 0.3).astype(float)
    model = logistic.fit(Sample(x, y, np.arange(len(y))), None, LogisticParams(c=C), 1, 1)
    z = model.inputs.apply(x)

    def loss(w: np.ndarray) -> float:
        margin = (2 * y - 1) * (z @ w[:3] + w[3])
        return float(np.logaddexp(0, -margin).sum() + (w[:3] ** 2).sum() / (2 * C))

    best = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-8}).x
    np.testing.assert_allclose([*model.coefficients, model.intercept], best, atol=1e-3)
