"""Circular blocks: every hour equally often, whole stretches, as many hours as there are."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.contracts.stage_params import EvaluateParams
from candlelock.evaluate.bootstrap import HOUR_MS
from candlelock.evaluate.circular_blocks import Steps, cut_steps, draw_circular

PARAMS = EvaluateParams(n_bootstrap=400, block_hours=24, confidence=0.95, n_calibration_bins=10)


def steps_of(n: int, hours: int = 1) -> Steps:
    return Steps(np.arange(n), n, hours)


def test_a_step_is_an_hour_of_utc_with_all_symbols_in_it_and_gaps_have_theirs() -> None:
    steps = cut_steps(np.array([100 * HOUR_MS, 101 * HOUR_MS - 1, 101 * HOUR_MS, 104 * HOUR_MS, 100 * HOUR_MS]))
    assert (steps.index.tolist(), steps.n_steps, steps.hours) == ([0, 0, 1, 4, 0], 5, 1)


def test_long_spans_have_longer_steps() -> None:
    steps = cut_steps(np.arange(5001) * HOUR_MS)
    assert (steps.hours, steps.n_steps) == (2, 2501)


def by_hand(n: int, length: int, seed: int) -> np.ndarray:
    """Step by step, from the same starts."""
    starts = np.random.default_rng(seed).integers(0, n, size=(PARAMS.n_bootstrap, -(-n // length)))
    out = np.zeros((PARAMS.n_bootstrap, n))
    for replicate, own in enumerate(starts):
        drawn = [(start + k) % n for start in own for k in range(length)][:n]
        out[replicate] = np.bincount(drawn, minlength=n)
    return out


@pytest.mark.parametrize(("n", "length"), [(50, 7), (50, 1), (50, 50), (50, 49), (51, 17), (1, 1)])
def test_draws_are_stretches_that_wrap_around(n: int, length: int) -> None:
    blocks = draw_circular(steps_of(n), length, PARAMS, 3)
    np.testing.assert_array_equal(blocks.draws, by_hand(n, length, 3))
    assert (blocks.draws.sum(axis=1) == n).all()


def test_a_block_is_no_longer_than_the_span_and_counts_in_whole_steps() -> None:
    np.testing.assert_array_equal(draw_circular(steps_of(20), 999, PARAMS, 1).draws, np.ones((400, 20)))
    np.testing.assert_array_equal(draw_circular(steps_of(60, hours=3), 6.5, PARAMS, 1).draws, by_hand(60, 3, 1))


def test_ends_are_drawn_as_often_as_the_middle() -> None:
    mean = np.mean([draw_circular(steps_of(40), 9, PARAMS, seed).draws.mean(axis=0) for seed in range(20)], axis=0)
    assert mean == pytest.approx(np.ones(40), abs=0.06)


def test_the_spread_of_a_mean_is_its_long_run_one() -> None:
    """Sums of twelve shocks: independent draws would have the mean vary twelve times too little."""
    values = np.convolve(np.random.default_rng(8).normal(size=4011), np.ones(12), "valid")
    steps = steps_of(4000)
    wide, narrow = (draw_circular(steps, hours, PARAMS, 5).sums(values)[1].var() / 4000 for hours in (60, 1))
    assert wide == pytest.approx(144, rel=0.2)
    assert narrow == pytest.approx(12, rel=0.2)
