"""Scores against scikit-learn: the value, and each replicate on explicitly resampled rows."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from candlelock.contracts.stage_params import EvaluateParams
from candlelock.evaluate import scores
from candlelock.evaluate.bootstrap import HOUR_MS, Blocks, draw_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.evaluate.bootstrap import Array

N_BINS = 10
PARAMS = EvaluateParams(n_bootstrap=100, block_hours=24, confidence=0.95, n_calibration_bins=N_BINS)


def ece_slowly(y: Array, p: Array) -> float:
    """Weighted mean over bins of |mean p - share of ups|."""
    bins: dict[int, list[int]] = {}
    for row, probability in enumerate(p):
        bins.setdefault(min(int(probability * N_BINS), N_BINS - 1), []).append(row)
    return float(sum(len(rows) / len(y) * abs(p[rows].mean() - y[rows].mean()) for rows in bins.values()))


ORACLES: dict[str, Callable[[Array, Array], float]] = {
    "accuracy": lambda y, p: metrics.accuracy_score(y, p >= 0.5),
    "precision": lambda y, p: metrics.precision_score(y, p >= 0.5, zero_division=math.nan),
    "recall": lambda y, p: metrics.recall_score(y, p >= 0.5, zero_division=math.nan),
    "f1": lambda y, p: metrics.f1_score(y, p >= 0.5, zero_division=math.nan),
    "auc_roc": lambda y, p: metrics.roc_auc_score(y, p) if 0 < y.mean() < 1 else math.nan,
    "log_loss": lambda y, p: metrics.log_loss(y, np.clip(p, 1e-7, 1 - 1e-7), labels=[0.0, 1.0]),
    "brier": lambda y, p: float(np.mean((p - y) ** 2)),
    "ece": ece_slowly,
}


def score_all(y: Array, p: Array, blocks: Blocks) -> dict[str, scores.Scored]:
    return {
        **scores.score_outcomes(y, p, blocks),
        **scores.score_means(y, p, blocks),
        "auc_roc": scores.score_auc(y, p, blocks),
        "ece": scores.score_ece(y, p, blocks, scores.bin_of(p, N_BINS)),
    }


def draw(seed: int, n_rows: int, decimals: int, base: float) -> tuple[Array, Array, Blocks]:
    """Labels, probabilities rounded into ties, and blocks of a day, rows in no order."""
    random = np.random.default_rng(seed)
    p = random.beta(3, 3, n_rows).round(decimals)
    y = (random.random(n_rows) < base).astype(float)
    return y, p, draw_blocks(random.permutation(n_rows) * HOUR_MS, PARAMS, seed)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 200), st.sampled_from([1, 2, 9]), st.sampled_from([0.02, 0.5, 0.97]))
def test_every_score_and_every_replicate_is_that_of_scikit_learn(
    seed: int, n_rows: int, decimals: int, base: float
) -> None:
    y, p, blocks = draw(seed, n_rows, decimals, base)
    scored = score_all(y, p, blocks)
    assert scored.keys() == ORACLES.keys()
    for name, (value, replicates) in scored.items():
        assert value == pytest.approx(ORACLES[name](y, p), rel=1e-9, abs=1e-12, nan_ok=True), name
        assert replicates.shape == (100,)
        for number in (0, 99):
            rows = np.repeat(np.arange(n_rows), blocks.draws[number][blocks.index].astype(int))
            expected = ORACLES[name](y[rows], p[rows])
            assert replicates[number] == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("name", sorted(set(ORACLES) - {"ece"}))
def test_the_interval_contains_the_value(name: str) -> None:
    for seed in range(5):
        y, p, blocks = draw(seed, 500, 9, 0.5)
        interval = blocks.interval(*score_all(y, p, blocks)[name])
        assert interval.low < interval.value < interval.high


def test_outcomes_count_the_four_cases_with_one_half_as_up() -> None:
    y, p = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0]), np.array([0.5, 0.499, 0.5, 0.2, 0.9, 0.3])
    assert scores.outcomes(y, p).sum(axis=0).tolist() == [2, 1, 2, 1]
    np.testing.assert_array_equal(scores.outcomes(y, p).sum(axis=1), 1)


def test_ece_by_hand() -> None:
    y = np.array([0.0, 1.0, 1.0, 1.0, 0.0])
    p = np.array([0.21, 0.29, 0.9, 1.0, 0.55])
    blocks = Blocks(np.zeros(5, dtype=np.int64), np.ones((3, 1)), 0.95)
    # bin 0.2-0.3: |0.5 - 1| ; bin 0.9-1, 1 included: |1.9 - 2| ; bin 0.5-0.6: |0.55 - 0|
    value, replicates = scores.score_ece(y, p, blocks, scores.bin_of(p, 10))
    assert value == pytest.approx((0.5 + 0.1 + 0.55) / 5)
    np.testing.assert_allclose(replicates, value)


def test_bins_of_equal_mass_hold_as_many_rows_and_never_part_equal_probabilities() -> None:
    p = np.random.default_rng(0).permutation(1000) / 1000
    assert np.bincount(scores.mass_bin_of(p, 8)).tolist() == [125] * 8
    tied = np.array([0.1, 0.2, 0.2, 0.2, 0.2, 0.3])
    assert scores.mass_bin_of(tied, 3).tolist() == [0, 0, 0, 0, 0, 2]
    assert set(scores.mass_bin_of(np.full(9, 0.4), 3)) == {0}


def test_ece_of_equal_mass_by_hand() -> None:
    """Two bins of three rows: |0.9 - 2| and |2.1 - 1|."""
    y, p = np.array([1.0, 1, 0, 0, 1, 0]), np.array([0.2, 0.3, 0.4, 0.6, 0.7, 0.8])
    blocks = Blocks(np.zeros(6, dtype=np.int64), np.ones((1, 1)), 0.95)
    value, _ = scores.score_ece(y, p, blocks, scores.mass_bin_of(p, 2))
    assert value == pytest.approx((1.1 + 1.1) / 6)


def test_replicates_of_blocks_with_one_class_are_unknown_and_left_out() -> None:
    y, p = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.6, 0.4, 0.3, 0.55])
    draws = np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    blocks = Blocks(np.array([0, 0, 1, 1]), draws, 0.95)
    value, replicates = scores.score_auc(y, p, blocks)
    assert np.isnan(replicates).tolist() == [True, True, False]
    assert blocks.interval(value, replicates).model_dump() == {"value": 0.75, "low": 0.75, "high": 0.75}
    recall = scores.score_outcomes(y, p, blocks)["recall"][1]
    assert np.isnan(recall).tolist() == [False, True, False]


def test_a_score_with_nothing_to_divide_by_is_unknown_without_a_warning() -> None:
    blocks = Blocks(np.zeros(3, dtype=np.int64), np.ones((2, 1)), 0.95)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scored = scores.score_outcomes(np.zeros(3), np.full(3, 0.2), blocks)
        auc = scores.score_auc(np.zeros(3), np.full(3, 0.2), blocks)
    assert math.isnan(scored["precision"][0])
    assert scored["accuracy"][0] == 1
    assert math.isnan(auc[0])


def test_certain_errors_cost_a_bounded_log_loss() -> None:
    blocks = Blocks(np.zeros(1, dtype=np.int64), np.ones((1, 1)), 0.95)
    assert scores.score_means(np.ones(1), np.zeros(1), blocks)["log_loss"][0] == pytest.approx(-math.log(1e-7))
