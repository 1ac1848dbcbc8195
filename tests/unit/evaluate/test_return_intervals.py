"""Intervals of what a back-test earned: figures by definition, blocks of days, and how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from candlelock.contracts.stage_params import EvaluateParams
from candlelock.evaluate.figures import drawdowns, sharpe
from candlelock.evaluate.return_intervals import bound_returns, draw_days

PARAMS = EvaluateParams(n_bootstrap=400, block_hours=24, confidence=0.9, n_calibration_bins=10)


def bound(returns: np.ndarray, seed: int = 1) -> dict[str, tuple[float, float, float]]:
    found = bound_returns(returns, PARAMS, seed)
    assert found is not None
    names = ("sharpe", "net_return_frac", "max_drawdown_frac")
    return {name: tuple(getattr(found, name).model_dump()[end] for end in ("low", "value", "high")) for name in names}


def test_figures_are_those_of_the_curve() -> None:
    returns = np.random.default_rng(1).normal(0.002, 0.02, 120)
    equity = np.cumprod(np.append(1.0, 1 + returns))
    found = bound(returns)
    assert found["sharpe"][1] == pytest.approx(sharpe(equity))
    assert found["net_return_frac"][1] == pytest.approx(equity[-1] - 1)
    assert found["max_drawdown_frac"][1] == pytest.approx(drawdowns(equity).max())
    assert all(low < value < high for low, value, high in found.values())


@pytest.mark.parametrize(("n_days", "block_days"), [(20, 1), (20, 7), (20, 20), (9, 4)])
def test_days_come_in_blocks_and_after_the_last_comes_the_first(n_days: int, block_days: int) -> None:
    days = draw_days(n_days, block_days, 300, 5)
    assert days.shape == (300, n_days)
    steps = (np.diff(days, axis=1) % n_days == 1 % n_days).reshape(300, -1)
    within = np.arange(1, n_days) % block_days != 0
    assert steps[:, within].all()
    counts = np.bincount(days.ravel(), minlength=n_days)
    assert counts.min() > 0.7 * counts.mean(), "every day is drawn about as often"
    np.testing.assert_array_equal(days, draw_days(n_days, block_days, 300, 5))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    random, truth, held = np.random.default_rng(3), 2.0, []
    for seed in range(300):
        low, _, high = bound(random.normal(truth / math.sqrt(365) * 0.01, 0.01, 250), seed)["sharpe"]
        held.append(low <= truth <= high)
    assert np.mean(held) == pytest.approx(0.9, abs=0.05)


def test_days_that_carry_over_make_blocks_longer_and_intervals_wider() -> None:
    shocks = np.random.default_rng(4).normal(0, 0.01, 700)
    smooth = np.convolve(shocks, np.ones(6) / math.sqrt(6), "valid")
    own, plain = (bound_returns(each, PARAMS, 1) for each in (smooth, shocks[: len(smooth)]))
    assert own is not None
    assert plain is not None
    assert own.block_days > 5 > plain.block_days
    assert np.ptp([own.sharpe.low, own.sharpe.high]) > 1.5 * np.ptp([plain.sharpe.low, plain.sharpe.high])


@pytest.mark.parametrize("returns", [np.zeros(100), np.array([0.01, -0.01, 0.02])])
def test_too_little_to_say_anything_is_none(returns: np.ndarray) -> None:
    assert bound_returns(returns, PARAMS, 1) is None
