"""Intervals of what a back-test earned, from its daily returns: the circular block bootstrap over days.

Block length: the longest that the returns and their squares ask for, whose means a Sharpe ratio is made of, in whole
days. Source: Politis and Romano 1992; Ledoit and Wolf 2008, Robust performance hypothesis testing with the Sharpe
ratio, for blocks under it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.significance_documents import ReturnIntervals
from candlelock.evaluate.block_length import block_length
from candlelock.evaluate.bootstrap import percentile_interval
from candlelock.evaluate.figures import DAYS_PER_YEAR
from candlelock.evaluate.sharpe_significance import measure_returns

if TYPE_CHECKING:
    from candlelock.contracts.stage_params import EvaluateParams

Array = npt.NDArray[np.float64]


def bound_returns(daily_returns: Array, params: EvaluateParams, seed: int) -> ReturnIntervals | None:
    """Intervals of annual Sharpe ratio, net return and drawdown of returns (n_days,) without NaN.

    `params`: n_bootstrap and confidence. None where `measure_returns` says nothing: fewer than 8 days, or all alike.
    """
    if measure_returns(daily_returns) is None:
        return None
    deviations = daily_returns - daily_returns.mean()
    block_days = math.ceil(max(block_length(daily_returns), block_length(deviations**2)))
    drawn = daily_returns[draw_days(len(daily_returns), block_days, params.n_bootstrap, seed)]
    own, found = _figures(daily_returns[None]), _figures(drawn)
    bounds = {name: percentile_interval(own[name][0], values, params.confidence) for name, values in found.items()}
    return ReturnIntervals.model_validate({"block_days": block_days} | bounds)


def draw_days(n_days: int, block_days: int, n_draws: int, seed: int) -> npt.NDArray[np.int64]:
    """Numbers of days, (n_draws, n_days), in blocks of consecutive ones; after the last comes the first."""
    starts = np.random.default_rng(seed).integers(0, n_days, size=(n_draws, -(-n_days // block_days), 1))
    days = (starts + np.arange(block_days)) % n_days
    return np.asarray(days.reshape(n_draws, -1)[:, :n_days], dtype=np.int64)


def _figures(returns: Array) -> dict[str, Array]:
    """Of each row of returns, (n_rows, n_days): annual Sharpe ratio, net return and largest drawdown, (n_rows,).

    A row that does not vary has the ratio 0.
    """
    mean, deviation = returns.mean(axis=1), returns.std(axis=1, ddof=1)
    ratio = np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 0)
    equity = np.cumprod(np.column_stack([np.ones(len(returns)), 1 + returns]), axis=1)
    fallen = 1 - equity / np.maximum.accumulate(equity, axis=1)
    return {
        "sharpe": ratio * math.sqrt(DAYS_PER_YEAR),
        "net_return_frac": equity[:, -1] - 1,
        "max_drawdown_frac": fallen.max(axis=1),
    }
