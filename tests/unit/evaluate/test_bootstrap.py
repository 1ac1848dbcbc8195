"""The block bootstrap: whole blocks, drawn once for all scores, with the coverage it claims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from candlelock.contracts.stage_params import EvaluateParams
from candlelock.evaluate.bootstrap import HOUR_MS, Blocks, draw_blocks
from candlelock.evaluate.scores import score_means, score_outcomes

if TYPE_CHECKING:
    from candlelock.evaluate.bootstrap import Array


def params(**changes: Any) -> EvaluateParams:
    values = {"n_bootstrap": 400, "block_hours": 24, "confidence": 0.95, "n_calibration_bins": 10}
    return EvaluateParams.model_validate(values | changes)


def test_a_block_is_a_stretch_of_utc_time_with_all_symbols_in_it() -> None:
    day = 24 * HOUR_MS
    opens = np.array([19_000 * day, 19_001 * day - 1, 19_001 * day, 19_004 * day, 19_000 * day])
    assert draw_blocks(opens, params(), 1).index.tolist() == [0, 0, 1, 2, 0]


def test_each_replicate_draws_as_many_blocks_as_there_are() -> None:
    blocks = draw_blocks(np.arange(500) * HOUR_MS, params(), 1)
    assert blocks.draws.shape == (400, blocks.n_blocks) == (400, 21)
    assert (blocks.draws.sum(axis=1) == 21).all()
    assert (blocks.draws == blocks.draws.astype(int)).all()
    assert blocks.draws.mean(axis=0) == pytest.approx(np.ones(21), abs=0.25)


def test_draws_follow_the_seed_and_not_the_order_of_the_rows() -> None:
    opens = np.arange(500) * HOUR_MS
    first, again, other = (draw_blocks(opens, params(), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.draws, again.draws)
    assert (first.draws != other.draws).any()
    order = np.random.default_rng(0).permutation(500)
    shuffled = draw_blocks(opens[order], params(), 1)
    np.testing.assert_array_equal(shuffled.index, first.index[order])
    np.testing.assert_array_equal(shuffled.draws, first.draws)


def test_sums_of_a_replicate_are_those_of_its_resampled_rows() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(300, 2))
    blocks = draw_blocks(random.permutation(300) * HOUR_MS, params(), 5)
    total, replicates = blocks.sums(values)
    np.testing.assert_allclose(total, values.sum(axis=0))
    for number in (0, 7, 399):
        rows = np.repeat(np.arange(300), blocks.draws[number][blocks.index].astype(int))
        np.testing.assert_allclose(replicates[number], values[rows].sum(axis=0), atol=1e-10)
    np.testing.assert_allclose(blocks.sums(values[:, 0])[1][:, 0], replicates[:, 0])


@pytest.mark.parametrize(("confidence", "low", "high"), [(0.9, 5.0, 95.0), (0.5, 25.0, 75.0)])
def test_an_interval_is_cut_at_the_percentiles_of_the_known_replicates(
    confidence: float, low: float, high: float
) -> None:
    blocks = Blocks(np.zeros(1, dtype=np.int64), np.ones((1, 1)), confidence)
    replicates = np.r_[np.full(50, np.nan), np.random.default_rng(0).permutation(101)]
    interval = blocks.interval(42.0, replicates)
    assert (interval.value, interval.low, interval.high) == pytest.approx((42.0, low, high))


def test_without_a_known_replicate_the_interval_is_the_value() -> None:
    blocks = Blocks(np.zeros(1, dtype=np.int64), np.ones((1, 1)), 0.95)
    assert blocks.interval(0.25, np.full(9, np.nan)).model_dump() == {"value": 0.25, "low": 0.25, "high": 0.25}


def covered(random: np.random.Generator, truth: float, seed: int) -> bool:
    """One simulated test segment of independent rows: does the Brier score's interval hold the true one?"""
    p = random.uniform(0.2, 0.8, 600)
    y = (random.random(600) < p).astype(float)
    blocks = draw_blocks(np.arange(600) * HOUR_MS // 2, params(n_bootstrap=200, block_hours=6), seed)
    interval = blocks.interval(*score_means(y, p, blocks)["brier"])
    return interval.low <= truth <= interval.high


def test_intervals_of_independent_rows_cover_about_as_often_as_they_say() -> None:
    random, edges = np.random.default_rng(9), np.array([0.2, 0.8])
    truth = float(np.diff(edges**2 / 2 - edges**3 / 3)[0] / 0.6)  # mean of p (1 - p)
    assert 0.88 <= np.mean([covered(random, truth, seed) for seed in range(300)]) <= 0.985


def half_width(y: Array, block_hours: int) -> float:
    blocks = draw_blocks(np.arange(len(y)) * HOUR_MS, params(n_bootstrap=1000, block_hours=block_hours), 3)
    interval = blocks.interval(*score_outcomes(y, np.ones_like(y), blocks)["accuracy"])
    return (interval.high - interval.low) / 2


def test_rows_that_repeat_each_other_widen_the_interval_as_if_each_were_there_once() -> None:
    once = np.random.default_rng(4).integers(0, 2, 100).astype(float)
    copied = np.repeat(once, 24)
    assert half_width(copied, 24) == pytest.approx(half_width(once, 1), rel=0.1)
    assert half_width(copied, 1) < half_width(copied, 24) / 4
