"""What every learner makes of rows and columns: their order, their weights, and those that say nothing."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from candlelock.contracts.train_params import SETTINGS
from candlelock.train.learner import LEARNERS, Sample
from candlelock.train.learners import xgboost
from candlelock.train.weights import class_balance
from tests.laws.test_learner_laws import ALL, STOPPING, draw_sample, fit
from tests.learner_settings import QUICK

if TYPE_CHECKING:
    from candlelock.train.learner import Model

# How far answers move when rows or columns come in another order: by rounding. All other learners draw them by place.
ROW_FREE = {"logistic": 1e-6, "hist_gradient_boosting": 1e-6}
COLUMN_FREE = {"logistic": 1e-6, "svm": 1e-6}
REPEATED = {"logistic": 1e-4, "xgboost": 1e-5}  # learners to whom a row of weight 2 is that row twice


@functools.cache
def plain(name: str) -> Model:
    """The learner trained on the first sample."""
    return fit(name, draw_sample(1, 1.5))


def shuffled(n: int) -> np.ndarray:
    return np.random.default_rng(8).permutation(n)


@pytest.mark.parametrize("name", ALL)
def test_rows_are_answered_whatever_stands_around_them(name: str) -> None:
    model, x = plain(name), draw_sample(3, 1.5).x
    order = shuffled(len(x))
    np.testing.assert_allclose(model.predict(x[order]), model.predict(x)[order], rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_training_rows_matters_to_those_who_draw_rows(name: str) -> None:
    sample, x = draw_sample(1, 1.5), draw_sample(3, 1.5).x
    moved = np.abs(fit(name, sample.take(shuffled(600))).predict(x) - plain(name).predict(x)).max()
    assert moved <= ROW_FREE[name] if name in ROW_FREE else moved > 1e-4


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_columns_matters_to_those_who_draw_columns(name: str) -> None:
    sample, unseen, order = draw_sample(1, 1.5), draw_sample(3, 1.5), np.array([3, 0, 5, 2, 4, 1])
    other = fit(name, replace(sample, x=sample.x[:, order]))
    p = other.predict(unseen.x[:, order])
    moved = np.abs(p - plain(name).predict(unseen.x)).max()
    assert moved <= COLUMN_FREE[name] if name in COLUMN_FREE else moved > 1e-4
    assert roc_auc_score(unseen.y, p) > 0.7
    assert other.gains().argmax() == 1


@pytest.mark.parametrize("name", ALL)
def test_a_constant_feature_says_nothing(name: str) -> None:
    sample, unseen = draw_sample(1, 1.5), draw_sample(3, 1.5)
    for each in (sample, unseen):
        each.x[:, 4] = 7.0
    model = fit(name, sample, draw_sample(2, 1.5, 200))
    assert roc_auc_score(unseen.y, model.predict(unseen.x)) > 0.7
    if name != "mlp":  # its first layer keeps the weights it started from
        assert model.gains()[4] == 0


@pytest.mark.parametrize("name", ALL)
def test_a_twin_and_more_features_than_rows_are_borne(name: str) -> None:
    """The check before the fit refuses them; a learner by itself answers all the same."""
    sample = draw_sample(1, 1.5, 60)
    wide = np.hstack([sample.x, sample.x, np.random.default_rng(1).normal(size=(60, 80))])
    p = fit(name, replace(sample, x=wide)).predict(wide)
    assert np.isfinite(p).all()


@pytest.mark.parametrize("name", ALL)
def test_weights_of_one_are_no_weights(name: str) -> None:
    sample, stop, x = draw_sample(1, 1.5), draw_sample(2, 1.5, 200), draw_sample(3, 1.5).x
    weighed = [replace(each, weights=np.ones(len(each.y))) for each in (sample, stop)]
    moved = np.abs(fit(name, *weighed).predict(x) - fit(name, sample, stop).predict(x))
    is_drawn = name == "random_forest"  # by its weights
    assert moved.mean() < 0.06 if is_drawn else moved.max() < 1e-6


@pytest.mark.parametrize("name", ALL)
def test_rows_that_weigh_next_to_nothing_teach_nothing(name: str) -> None:
    """Half of the rows say the opposite; the learner goes with those that count."""
    sample, unseen = draw_sample(1, 3.0, 1200), draw_sample(3, 3.0, 2000)
    is_false = np.arange(1200) % 2 == 1
    lied = replace(sample, y=np.where(is_false, 1 - sample.y, sample.y))
    weights = np.where(is_false, 1e-6, 2.0)
    assert roc_auc_score(unseen.y, fit(name, replace(lied, weights=weights)).predict(unseen.x)) > 0.75
    assert roc_auc_score(unseen.y, fit(name, replace(lied, weights=2 - weights)).predict(unseen.x)) < 0.25


@pytest.mark.parametrize("name", ALL)
def test_balanced_classes_lift_the_rare_one(name: str) -> None:
    sample = draw_sample(1, 1.5, 1500)
    rare = sample.take(np.flatnonzero((sample.y == 0) | (np.arange(1500) % 5 == 0)))
    balanced = replace(rare, weights=class_balance(rare.y))
    plain, lifted = (fit(name, each).predict(rare.x).mean() for each in (rare, balanced))
    assert plain == pytest.approx(rare.y.mean(), abs=0.1)
    assert lifted > plain + 0.1


def discrete(seed: int) -> Sample:
    """Features of few values, so that bins do not depend on how often each occurs."""
    sample = draw_sample(seed, 1.5)
    return replace(sample, x=np.round(2 * sample.x) / 2)


@pytest.mark.parametrize("name", REPEATED)
def test_a_weight_of_two_is_the_row_twice(name: str) -> None:
    whole = {"subsample": 1.0, "colsample_bytree": 1.0} if name == "xgboost" else {}
    settings = SETTINGS[name].model_validate({**QUICK[name].model_dump(), **whole})
    sample, times = discrete(1), np.random.default_rng(5).integers(1, 4, 600)
    weighed = LEARNERS[name].fit(replace(sample, weights=times.astype(float)), None, settings, 1, 1)
    repeated = LEARNERS[name].fit(sample.take(np.repeat(np.arange(600), times)), None, settings, 1, 1)
    x = discrete(3).x
    np.testing.assert_allclose(weighed.predict(x), repeated.predict(x), rtol=0, atol=REPEATED[name])


@pytest.mark.parametrize("name", STOPPING)
def test_stopping_rows_count_by_their_weights(name: str) -> None:
    sample, stop = draw_sample(1, 1.0), draw_sample(2, 1.0, 300)
    some = np.arange(300) % 3 == 0
    weighed = replace(stop, weights=3.0 * some)
    kept = [fit(name, sample, each).n_rounds for each in (stop.take(some), weighed, stop)]
    assert kept[0] == kept[1]
    assert fit(name, sample, stop.take(some)).to_bytes() == fit(name, sample, weighed).to_bytes()


def test_class_weights_are_xgboost_s_scale_pos_weight() -> None:
    """Up to the start: XGBoost estimates it from weights alone."""
    sample = draw_sample(1, 1.5, 1500)
    rare = sample.take(np.flatnonzero((sample.y == 0) | (np.arange(1500) % 5 == 0)))
    ratio = (rare.y == 0).sum() / (rare.y == 1).sum()
    weights = np.where(rare.y == 1, ratio, 1.0)
    own = fit("xgboost", replace(rare, weights=weights)).predict(rare.x)
    library = xgboost.xgboost
    options = xgboost.FIXED | QUICK["xgboost"].model_dump(exclude={"max_rounds", "patience_rounds"})
    data = library.QuantileDMatrix(rare.x, rare.y, max_bin=64)
    more = {"seed": 11, "nthread": 1, "scale_pos_weight": ratio}
    theirs = library.train(options | more, data, 60).inplace_predict(rare.x)
    assert np.corrcoef(own, theirs)[0, 1] > 0.97
    assert own.mean() == pytest.approx(theirs.mean(), abs=0.02)
