"""The baseline against a minimiser of its own, and of values against scikit-learn's ridge regression."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

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


def test_of_values_it_is_the_ridge_regression_of_penalty_one_over_c() -> None:
    random = np.random.default_rng(4)
    x = random.uniform(-1, 1, size=(400, 3)) * [1, 10, 0.1]  # within the limits of the standardiser
    y, weights = 5 * x[:, 0] + 0.1 * x[:, 1] + random.normal(size=400) + 7, random.random(400)
    for counts in (None, weights / weights.mean()):
        sample = Sample(x, y, np.arange(400), counts, is_value=True)
        theirs = make_pipeline(StandardScaler(), Ridge(alpha=1 / C, solver="svd"))
        theirs.fit(x, y, standardscaler__sample_weight=counts, ridge__sample_weight=counts)
        model = logistic.fit(sample, None, LogisticParams(c=C), 1, 1)
        np.testing.assert_allclose(model.predict(x), theirs.predict(x), rtol=1e-9)
        np.testing.assert_allclose(logistic.contributions(model, x)[:, :3], (model.inputs.apply(x) * theirs[1].coef_))
