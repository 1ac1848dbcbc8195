"""LightGBM's text model: the same at any thread count, and again after a reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from lightgbm import LGBMRegressor

from candlelock.train.learner import Sample
from candlelock.train.learners import lightgbm

if TYPE_CHECKING:
    from candlelock.contracts.train_params import TrainParams


@pytest.fixture
def sample() -> Sample:
    random = np.random.default_rng(1)
    x = random.normal(size=(300, 4))
    return Sample(x, (x[:, 0] + random.normal(size=300) > 0).astype(float), np.arange(300))


def test_the_text_says_one_thread_and_nothing_else_of_the_machine(sample: Sample, train_params: TrainParams) -> None:
    text = lightgbm.fit(sample, sample, train_params.lightgbm, 1, 2).to_bytes().decode()
    assert text.count("[num_threads: 1]") == 1
    assert "[num_threads: 2]" not in text


def test_a_model_read_and_written_again_is_the_same_text(sample: Sample, train_params: TrainParams) -> None:
    content = lightgbm.fit(sample, None, train_params.lightgbm, 1, 2).to_bytes()
    assert lightgbm.load(content).to_bytes() == content


def test_rows_too_few_for_a_leaf_give_the_share_of_ups(sample: Sample, train_params: TrainParams) -> None:
    settings = train_params.lightgbm.model_copy(update={"min_data_in_leaf": 500})
    p = lightgbm.fit(sample, None, settings, 1, 1).predict(sample.x)
    np.testing.assert_allclose(p, sample.y.mean(), rtol=1e-6)


def test_of_values_it_answers_as_the_library_s_regressor(sample: Sample, train_params: TrainParams) -> None:
    y, settings = np.abs(sample.x[:, 0]) + 5, train_params.lightgbm
    names = settings.model_dump(exclude={"max_rounds", "patience_rounds"}) | {"bagging_freq": 1, "verbosity": -1}
    same = {"min_child_samples": names.pop("min_data_in_leaf"), "colsample_bytree": names.pop("feature_fraction")}
    same |= {"subsample": names.pop("bagging_fraction"), "reg_lambda": names.pop("lambda_l2")}
    same |= {"subsample_freq": names.pop("bagging_freq"), "n_estimators": settings.max_rounds}
    theirs = LGBMRegressor(**names, **same, random_state=1, n_jobs=1, min_child_weight=1e-3).fit(sample.x, y)
    own = lightgbm.fit(Sample(sample.x, y, sample.rows, is_value=True), None, settings, 1, 2)
    np.testing.assert_allclose(own.predict(sample.x), theirs.predict(sample.x), rtol=1e-12)
