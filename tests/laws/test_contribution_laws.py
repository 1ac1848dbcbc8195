"""Laws of contributions: with their base they sum to the log-odds of the answer; who has none says so."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.contracts.errors import InputError
from candlelock.train.averaging import Averaged
from candlelock.train.contributions import EXPLAINED, find_contributions, log_odds
from candlelock.train.learner import LEARNERS
from tests.laws.test_learner_laws import draw_sample, fit
from tests.learner_settings import with_skips

STEPS = {"lightgbm": np.float64, "logistic": np.float64, "xgboost": np.float32}  # what a learner answers in
UNSEEN = draw_sample(3, 1.5).x


def train(name: str, *seeds: int, strength: float = 1.5) -> Averaged:
    return Averaged(tuple(fit(name, draw_sample(1, strength), seed=seed) for seed in seeds or (11,)))


def test_every_learner_that_has_contributions_is_held_to_its_own_precision() -> None:
    assert set(EXPLAINED) == set(STEPS)


@pytest.mark.parametrize("strength", [0.0, 1.5, 6.0])
@pytest.mark.parametrize("name", EXPLAINED)
def test_base_and_contributions_sum_to_the_log_odds_of_the_answer(name: str, strength: float) -> None:
    model = train(name, strength=strength)
    parts = find_contributions(name, model, UNSEEN)
    assert parts.shape == (len(UNSEEN), UNSEEN.shape[1] + 1)
    p = model.predict(UNSEEN)
    apart = np.abs(parts.sum(axis=1) - log_odds(p))
    n_steps = 4 if STEPS[name] is np.float32 else 64  # hundreds of float64 are summed, a float32 answer is rounded
    assert (apart <= n_steps * np.finfo(STEPS[name]).eps / (p * (1 - p))).all()


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_base_is_the_same_for_every_row_and_nobody_s(name: str) -> None:
    parts = find_contributions(name, train(name), UNSEEN)
    assert np.unique(parts[:, -1]).size == 1
    assert not parts[:, 5].any(), "a feature that was never known adds nothing"


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_planted_feature_adds_most_and_on_its_own_side(name: str) -> None:
    parts, planted = find_contributions(name, train(name), UNSEEN), UNSEEN[:, 0]
    assert np.abs(parts[:, :-1]).mean(axis=0).argmax() == 0
    far = np.abs(np.nan_to_num(planted)) > 1
    assert (np.sign(parts[far, 0]) == np.sign(planted[far])).mean() > 0.95


@pytest.mark.parametrize("name", EXPLAINED)
def test_one_row_has_the_contributions_it_has_in_a_batch(name: str) -> None:
    model = train(name)
    one_by_one = np.concatenate([find_contributions(name, model, row[None]) for row in UNSEEN[:20]])
    np.testing.assert_allclose(one_by_one, find_contributions(name, model, UNSEEN)[:20], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", EXPLAINED)
def test_a_saved_model_has_the_same_contributions(name: str) -> None:
    model = train(name)
    loaded = Averaged((LEARNERS[name].load(model.models[0].to_bytes()),))
    np.testing.assert_array_equal(find_contributions(name, loaded, UNSEEN), find_contributions(name, model, UNSEEN))


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_of_several_seeds_the_mean_is_told_and_the_sum_still_holds(name: str) -> None:
    model = train(name, 11, 12, 13)
    parts = find_contributions(name, model, UNSEEN)
    each = np.mean([find_contributions(name, Averaged((one,)), UNSEEN) for one in model.models], axis=0)
    np.testing.assert_array_equal(parts[:, :-1], each[:, :-1])
    np.testing.assert_allclose(parts.sum(axis=1), log_odds(model.predict(UNSEEN)), rtol=0, atol=1e-12)
    moved = np.abs(parts[:, -1] - each[:, -1])
    assert 0 < moved.mean() < 0.02, "what averaging of probabilities changes is small"


def test_logistic_contributions_are_coefficients_times_standardised_values() -> None:
    model = train("logistic")
    (own,) = model.models
    parts = find_contributions("logistic", model, UNSEEN)
    expected = np.nan_to_num(np.clip((UNSEEN - own.inputs.mean) / own.inputs.scale, -5, 5)) * own.coefficients  # type: ignore[attr-defined]
    np.testing.assert_array_equal(parts[:, :-1], expected)
    assert not parts[:, :-1][np.isnan(UNSEEN)].any(), "an unknown value counts as the mean: it adds nothing"


@pytest.mark.parametrize("name", with_skips(sorted(set(LEARNERS) - set(EXPLAINED))))
def test_a_learner_without_contributions_says_so(name: str) -> None:
    assert LEARNERS[name].contributions is None
    with pytest.raises(InputError) as caught:
        find_contributions(name, train(name), UNSEEN)
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("explain-member", name)
    assert all(other in problem.expected for other in EXPLAINED)
