"""The probability from which buying pays, chosen for profit after costs on rows that nothing was fitted on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from candlelock.contracts.documents import ThresholdChoice

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]
Goal = Literal["profit", "sharpe"]
CANDIDATES = tuple(round(0.50 + 0.01 * step, 2) for step in range(36))
DAY_MS = 86_400_000
DAYS_PER_YEAR = 365
TAIL_PERCENT = 2.5
LEAST = -1e300  # of a candidate that counts but whose profit does not vary


@dataclass(frozen=True)
class Trading:
    """How a signal is traded: held so long, at the cost of a round trip; the goal, and fewest trades that count."""

    hold_ms: int
    cost_bps: float
    goal: Goal
    min_trades: int


@dataclass(frozen=True)
class Optimum:
    """The threshold, every candidate's figures, and where 95 % of the choices over drawn days lie."""

    p_up: float
    choices: list[ThresholdChoice]
    low: float
    high: float


def optimize_threshold(rows: pd.DataFrame, trading: Trading, n_bootstrap: int, seed: int) -> Optimum:
    """The candidate that does best at the goal among those with at least `min_trades`; the higher one on a tie.

    `rows`: symbol, open_time_ms, p_up, future_return (NaN where unknown), sorted by symbol and time. A trade is held
    for `hold_ms` and trades of a symbol do not overlap; its profit is its simple return in basis points less the cost,
    on the day it is opened. Profit is their sum; Sharpe is annual, of all days of the segment. With no candidate
    traded often enough, the one traded most is taken. The interval comes from choosing again on whole days drawn with
    replacement, all symbols together.
    """
    known = rows[rows["future_return"].notna()]
    n_trades, profit = _trade_all(known, trading)
    own = np.ones((1, n_trades.shape[0]))
    drawn = np.random.default_rng(seed).multinomial(own.size, own[0] / own.size, size=n_bootstrap).astype(np.float64)
    best = CANDIDATES[int(_choose(own, n_trades, profit, trading)[0])]
    chosen = _choose(drawn, n_trades, profit, trading)
    share = np.bincount(chosen, minlength=len(CANDIDATES)) / n_bootstrap
    sharpe = _sharpe(own, profit)[0]
    choices = [
        ThresholdChoice(
            p_up=p_up,
            n_trades=int(n_trades[:, i].sum()),
            net_profit_bps=round(float(profit[:, i].sum()), 6),
            sharpe=None if np.isneginf(sharpe[i]) else round(float(sharpe[i]), 6),
            chosen_frac=float(share[i]),
        )
        for i, p_up in enumerate(CANDIDATES)
    ]
    ends = np.percentile(chosen, [TAIL_PERCENT, 100 - TAIL_PERCENT], method="closest_observation")
    low, high = (CANDIDATES[int(end)] for end in ends)
    return Optimum(best, choices, low, high)


def _choose(days: Array, n_trades: Array, profit: Array, trading: Trading) -> npt.NDArray[np.int64]:
    """Number of the best candidate, shape (n_replicates,), with each day as often as `days` (n_replicates, n_days)."""
    traded = days @ n_trades
    value = np.round(days @ profit, 6) if trading.goal == "profit" else _sharpe(days, profit)
    value = np.where(traded >= trading.min_trades, np.maximum(value, LEAST), -np.inf)
    last_best = value.shape[1] - 1 - np.argmax(value[:, ::-1], axis=1)
    is_enough = (traded >= trading.min_trades).any(axis=1)
    return np.asarray(np.where(is_enough, last_best, np.argmax(traded, axis=1)))


def _sharpe(days: Array, profit: Array) -> Array:
    """Annual, of daily profit (n_days, n_candidates): (n_replicates, n_candidates), -inf where it never varies."""
    n = days.sum(axis=1, keepdims=True)
    mean = days @ profit / n
    variance = np.maximum(days @ profit**2 / n - mean**2, 0) * n / np.maximum(n - 1, 1)
    varies = variance > 1e-12
    ratio = np.divide(mean, np.sqrt(variance), out=np.full_like(mean, -np.inf), where=varies)
    return np.asarray(ratio * math.sqrt(DAYS_PER_YEAR))


def _trade_all(rows: pd.DataFrame, trading: Trading) -> tuple[Array, Array]:
    """Trades and net profit in basis points of each day and candidate, both of shape (n_days, n_candidates)."""
    days = rows["open_time_ms"].to_numpy() // DAY_MS
    first = int(days.min()) if len(days) else 0
    shape = (int(days.max()) - first + 1 if len(days) else 1, len(CANDIDATES))
    n_trades, profit = np.zeros(shape), np.zeros(shape)
    earned = 1e4 * np.expm1(rows["future_return"].to_numpy()) - trading.cost_bps
    p_up, opened = rows["p_up"].to_numpy(), rows["open_time_ms"].to_numpy()
    for rows_of_symbol in rows.groupby("symbol").indices.values():
        own = np.asarray(rows_of_symbol)
        for i, threshold in enumerate(CANDIDATES):
            signals = own[p_up[own] >= threshold]
            taken = signals[_apart(opened[signals], trading.hold_ms)]
            np.add.at(n_trades[:, i], days[taken] - first, 1)
            np.add.at(profit[:, i], days[taken] - first, earned[taken])
    return n_trades, profit


def _apart(opened: npt.NDArray[np.int64], hold_ms: int) -> list[int]:
    """Places of the signals that are traded: the first, and each first one after the trade before it has ended."""
    following = np.searchsorted(opened, opened + hold_ms).tolist()
    at, taken = 0, []
    while at < len(following):
        taken.append(at)
        at = following[at]
    return taken
