"""The logistic stack against a minimiser of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.special import logit as logit_of_scipy

from candlelock.calibrate.stack import StackWeights, apply_stack, fit_stack, logit, sigmoid

if TYPE_CHECKING:
    from candlelock.calibrate.stack import Array


def draw(n_rows: int = 800) -> tuple[dict[str, Array], Array]:
    """Labels, two members that know something and one that does not."""
    random = np.random.default_rng(3)
    truth = random.normal(0, 1, n_rows)
    y = (random.random(n_rows) < expit(truth)).astype(float)
    noise = random.normal(0, 1, (3, n_rows))
    members = {
        "good": expit(0.5 * truth + 0.2 * noise[0]),
        "fair": expit(0.3 * truth + noise[1]),
        "none": expit(noise[2]),
    }
    return members, y


@pytest.mark.parametrize("l2", [0.1, 1.0, 50.0])
def test_weights_minimise_the_penalised_loss_on_the_logits(l2: float) -> None:
    members, y = draw()
    z = np.column_stack([logit_of_scipy(p) for p in members.values()])

    def loss(w: Array) -> float:
        margin = (2 * y - 1) * (z @ w[:3] + w[3])
        return float(np.logaddexp(0, -margin).sum() + l2 * (w[:3] ** 2).sum() / 2)

    best = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-7}).x
    fitted = fit_stack(members, y, l2)
    assert list(fitted.weights) == list(members)
    np.testing.assert_allclose([*fitted.weights.values(), fitted.intercept], best, atol=2e-3)


def test_a_good_member_weighs_more_than_a_useless_one() -> None:
    weights = fit_stack(*draw(), 1.0).weights
    assert weights["good"] > 0.5
    assert abs(weights["none"]) < 0.15


def test_a_stack_is_the_sigmoid_of_the_weighted_logits() -> None:
    members = {"a": np.array([0.2, 0.5, 0.9]), "b": np.array([0.6, 0.5, 0.1])}
    p = apply_stack(StackWeights({"a": 2.0, "b": -1.0}, 0.3), members)
    np.testing.assert_allclose(
        p, expit(0.3 + 2 * logit_of_scipy(members["a"]) - logit_of_scipy(members["b"])), rtol=1e-12
    )


def test_the_order_of_the_members_does_not_change_a_bit() -> None:
    random = np.random.default_rng(0)
    members = {name: random.uniform(0.3, 0.7, 5000) for name in ("lightgbm", "xgboost", "mlp")}
    weights = {"lightgbm": 0.41, "xgboost": 0.37, "mlp": 0.23}
    read_from_json = StackWeights({name: weights[name] for name in sorted(weights)}, 0.01)
    np.testing.assert_array_equal(
        apply_stack(read_from_json, members), apply_stack(StackWeights(weights, 0.01), members)
    )


def test_certain_probabilities_stay_finite() -> None:
    assert logit(np.array([0.0, 1.0])).tolist() == pytest.approx([-13.8155, 13.8155], abs=1e-4)
    p = np.linspace(0.001, 0.999, 99)
    np.testing.assert_allclose(sigmoid(logit(p)), p, rtol=1e-12)
