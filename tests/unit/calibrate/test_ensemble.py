"""Stack, average and vote as one probability; the fitted average against a search of the whole simplex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss

from candlelock.calibrate.ensemble import Ensemble, disagreement, is_fitted, make_ensemble, spread
from candlelock.calibrate.stack import apply_stack, fit_stack

if TYPE_CHECKING:
    from candlelock.calibrate.ensemble import Array, Kind

HAND = {"a": np.array([0.6, 0.5, 0.2]), "b": np.array([0.7, 0.4, 0.3]), "c": np.array([0.1, 0.3, 0.4])}


def draw(n_rows: int = 3000) -> tuple[dict[str, Array], Array]:
    """Two members that each know a part, and one that knows nothing."""
    random = np.random.default_rng(1)
    one, other = random.normal(0, 1, (2, n_rows))
    y = (random.random(n_rows) < expit(one + 0.6 * other)).astype(float)
    members = {"one": expit(one), "other": expit(0.6 * other), "noise": expit(random.normal(0, 1, n_rows))}
    return members, y


def test_an_average_by_hand_with_given_weights() -> None:
    average = make_ensemble("average", {"a": 1.0, "b": 0.9, "c": 0.8}, HAND, np.zeros(3), 1.0)
    assert average.weights == pytest.approx({"a": 1 / 2.7, "b": 0.9 / 2.7, "c": 0.8 / 2.7})
    np.testing.assert_allclose(average.apply(HAND)[0], (0.6 + 0.9 * 0.7 + 0.8 * 0.1) / 2.7, rtol=1e-12)


def test_the_fitted_average_has_the_lowest_log_loss_of_all_weights() -> None:
    members, y = draw()
    fitted = make_ensemble("average", None, members, y, 1.0)
    steps = np.linspace(0, 1, 31)
    of_label = {name: np.where(y > 0, p, 1 - p) for name, p in members.items()}
    loss, best = min(
        (-np.log(i * of_label["one"] + j * of_label["other"] + (1 - i - j) * of_label["noise"]).mean(), (i, j))
        for i in steps
        for j in steps
        if i + j <= 1 + 1e-9
    )
    assert log_loss(y, fitted.apply(members)) <= loss + 1e-9
    assert (fitted.weights["one"], fitted.weights["other"]) == pytest.approx(best, abs=0.03)
    assert sum(fitted.weights.values()) == pytest.approx(1)
    assert min(fitted.weights.values()) >= 0


def test_a_vote_is_laplaces_rule_of_succession() -> None:
    """Two of three say up, then one at exactly one half, then none."""
    vote = make_ensemble("vote", None, HAND, np.zeros(3), 1.0)
    np.testing.assert_allclose(vote.apply(HAND), [3 / 5, 2 / 5, 1 / 5], rtol=1e-12)


def test_a_stack_is_the_stack() -> None:
    members, y = draw()
    own = make_ensemble("stack", None, members, y, 1.0)
    np.testing.assert_array_equal(own.apply(members), apply_stack(fit_stack(members, y, 1.0), members))


@pytest.mark.parametrize("kind", ["stack", "average", "vote"])
def test_the_order_of_the_members_does_not_change_a_bit(kind: Kind) -> None:
    members, y = draw()
    fitted = make_ensemble(kind, None, members, y, 1.0)
    turned = Ensemble(kind, dict(reversed(fitted.weights.items())))
    np.testing.assert_array_equal(fitted.apply(members), turned.apply(dict(reversed(members.items()))))


@pytest.mark.parametrize("kind", ["stack", "average", "vote"])
def test_others_than_its_own_members_are_ignored(kind: Kind) -> None:
    members, y = draw()
    fitted = make_ensemble(kind, None, members, y, 1.0)
    np.testing.assert_array_equal(fitted.apply(members), fitted.apply(members | {"stranger": 0 * y}))


@pytest.mark.parametrize(
    ("kind", "given", "fitted"),
    [("stack", None, True), ("average", None, True), ("average", {"a": 1.0}, False), ("vote", None, False)],
)
def test_only_weights_that_labels_decide_are_fitted(kind: Kind, given: dict[str, float] | None, fitted: bool) -> None:
    assert is_fitted(kind, given) is fitted


def test_spread_and_disagreement_by_hand() -> None:
    np.testing.assert_allclose(
        spread(HAND)[0], np.sqrt(((0.6 - 1.4 / 3) ** 2 + (0.7 - 1.4 / 3) ** 2 + (1.1 / 3) ** 2) / 3)
    )
    np.testing.assert_allclose(disagreement(HAND), [1 / 3, 1 / 3, 0])
    assert disagreement({"a": np.array([0.9]), "b": np.array([0.1])}).tolist() == [0.5]
