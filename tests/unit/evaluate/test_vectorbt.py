"""Trade by trade with vectorbt, on what both can express; skipped where it is not installed.

    pip install --target FOLDER vectorbt; PYTHONPATH=src:FOLDER python -m pytest tests/unit/evaluate/test_vectorbt.py

vectorbt looks at stop and target from the bar after the entry on, keeps to no limit order and knows no clock that a
signal restarts: signals lie farther apart than a trade lasts, and the bar of an entry is too narrow for a level. So is
that of a time exit: vectorbt would have a position that is sold at its open stopped later in the same bar.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from candlelock.contracts.tables import TIME
from candlelock.evaluate import fills
from candlelock.evaluate.market import Signals
from tests.trading_runs import trade, trading_params

if TYPE_CHECKING:
    from candlelock.evaluate.ledger import Ledger

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    vbt = pytest.importorskip("vectorbt")

BAR_MS = 3_600_000
N_BARS, HORIZON_BARS, APART = 4_000, 6, 9
TYPE = pa.decimal128(24, 4)  # a level of whole percents from a price in cents is on its tick
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


def ours(paths: Paths, **changed: Any) -> Ledger:
    candles, signals = {}, {}
    times = np.arange(N_BARS, dtype=np.int64) * BAR_MS
    for column, symbol in enumerate(SYMBOLS):
        prices = {
            name: pa.array([Decimal(int(v)).scaleb(-2) for v in getattr(paths, name)[:, column]], TYPE)
            for name in ("open", "high", "low", "close")
        }
        candles[symbol] = pa.table({"open_time_utc": pa.array(times).cast(TIME), **prices})
        at = np.flatnonzero(paths.side[:, column])
        signals[symbol] = Signals(times[at], paths.side[at, column], np.ones(len(at)))
    params = trading_params(**{"capital": 300_000, "fee_bps": 10.0, "slippage_bps": 2.0, **changed})
    return trade(candles, signals, params, HORIZON_BARS, BAR_MS)


def theirs(paths: Paths, **changed: Any) -> pd.DataFrame:
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
            **{"slippage": 0.0002, **changed},
        )
        records = portfolio.trades.records
    return records.sort_values(["col", "entry_idx"]).reset_index(drop=True)


def compare(ledger: Ledger, records: pd.DataFrame) -> None:
    """Same bars, sides, prices, sizes, profits; floats to their rounding, which a thousand trades have compounded."""
    assert len(ledger.trades) == len(records) > 500
    columns = np.array([SYMBOLS.index(t.stay.symbol) for t in ledger.trades])
    bars = [[t.stay.entry_time_ms // BAR_MS, t.stay.exit_time_ms // BAR_MS] for t in ledger.trades]
    assert np.array_equal(columns, records["col"])
    assert np.array_equal(bars, records[["entry_idx", "exit_idx"]])
    assert np.array_equal([t.stay.side for t in ledger.trades], 1 - 2 * records["direction"])
    for name, own in (("entry_price", "entry_price"), ("exit_price", "exit_price"), ("size", "quantity")):
        np.testing.assert_allclose([abs(float(getattr(t, own))) for t in ledger.trades], records[name], rtol=1e-8)
    np.testing.assert_allclose([float(t.pnl) for t in ledger.trades], records["pnl"], rtol=1e-6, atol=1e-4)
    fees = records["entry_fees"] + records["exit_fees"]
    np.testing.assert_allclose([float(t.fees) for t in ledger.trades], fees, rtol=1e-6)


@pytest.mark.parametrize("sides", [(0, 1), (0, -1), (0, 1, -1)])
def test_trades_at_opens_agree(sides: tuple[int, ...]) -> None:
    paths = draw_paths(1, sides)
    compare(ours(paths), theirs(paths))


@pytest.mark.parametrize("sides", [(0, 1), (0, -1)])
def test_trades_with_a_stop_agree(sides: tuple[int, ...]) -> None:
    paths = draw_paths(2, sides)
    ledger = ours(paths, exit={"stop_bps": 100.0})
    assert sum(t.stay.left == fills.STOP for t in ledger.trades) > 200
    compare(ledger, theirs(paths, sl_stop=0.01))


@pytest.mark.parametrize("sides", [(0, 1), (0, -1)])
def test_trades_with_stop_and_target_agree(sides: tuple[int, ...]) -> None:
    # vectorbt pays slippage at a target and takes the open where a bar opens beyond it: neither happens here.
    paths = draw_paths(3, sides, gap=0.0)
    ledger = ours(paths, slippage_bps=0.0, exit={"stop_bps": 100.0, "target_bps": 200.0})
    reasons = [t.stay.left for t in ledger.trades]
    assert min(reasons.count(fills.STOP), reasons.count(fills.TARGET), reasons.count(fills.TIME)) > 50
    compare(ledger, theirs(paths, slippage=0.0, sl_stop=0.01, tp_stop=0.02))
