"""Figures of an equity curve."""

from __future__ import annotations

import math
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from candlelock.evaluate.fills import Floats

DAYS_PER_YEAR = 365


def returns_of(equity: Floats) -> Floats:
    """Return of each period, (n - 1,), of an equity (n,) that starts with the capital.

    An account that costs have eaten up returns nothing any more.
    """
    return np.divide(equity[1:], equity[:-1], out=np.ones(len(equity) - 1), where=equity[:-1] > 0) - 1


def read_returns(plot: Path, capital: float) -> Floats:
    """Return of each UTC day, (n_days,), of the curve that the stage `backtest` has drawn; numbers are read exactly."""
    from pyarrow import csv

    return returns_of(np.append(capital, csv.read_csv(plot)["equity"].to_numpy()))


def sharpe(equity: Floats) -> float | None:
    """Mean over standard deviation (ddof 1) of daily returns, annualised; None where they do not vary.

    `equity`: at the start and at the end of each UTC day, shape (n_days + 1,).
    """
    returns = returns_of(equity)
    deviation = stdev(returns.tolist()) if len(returns) > 1 else 0.0
    return fmean(returns.tolist()) / deviation * math.sqrt(DAYS_PER_YEAR) if deviation > 0 else None


def drawdowns(equity: Floats) -> Floats:
    """Fall from the highest equity so far as a fraction, at each mark; same shape."""
    fallen: Floats = 1 - equity / np.maximum.accumulate(equity)
    return fallen
