"""Laws of significance: what a figure may not depend on, and in which direction it moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.contracts.stage_params import EvaluateParams
from candlelock.evaluate.block_length import block_length
from candlelock.evaluate.circular_blocks import Steps, draw_circular
from candlelock.evaluate.overfitting import halve_groups, halve_periods
from candlelock.evaluate.predictive_ability import examine_superiority
from candlelock.evaluate.sharpe_significance import (
    deflated_sharpe,
    expected_max_sharpe,
    measure_returns,
    min_track_record,
    probability_above,
)

LIGHT = settings(deadline=None, max_examples=50)
PARAMS = EvaluateParams(n_bootstrap=100, block_hours=24, confidence=0.95, n_calibration_bins=10)
N = 60
seeds = st.integers(0, 10**6)
scales = st.floats(0.01, 100)


def draw(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_t(4, shape) * 0.01


@LIGHT
@given(seeds, scales)
def test_leverage_changes_no_sharpe_ratio_and_the_other_side_turns_it(seed: int, scale: float) -> None:
    returns = draw(seed, 80) + 0.001
    own, levered, short = (measure_returns(each) for each in (returns, scale * returns, -returns))
    assert own is not None
    assert levered is not None
    assert short is not None
    figures = [(s.sharpe, s.skewness, s.kurtosis, s.n_effective) for s in (own, levered, short)]
    assert figures[1] == pytest.approx(figures[0])
    assert figures[2] == pytest.approx((-own.sharpe, -own.skewness, own.kurtosis, own.n_effective))
    assert probability_above(short) == pytest.approx(1 - probability_above(own))
    assert 1 <= own.n_effective <= own.n_periods


@LIGHT
@given(seeds, st.integers(1, 10_000), st.integers(1, 1000), st.floats(0, 0.1), st.floats(0, 0.1))
def test_more_tries_and_wider_ones_deflate_more(seed: int, n: int, more: int, low: float, wider: float) -> None:
    shape = measure_returns(draw(seed, 80) + 0.002)
    assert shape is not None
    assert deflated_sharpe(shape, n + more, low) <= deflated_sharpe(shape, n, low) <= probability_above(shape)
    assert deflated_sharpe(shape, n, low + wider) <= deflated_sharpe(shape, n, low)
    assert expected_max_sharpe(n, 4 * low) == pytest.approx(2 * expected_max_sharpe(n, low))


@LIGHT
@given(seeds, st.floats(0.01, 0.2), st.floats(0.55, 0.99))
def test_a_higher_ratio_needs_a_shorter_record_unless_its_own_spread_forbids(
    seed: int, sharpe: float, confidence: float
) -> None:
    shape = measure_returns(draw(seed, 80))
    assert shape is not None
    symmetric = replace(shape, skewness=0.0, kurtosis=3.0)
    needed = [min_track_record(replace(symmetric, sharpe=sharpe * up), 0.0, confidence) for up in (1, 1.5, 2)]
    assert None not in needed
    assert sorted(needed, reverse=True) == needed  # type: ignore[type-var]


@LIGHT
@given(seeds, scales, st.floats(-1, 1))
def test_a_block_length_knows_no_units_and_no_direction_of_time(seed: int, scale: float, shift: float) -> None:
    series = np.convolve(draw(seed, 300), np.ones(5), "valid")
    expected = pytest.approx(block_length(series), rel=1e-6)
    assert block_length(scale * series + shift) == expected
    assert block_length(series[::-1]) == expected


@LIGHT
@given(seeds, scales, st.permutations(range(4)))
def test_hansens_test_knows_no_order_no_shared_level_and_no_units(seed: int, scale: float, order: list[int]) -> None:
    leads, level = draw(seed, N, 4) + 0.001, draw(seed + 1, N)
    blocks = draw_circular(Steps(np.arange(N), N, 1), 3, PARAMS, 1)

    def examine(columns: np.ndarray, base: np.ndarray) -> tuple[float, ...]:
        alternatives = {str(at): base - each for at, each in enumerate(columns.T)}
        found = examine_superiority("log_loss", ("model", base), alternatives, blocks, N)
        assert found.p_lower <= found.p_consistent <= found.p_upper
        return found.p_lower, found.p_consistent, found.p_upper

    expected = pytest.approx(examine(leads, 0 * level), abs=0.021)  # a replicate or two may tie with what was found
    assert examine(leads[:, order], level) == expected
    assert examine(leads * [scale, 1, 1 / scale, 1], 0 * level) == expected


@LIGHT
@given(seeds, scales, st.permutations(range(5)), st.permutations(range(4)))
def test_overfitting_knows_no_order_of_trials_or_groups(
    seed: int, scale: float, trials: list[int], groups: list[int]
) -> None:
    scores = draw(seed, 5, 4)
    expected = np.sort(halve_groups(scores).logits)
    np.testing.assert_allclose(np.sort(halve_groups(scale * scores[trials][:, groups] + 1).logits), expected)
    returns = draw(seed, 80, 5)
    expected = halve_periods(returns, 4).logits
    np.testing.assert_allclose(halve_periods(returns[:, trials] * scale, 4).logits, expected)
