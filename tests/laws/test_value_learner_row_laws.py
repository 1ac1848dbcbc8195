"""What every learner of values makes of rows and columns: their order, their weights, and those that say nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from candlelock.contracts.train_params import SETTINGS
from candlelock.train.averaging import Averaged
from candlelock.train.contributions import EXPLAINED, find_contributions
from candlelock.train.learner import LEARNERS, Sample
from tests.laws.test_contribution_laws import STEPS
from tests.laws.test_learner_laws import ALL, STOPPING, fit
from tests.laws.test_learner_row_laws import shuffled
from tests.laws.test_value_learner_laws import STOP, TRAIN, UNSEEN, draw_values, plain, share_told, stopped
from tests.learner_settings import VALUES, with_skips

# How far answers move when rows or columns come in another order: by rounding. All other learners draw them by place.
ROW_FREE = {"logistic": 1e-9, "hist_gradient_boosting": 1e-5}
COLUMN_FREE = {"logistic": 1e-9, "svm": 1e-6}
WHOLE: dict[str, dict[str, Any]] = {
    "lightgbm": {"feature_fraction": 1.0, "bagging_fraction": 1.0, "min_data_in_leaf": 1, "max_rounds": 20},
    "xgboost": {"colsample_bytree": 1.0, "subsample": 1.0},
    "hist_gradient_boosting": {"max_features": 1.0, "min_samples_leaf": 1},
    "catboost": {"rsm": 1.0, "subsample": 1.0, "random_strength": 0.0, "l2_leaf_reg": 0.0},
    "svm": {"n_landmarks": 2000},
    "logistic": {},
}  # what of their settings learners need to whom a row of weight 2 is that row twice
REPEATED = {"logistic": 1e-9, "svm": 2e-3}  # how far they are then apart; boosters round gradients to float32


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_training_rows_matters_to_those_who_draw_rows(name: str) -> None:
    moved = np.abs(fit(name, TRAIN.take(shuffled(600))).predict(UNSEEN.x) - plain(name).predict(UNSEEN.x)).max()
    assert moved <= ROW_FREE[name] if name in ROW_FREE else moved > 1e-4


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_columns_matters_to_those_who_draw_columns(name: str) -> None:
    order = np.array([3, 0, 5, 2, 4, 1])
    other = fit(name, replace(TRAIN, x=TRAIN.x[:, order]))
    answer = other.predict(UNSEEN.x[:, order])
    moved = np.abs(answer - plain(name).predict(UNSEEN.x)).max()
    assert moved <= COLUMN_FREE[name] if name in COLUMN_FREE else moved > 1e-4
    assert share_told(UNSEEN, answer) > 0.3
    assert other.gains().argmax() == 1


@pytest.mark.parametrize("name", ALL)
def test_a_constant_feature_says_nothing(name: str) -> None:
    def flat(sample: Sample) -> Sample:
        return replace(sample, x=np.where(np.arange(6) == 4, 7.0, sample.x))

    model = fit(name, flat(TRAIN), flat(STOP))
    assert share_told(UNSEEN, model.predict(flat(UNSEEN).x)) > 0.3
    if name != "mlp":  # its first layer keeps the weights it started from
        assert model.gains()[4] == 0


@pytest.mark.parametrize("name", ALL)
def test_more_features_than_rows_and_labels_of_one_value_are_borne(name: str) -> None:
    """The check before the fit refuses them; a learner by itself answers all the same."""
    some = TRAIN.take(np.arange(60))
    wide = np.hstack([some.x, some.x, np.random.default_rng(1).normal(size=(60, 80))])
    assert np.isfinite(fit(name, replace(some, x=wide)).predict(wide)).all()
    if name != "catboost":  # it refuses them itself
        level = fit(name, replace(TRAIN, y=np.full(600, 0.7))).predict(UNSEEN.x)
        np.testing.assert_allclose(level, 0.7, atol=1e-6 if name != "mlp" else 0.5)


@pytest.mark.parametrize("name", ALL)
def test_weights_of_one_are_no_weights(name: str) -> None:
    weighed = [replace(each, weights=np.ones(len(each.y))) for each in (TRAIN, STOP)]
    moved = np.abs(fit(name, *weighed).predict(UNSEEN.x) - stopped(name).predict(UNSEEN.x))
    is_drawn = name == "random_forest"  # by its weights
    assert moved.mean() < 0.2 if is_drawn else moved.max() < 1e-6


@pytest.mark.parametrize("name", ALL)
def test_rows_that_weigh_next_to_nothing_teach_nothing(name: str) -> None:
    """Half of the rows say the opposite; the learner goes with those that count."""
    sample = draw_values(1, 3.0, 1200)
    is_false = np.arange(1200) % 2 == 1
    lied = replace(sample, y=np.where(is_false, -sample.y, sample.y))
    weights = np.where(is_false, 1e-6, 2.0)
    true, false = (fit(name, replace(lied, weights=each)).predict(UNSEEN.x) for each in (weights, 2 - weights))
    assert np.corrcoef(true, UNSEEN.y)[0, 1] > 0.5
    assert np.corrcoef(false, UNSEEN.y)[0, 1] < -0.5


def discrete(sample: Sample) -> Sample:
    """Features of few values, so that bins do not depend on how often each occurs."""
    return replace(sample, x=np.round(2 * sample.x) / 2)


@pytest.mark.parametrize("name", with_skips(WHOLE))
def test_a_weight_of_two_is_the_row_twice(name: str) -> None:
    settings = SETTINGS[name].model_validate({**VALUES[name], **WHOLE[name]})
    sample, times = discrete(TRAIN), np.random.default_rng(5).integers(1, 4, 600)
    weighed = LEARNERS[name].fit(replace(sample, weights=times.astype(float)), None, settings, 1, 1)
    repeated = LEARNERS[name].fit(sample.take(np.repeat(np.arange(600), times)), None, settings, 1, 1)
    x = discrete(UNSEEN).x
    moved = np.abs(weighed.predict(x) - repeated.predict(x))
    assert np.quantile(moved, 0.99) <= REPEATED.get(name, 1e-4), "but for a tie between two splits"


@pytest.mark.parametrize("name", STOPPING)
def test_stopping_rows_count_by_their_weights(name: str) -> None:
    some = np.arange(200) % 2 == 0
    weighed = replace(STOP, weights=2.0 * some)
    assert fit(name, TRAIN, STOP.take(some)).to_bytes() == fit(name, TRAIN, weighed).to_bytes()


@pytest.mark.parametrize("name", EXPLAINED)
def test_base_and_contributions_sum_to_the_value(name: str) -> None:
    model = Averaged((stopped(name), plain(name)))
    parts, answer = find_contributions(name, model, UNSEEN.x), model.predict(UNSEEN.x)
    assert parts.shape == (len(UNSEEN.x), 7)
    assert np.unique(parts[:, -1]).size == 1
    assert not parts[:, 5].any(), "a feature that was never known adds nothing"
    n_steps = 16 if STEPS[name] is np.float32 else 64  # hundreds of float64 are summed, a float32 answer is rounded
    np.testing.assert_allclose(parts.sum(axis=1), answer, rtol=0, atol=n_steps * np.finfo(STEPS[name]).eps)
