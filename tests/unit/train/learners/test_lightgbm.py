"""LightGBM's text model: the same at any thread count, and again after a reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

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
