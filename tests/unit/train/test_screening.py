"""Which rows trials on fewer rows see: whole blocks of time, evenly, and no chance in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.artifacts.user_files import read_params
from candlelock.train.learner import Sample
from candlelock.train.members import FoldSamples
from candlelock.train.screening import N_BLOCKS, scale_rows, screen_folds, spread_blocks
from tests.learner_settings import QUICK
from tests.unit.train.search_runs import STARTS

if TYPE_CHECKING:
    from candlelock.contracts.stage_params import Frozen

PARAMS = read_params(Path(__file__).parents[3]).train
VALUES: dict[str, Frozen] = {"hist": PARAMS.hist_gradient_boosting, "logistic": PARAMS.logistic}
BARS = 1_700_000_000_000 + 60_000 * np.arange(24_000)


@pytest.mark.parametrize("frac", [0.05, 0.1, 0.25, 1 / 3, 0.5, 0.8, 1.0])
def test_the_share_is_kept_in_every_tenth_of_the_time(frac: float) -> None:
    taken = spread_blocks(BARS, frac)
    assert taken.mean() == pytest.approx(frac, abs=1 / N_BLOCKS)
    for part in np.split(taken, 10):
        assert part.mean() == pytest.approx(frac, abs=10 / N_BLOCKS)


def test_blocks_are_whole() -> None:
    taken = spread_blocks(BARS, 0.25)
    runs = np.diff(np.flatnonzero(np.diff(taken.astype(int), prepend=0, append=0)))
    n_block = len(BARS) // N_BLOCKS
    assert set(runs[::2].tolist()) == {n_block}
    assert set(runs[1::2].tolist()) == {3 * n_block}


def test_symbols_of_a_bar_go_together_and_the_order_of_rows_does_not_matter() -> None:
    times = np.repeat(BARS, 3)
    order = np.random.default_rng(1).permutation(len(times))
    taken = spread_blocks(times, 0.2)
    np.testing.assert_array_equal(taken.reshape(-1, 3), np.repeat(taken[::3, None], 3, axis=1))
    np.testing.assert_array_equal(spread_blocks(times[order], 0.2), taken[order])


def test_blocks_are_of_time_and_not_of_rows() -> None:
    """A symbol that joins late makes later blocks fuller, not shorter."""
    late = np.concatenate([BARS, BARS[12_000:]])
    np.testing.assert_array_equal(spread_blocks(late, 0.25)[: len(BARS)], spread_blocks(BARS, 0.25))


def test_weights_of_screened_rows_keep_their_ratios_and_have_a_mean_of_one() -> None:
    random = np.random.default_rng(2)
    n = len(BARS)
    sample = Sample(random.normal(size=(n, 2)), np.ones(n), np.arange(n), np.linspace(0.5, 1.5, n))
    (fold,) = screen_folds([FoldSamples(sample, sample.take(np.arange(50)))], BARS, 0.25)
    assert fold.trains.weights is not None and sample.weights is not None
    assert fold.trains.weights.mean() == pytest.approx(1, rel=1e-12)
    ratio = fold.trains.weights / sample.weights[fold.trains.rows]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)
    assert fold.validates.weights is not None and len(fold.validates.y) == 50


def test_settings_that_count_rows_shrink_with_them_and_others_stay() -> None:
    base = STARTS["lightgbm"].model_copy(update={"min_data_in_leaf": 1000})
    changed = {"min_data_in_leaf": 250, "lambda_l2": 0.25}
    assert scale_rows(base, 0.25) == base.model_copy(update=changed)
    assert scale_rows(STARTS["lightgbm"], 0.01).min_data_in_leaf == 1  # type: ignore[attr-defined]
    changed = {"min_samples_leaf": 250, "l2_regularization": 2.5}
    assert scale_rows(VALUES["hist"], 0.25) == VALUES["hist"].model_copy(update=changed)
    assert scale_rows(VALUES["logistic"], 0.25) == VALUES["logistic"].model_copy(update={"c": 0.4})
    changed = {"min_child_weight": 0.5, "reg_lambda": 0.25}
    assert scale_rows(STARTS["xgboost"], 0.25) == STARTS["xgboost"].model_copy(update=changed)
    assert scale_rows(QUICK["catboost"], 0.25) == QUICK["catboost"].model_copy(update={"l2_leaf_reg": 0.25})
