"""The logistic stack against scikit-learn."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.special import expit
from scipy.special import logit as logit_of_scipy
from sklearn.linear_model import LogisticRegression

from candlelock.calibrate.stack import StackWeights, apply_stack, fit_stack, logit, sigmoid

if TYPE_CHECKING:
    from candlelock.calibrate.stack import Array


def draw(n_rows: int = 800) -> tuple[dict[str, Array], Array]:
    """Labels, two members that know something, one that does not and one that copies another's errors."""
    random = np.random.default_rng(3)
    truth = random.normal(0, 1, n_rows)
    y = (random.random(n_rows) < expit(truth)).astype(float)
    noise = random.normal(0, 1, (3, n_rows))
    logits = {"good": 0.5 * truth + 0.2 * noise[0], "fair": 0.3 * truth + noise[1], "none": noise[2]}
    return {name: expit(z) for name, z in (logits | {"errors of fair": noise[1]}).items()}, y


def fit_slowly(members: dict[str, Array], y: Array, l2: float) -> Array:
    """scikit-learn's fit of every subset of members: the best one without a negative weight; the intercept last."""
    z, best = np.column_stack([logit_of_scipy(p) for p in members.values()]), (np.inf, np.zeros(len(members) + 1))
    for size in range(1, len(members) + 1):
        for own in itertools.combinations(range(len(members)), size):
            fitted = LogisticRegression(C=1 / l2, max_iter=1000, tol=1e-10).fit(z[:, own], y)
            weights = np.zeros(len(members) + 1)
            weights[[*own, -1]] = *fitted.coef_[0], fitted.intercept_[0]
            margin = (2 * y - 1) * (z @ weights[:-1] + weights[-1])
            loss = float(np.logaddexp(0, -margin).sum() + l2 * (weights[:-1] ** 2).sum() / 2)
            if (weights[:-1] >= 0).all() and loss < best[0]:
                best = loss, weights
    return best[1]


@pytest.mark.parametrize("l2", [0.1, 1.0, 50.0])
def test_weights_minimise_the_penalised_loss_among_those_not_negative(l2: float) -> None:
    members, y = draw()
    fitted = fit_stack(members, y, l2)
    assert list(fitted.weights) == list(members)
    np.testing.assert_allclose([*fitted.weights.values(), fitted.intercept], fit_slowly(members, y, l2), atol=1e-4)
    assert fitted.weights["errors of fair"] == 0


def test_members_that_help_are_weighed_as_scikit_learn_does() -> None:
    members, y = draw()
    useful = {name: members[name] for name in ("good", "fair")}
    z = np.column_stack([logit_of_scipy(p) for p in useful.values()])
    expected = LogisticRegression(C=1.0, tol=1e-10).fit(z, y).coef_[0]
    assert (expected > 0).all()
    np.testing.assert_allclose([*fit_stack(useful, y, 1.0).weights.values()], expected, atol=1e-4)


def test_members_that_are_all_wrong_leave_the_share_of_ups() -> None:
    members, y = draw()
    stack = fit_stack({"wrong": 1 - members["good"]}, y, 1.0)
    assert stack.weights == {"wrong": 0.0}
    assert expit(stack.intercept) == pytest.approx(y.mean(), abs=1e-6)


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
