"""Trade by trade with vectorbt, on what both can express: with what it gave once, and anew where it is installed."""

from __future__ import annotations

from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from candlelock.contracts.tables import TIME
from candlelock.evaluate import fills
from candlelock.evaluate.market import Signals
from tests.golden import vectorbt_trades as golden
from tests.golden.vectorbt_trades import BAR_MS, CASES, HORIZON_BARS, N_BARS, SYMBOLS
from tests.trading_runs import trade, trading_params

if TYPE_CHECKING:
    from candlelock.evaluate.ledger import Ledger
    from tests.golden.vectorbt_trades import Case

TYPE = pa.decimal128(24, 4)  # a level of whole percents from a price in cents is on its tick
LEFT = {"stop": fills.STOP, "target": fills.TARGET}


@pytest.fixture(scope="module")
def records() -> dict[str, pd.DataFrame]:
    return golden.read()


def ours(case: Case) -> Ledger:
    candles, signals, paths = {}, {}, case.draw()
    times = np.arange(N_BARS, dtype=np.int64) * BAR_MS
    for column, symbol in enumerate(SYMBOLS):
        prices = {
            name: pa.array([Decimal(int(v)).scaleb(-2) for v in getattr(paths, name)[:, column]], TYPE)
            for name in ("open", "high", "low", "close")
        }
        candles[symbol] = pa.table({"open_time_utc": pa.array(times).cast(TIME), **prices})
        at = np.flatnonzero(paths.side[:, column])
        signals[symbol] = Signals(times[at], paths.side[at, column], np.ones(len(at)))
    levels = {"stop_bps": case.stop_bps, "target_bps": case.target_bps}
    params = trading_params(capital=300_000, fee_bps=10.0, slippage_bps=case.slippage_bps, exit=levels)
    return trade(candles, signals, params, HORIZON_BARS, BAR_MS)


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


@pytest.mark.parametrize("name", CASES)
def test_every_trade_is_the_one_that_vectorbt_made(name: str, records: dict[str, pd.DataFrame]) -> None:
    ledger = ours(CASES[name])
    reasons = [trade.stay.left for trade in ledger.trades]
    for word, code in LEFT.items():
        assert (reasons.count(code) > 50) is (word in name), "the case tells of such exits"
    compare(ledger, records[name])


@pytest.mark.skipif(find_spec("vectorbt") is None, reason="vectorbt is not installed; its trades are kept")
@pytest.mark.parametrize("name", CASES)
def test_vectorbt_still_makes_the_trades_that_were_kept(name: str, records: dict[str, pd.DataFrame]) -> None:
    again = golden.trade_case(CASES[name])[list(golden.COLUMNS)]
    pd.testing.assert_frame_equal(again, records[name][list(golden.COLUMNS)], check_dtype=False, rtol=1e-9)
