"""The logistic stack against SciPy on every subset of members, and against scikit-learn."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.special import logit as logit_of_scipy
from sklearn.linear_model import LogisticRegression

from candlelock.calibrate.stack import apply_stack, fit_stack

if TYPE_CHECKING:
    from candlelock.calibrate.logistic import Array


def draw(n_rows: int = 800, shift: float = 0.0) -> tuple[dict[str, Array], Array]:
    """Labels, two members that know something, one that does not and one that copies another's errors."""
    random = np.random.default_rng(3)
    truth = random.normal(0, 1, n_rows)
    y = (random.random(n_rows) < expit(truth + shift)).astype(float)
    noise = random.normal(0, 1, (3, n_rows))
    logits = {"good": 0.5 * truth + 0.2 * noise[0], "fair": 0.3 * truth + noise[1], "none": noise[2]}
    return {name: expit(z) for name, z in (logits | {"errors of fair": noise[1]}).items()}, y


def fit_slowly(members: dict[str, Array], y: Array, l2: float) -> Array:
    """SciPy's free fit of every subset of members, the others at 0: the best one without a negative weight."""
    z, best = np.column_stack([logit_of_scipy(p) for p in members.values()]), (np.inf, np.zeros(len(members)))
    for own in itertools.chain(*(itertools.combinations(range(len(members)), size) for size in range(1, 5))):

        def loss(free: Array, own: tuple[int, ...] = own) -> float:
            weights = np.zeros(len(members))
            weights[[*own]] = free
            apart = weights - 1 / len(members)
            return float(np.logaddexp(0, -(2 * y - 1) * (z @ weights)).sum() + l2 * (apart**2).sum() / 2)

        found = minimize(loss, np.full(len(own), 0.3), method="BFGS", options={"gtol": 1e-6})
        if (found.x >= 0).all() and found.fun < best[0]:
            weights = np.zeros(len(members))
            weights[[*own]] = found.x
            best = found.fun, weights
    return best[1]


@pytest.mark.parametrize("l2", [0.1, 1.0, 50.0])
def test_weights_minimise_the_penalised_loss_among_those_not_negative(l2: float) -> None:
    members, y = draw()
    fitted = fit_stack(members, y, l2)
    assert list(fitted) == list(members)
    np.testing.assert_allclose([*fitted.values()], fit_slowly(members, y, l2), atol=1e-4)
    assert fitted["errors of fair"] == 0


def test_members_that_help_are_weighed_as_scikit_learn_does() -> None:
    members, y = draw()
    useful = {name: members[name] for name in ("good", "fair")}
    z = np.column_stack([logit_of_scipy(p) for p in useful.values()])
    expected = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(z, y).coef_[0]
    assert (expected > 0).all()
    np.testing.assert_allclose([*fit_stack(useful, y, 1e-9).values()], expected, atol=1e-4)


def test_a_strong_penalty_leaves_the_even_average_of_logits() -> None:
    members, y = draw()
    fitted = fit_stack(members, y, 1e9)
    np.testing.assert_allclose([*fitted.values()], 0.25, atol=1e-5)


def test_a_period_of_many_ups_does_not_move_the_stack_at_one_half() -> None:
    members, y = draw(shift=1.0)
    assert y.mean() > 0.6
    half = {name: np.array([0.5]) for name in members}
    assert apply_stack(fit_stack(members, y, 1.0), half).tolist() == [0.5]


def test_members_that_are_all_wrong_leave_one_half() -> None:
    members, y = draw()
    stack = fit_stack({"wrong": 1 - members["good"]}, y, 1.0)
    assert stack == {"wrong": 0.0}
    assert set(apply_stack(stack, {"wrong": members["good"]})) == {0.5}


def test_a_good_member_weighs_more_than_a_useless_one() -> None:
    weights = fit_stack(*draw(), 1.0)
    assert weights["good"] > 0.5
    assert abs(weights["none"]) < 0.15


def test_a_stack_is_the_sigmoid_of_the_weighted_logits() -> None:
    members = {"a": np.array([0.2, 0.5, 0.9]), "b": np.array([0.6, 0.5, 0.1])}
    p = apply_stack({"a": 2.0, "b": -1.0}, members)
    np.testing.assert_allclose(p, expit(2 * logit_of_scipy(members["a"]) - logit_of_scipy(members["b"])), rtol=1e-12)


def test_the_order_of_the_members_does_not_change_a_bit() -> None:
    random = np.random.default_rng(0)
    members = {name: random.uniform(0.3, 0.7, 5000) for name in ("lightgbm", "xgboost", "mlp")}
    weights = {"lightgbm": 0.41, "xgboost": 0.37, "mlp": 0.23}
    read_from_json = {name: weights[name] for name in sorted(weights)}
    np.testing.assert_array_equal(apply_stack(read_from_json, members), apply_stack(weights, members))
