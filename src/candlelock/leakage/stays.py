"""Trades of a list beside the candles and signals they were made of, and the orders that stood.

Does not belong here: what is wrong with a trade.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.leakage.rows import when

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from candlelock.contracts.backtest_params import BacktestParams
    from candlelock.leakage.rows import Mask, Times

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Words = npt.NDArray[np.object_]

COLUMNS = ("side", "entered", "left")
NEVER = np.iinfo(np.int64).max
MOST_PLACES = 18  # decimals of a price


@dataclass(frozen=True)
class Orders:
    """What the back-test was told. Fractions of the price, NaN: none; `may_halt`: whether a loss may close all."""

    limit_frac: float
    stop_frac: float
    target_frac: float
    horizon_bars: int
    may_halt: bool

    @classmethod
    def of(cls, params: BacktestParams, horizon_bars: int) -> Orders:
        """As `backtest` in params.yaml and the head's horizon say."""
        entry, leave, risk = params.entry, params.exit, params.risk
        return cls(
            limit_frac=entry.limit_bps / 1e4 if entry.kind == "limit" else math.nan,
            stop_frac=math.nan if leave.stop_bps is None else leave.stop_bps / 1e4,
            target_frac=math.nan if leave.target_bps is None else leave.target_bps / 1e4,
            horizon_bars=horizon_bars,
            may_halt=risk.daily_loss_frac is not None or risk.drawdown_frac is not None,
        )


@dataclass(frozen=True)
class Stays:
    """One symbol's trades beside its candles: arrays of shape (n_trades,), of candles (n_bars,).

    A word that is none of docs/backtest.md's is read as the plainest: long, at the market, left at an open in time.
    """

    bar_ms: int
    opened: Times
    first: Array
    high: Array
    low: Array
    close: Array
    side: Array  # 1 long, -1 short
    entered: Words
    left: Words
    entry_ms: Times
    exit_ms: Times
    paid: Array
    got: Array

    @classmethod
    def of(cls, trades: pd.DataFrame, bars: pd.DataFrame, bar_ms: int) -> Stays:
        """From frames as `check_fills` has them."""
        return cls(
            bar_ms=bar_ms,
            opened=bars["open_time_ms"].to_numpy(),
            first=bars["open"].to_numpy(float),
            high=bars["high"].to_numpy(float),
            low=bars["low"].to_numpy(float),
            close=bars["close"].to_numpy(float),
            side=np.where(trades["side"].to_numpy(object) == "short", -1.0, 1.0),
            entered=trades["entered"].to_numpy(object),
            left=trades["left"].to_numpy(object),
            entry_ms=trades["entry_ms"].to_numpy(),
            exit_ms=trades["exit_ms"].to_numpy(),
            paid=trades["entry_price"].to_numpy(float),
            got=trades["exit_price"].to_numpy(float),
        )

    @cached_property
    def is_market(self) -> Mask:
        """Neither at a limit nor at one that the open had passed."""
        return ~_is_one(self.entered, "limit", "crossed")

    @cached_property
    def is_stop(self) -> Mask:
        return _is_one(self.left, "stop")

    @cached_property
    def is_target(self) -> Mask:
        return _is_one(self.left, "target")

    @cached_property
    def is_within(self) -> Mask:
        """Left within a bar."""
        return self.is_stop | self.is_target

    @cached_property
    def is_end(self) -> Mask:
        return _is_one(self.left, "end")

    @cached_property
    def into(self) -> Places:
        """Place of the candle entered in, where there is one."""
        return self.find(self.entry_ms)[0]

    @cached_property
    def has_entry(self) -> Mask:
        return self.find(self.entry_ms)[1]

    @cached_property
    def out(self) -> Places:
        """Place of the candle left in."""
        return self.find(self.exit_ms - self.bar_ms * self.is_end)[0]

    @cached_property
    def has_exit(self) -> Mask:
        """Whether there is one; at the end, whether it is the last."""
        is_there = self.find(self.exit_ms - self.bar_ms * self.is_end)[1]
        is_last: Mask = self.out == len(self.opened) - 1
        return is_there & (~self.is_end | is_last)

    def find(self, times: Times) -> tuple[Places, Mask]:
        """Place of the candle that opens at each time, and whether there is one."""
        at = np.minimum(np.searchsorted(self.opened, times), len(self.opened) - 1)
        return at, self.opened[at] == times

    def next_open(self, times: Times) -> Times:
        """Open of the first candle at or after each time; NEVER where there is none."""
        return np.append(self.opened, NEVER)[np.searchsorted(self.opened, times)]

    def worst(self, at: Places) -> Array:
        """What is worst for each trade's side in its candle: the low for a long."""
        return np.where(self.side > 0, self.low[at], self.high[at])

    def best(self, at: Places) -> Array:
        """What is best for it: the high for a long."""
        return np.where(self.side > 0, self.high[at], self.low[at])

    @cached_property
    def printed(self) -> Array:
        """Price of the entry without slippage."""
        return np.where(self.is_market, self.first[self.into], self.paid)

    @cached_property
    def tick(self) -> float:
        """The coarsest decimal step that holds all prices; 0 where none of 18 places does."""
        prices = np.concatenate([self.first, self.high, self.low, self.close])
        for places in range(MOST_PLACES + 1):
            if np.allclose(np.round(prices, places), prices, rtol=1e-15, atol=0):
                return float(10.0**-places)
        return 0.0

    def bar_text(self, at: int) -> str:
        """Where a candle went."""
        return f"the bar of {when(self.opened[at])} went from {self.low[at]:.10g} to {self.high[at]:.10g}"


@dataclass(frozen=True)
class Heard:
    """Decision times of one symbol's signals, rising: to buy and to sell short."""

    longs: Times
    shorts: Times

    def by_side(self, stays: Stays, find: Callable[[Times, Times], Times]) -> Times:
        """`find(own, other)`, signals of the trade's side and of the other, for each trade."""
        return np.where(stays.side > 0, find(self.longs, self.shorts), find(self.shorts, self.longs))


def _is_one(words: Words, *names: str) -> Mask:
    return np.isin(words, names)
