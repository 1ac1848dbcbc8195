"""XGBoost's binary model: whole after a reading, cut after the best tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from xgboost import Booster, XGBRegressor

from candlelock.train.learner import Sample
from candlelock.train.learners import xgboost

if TYPE_CHECKING:
    from candlelock.contracts.train_params import TrainParams


def draw_sample(seed: int) -> Sample:
    random = np.random.default_rng(seed)
    x = random.normal(size=(300, 12))
    return Sample(x, (x[:, 11] + random.normal(size=300) > 0).astype(float), np.arange(300))


def test_a_model_read_and_written_again_has_the_same_bytes(train_params: TrainParams) -> None:
    for stop in (None, draw_sample(2)):
        content = xgboost.fit(draw_sample(1), stop, train_params.xgboost, 1, 2).to_bytes()
        assert xgboost.load(content).to_bytes() == content


def test_gains_stand_at_their_features_place(train_params: TrainParams) -> None:
    gains = xgboost.fit(draw_sample(1), None, train_params.xgboost, 1, 1).gains()
    assert gains.shape == (12,)
    assert gains.argmax() == 11


def draw_values(seed: int) -> Sample:
    sample = draw_sample(seed)
    y = sample.x[:, 11] + np.random.default_rng(seed + 9).normal(size=300) + 5
    return Sample(sample.x, y, sample.rows, is_value=True)


def test_of_values_it_answers_as_the_library_s_regressor(train_params: TrainParams) -> None:
    """Up to float32, and but for ties between two splits."""
    settings, sample, x = train_params.xgboost, draw_values(1), draw_values(2).x
    names = settings.model_dump(exclude={"max_rounds", "patience_rounds"})
    theirs = XGBRegressor(**names, n_estimators=settings.max_rounds, tree_method="hist", random_state=1, n_jobs=1)
    moved = np.abs(
        xgboost.fit(sample, None, settings, 1, 1).predict(x) - theirs.fit(sample.x, sample.y).predict(x).astype(float)
    )
    assert np.quantile(moved, 0.95) < 1e-4


def test_of_values_the_booster_answers_in_standard_units_and_says_which(train_params: TrainParams) -> None:
    sample, x = draw_values(1), draw_values(2).x
    model, booster = xgboost.fit(sample, draw_values(3), train_params.xgboost, 1, 1), Booster()
    booster.load_model(bytearray(model.to_bytes()))
    mean, scale = (float(booster.attr(name) or "nan") for name in ("label_mean", "label_scale"))
    assert (mean, scale) == (sample.y.mean(), np.std(sample.y))
    np.testing.assert_array_equal(model.predict(x), mean + scale * booster.inplace_predict(x).astype(np.float64))
