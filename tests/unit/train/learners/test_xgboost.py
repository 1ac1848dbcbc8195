"""XGBoost's binary model: whole after a reading, cut after the best tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
