"""Trades that vectorbt makes of drawn candles: `vectorbt_trades.parquet`, written by

    pip install --target FOLDER vectorbt; PYTHONPATH=src:FOLDER python -m tests.golden.vectorbt_trades

vectorbt looks at stop and target from the bar after the entry on, keeps to no limit order and knows no clock that a
signal restarts: signals lie farther apart than a trade lasts, and the bar of an entry is too narrow for a level. So is
that of a time exit: vectorbt would have a position that is sold at its open stopped later in the same bar. It pays
slippage at a target and takes the open where a bar opens beyond it: with targets there are neither.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FILE = Path(__file__).with_suffix(".parquet")
COLUMNS = (
    *("col", "entry_idx", "exit_idx", "direction"),
    *("size", "entry_price", "exit_price", "entry_fees", "exit_fees", "pnl"),
)
BAR_MS = 3_600_000
N_BARS, HORIZON_BARS, APART = 4_000, 6, 9
SYMBOLS = ("A/Q", "B/Q", "C/Q")


@dataclass(frozen=True)
class Paths:
    """Prices in cents and sides of signals, each of shape (n_bars, n_symbols)."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    side: np.ndarray


def draw_paths(seed: int, sides: tuple[int, ...], gap: float = 0.002) -> Paths:
    random = np.random.default_rng(seed)
    shape = (N_BARS, len(SYMBOLS))
    side = np.zeros(shape, dtype=np.int64)
    side[1:-APART:APART] = random.choice(sides, size=side[1:-APART:APART].shape)
    is_narrow = np.zeros(shape, dtype=bool)
    for later in (1, 1 + HORIZON_BARS):
        is_narrow[later:] |= side[:-later] != 0
    returns = np.where(is_narrow, 3e-5, random.normal(0, 0.006, shape))
    close = np.rint(100_000 * np.exp(np.cumsum(returns, axis=0))).astype(np.int64)
    opened = np.vstack([np.full((1, shape[1]), 100_000), close[:-1]])
    opened += np.rint(opened * random.normal(0, gap, shape)).astype(np.int64)  # between close and open
    close = np.where(is_narrow & (gap > 0), opened + 3, close)
    reach = np.where(is_narrow, 1e-4, np.abs(random.normal(0, 0.006, (2, *shape))))
    high = np.maximum(np.maximum(opened, close), np.rint(np.maximum(opened, close) * (1 + reach[0])).astype(np.int64))
    low = np.minimum(np.minimum(opened, close), np.rint(np.minimum(opened, close) * (1 - reach[1])).astype(np.int64))
    return Paths(opened, high, low, close, side)


@dataclass(frozen=True)
class Case:
    """Which sides signals have, and the levels of exits."""

    seed: int
    sides: tuple[int, ...]
    gap: float = 0.002
    stop_bps: float | None = None
    target_bps: float | None = None
    slippage_bps: float = 2.0

    def draw(self) -> Paths:
        """Its candles and signals."""
        return draw_paths(self.seed, self.sides, self.gap)


CASES = {
    "long": Case(1, (0, 1)),
    "short": Case(1, (0, -1)),
    "both sides": Case(1, (0, 1, -1)),
    "long, stop": Case(2, (0, 1), stop_bps=100.0),
    "short, stop": Case(2, (0, -1), stop_bps=100.0),
    "long, stop and target": Case(3, (0, 1), gap=0.0, stop_bps=100.0, target_bps=200.0, slippage_bps=0.0),
    "short, stop and target": Case(3, (0, -1), gap=0.0, stop_bps=100.0, target_bps=200.0, slippage_bps=0.0),
}


def trade_case(case: Case) -> pd.DataFrame:
    """vectorbt's records of its trades, by symbol and time."""
    import vectorbt as vbt

    paths = case.draw()
    levels: dict[str, Any] = {"sl_stop": case.stop_bps, "tp_stop": case.target_bps}
    levels = {name: bps / 10_000 for name, bps in levels.items() if bps is not None}
    index = pd.to_datetime(np.arange(N_BARS) * BAR_MS, unit="ms")

    def frame(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index, list(SYMBOLS))

    wanted = np.vstack([np.zeros((1, len(SYMBOLS)), dtype=np.int64), paths.side[:-1]])
    over = np.vstack([np.zeros((HORIZON_BARS, len(SYMBOLS)), dtype=np.int64), wanted[:-HORIZON_BARS]])
    prices = {name: frame(getattr(paths, name) / 100) for name in ("open", "high", "low", "close")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        portfolio = vbt.Portfolio.from_signals(
            prices["close"],
            *(frame(wanted == 1), frame(over == 1), frame(wanted == -1), frame(over == -1)),
            price=prices["open"],
            open=prices["open"],
            high=prices["high"],
            low=prices["low"],
            fees=0.001,
            init_cash=100_000,
            stop_entry_price="Price",
            stop_exit_price="StopMarket",
            freq="1h",
            slippage=case.slippage_bps / 10_000,
            **levels,
        )
        records = portfolio.trades.records
    return records.sort_values(["col", "entry_idx"]).reset_index(drop=True)


def read() -> dict[str, pd.DataFrame]:
    """Case -> vectorbt's trades as they were kept."""
    return {str(name): own.reset_index(drop=True) for name, own in pd.read_parquet(FILE).groupby("case")}


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        records = [trade_case(case)[list(COLUMNS)].assign(case=name) for name, case in CASES.items()]
    pd.concat(records, ignore_index=True).to_parquet(FILE, compression="zstd", index=False)
    print(f"{FILE.name}: {sum(map(len, records)):,} trades of {len(records)} cases")


if __name__ == "__main__":
    main()
