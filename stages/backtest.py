"""Trade the test segment's signals after costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, tables
from candlelock.contracts import files
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.tables import PREDICTIONS, TRADES
from candlelock.evaluate.backtest import backtest, equity_curve, trades_table
from candlelock.snapshot import candles

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """calibrated.parquet, data/snapshot -> backtest.json, trades.parquet, plots/equity.csv."""
    own = files.HeadFiles(head)
    manifest, exact = candles.read_exact(files.SNAPSHOT)
    predictions = tables.read(own.predictions, PREDICTIONS)
    bar_ms = 1000 * bar_seconds(manifest.timeframe)
    report, ledger = backtest(predictions, exact, params.backtest, params.heads[head].horizon_bars, bar_ms)
    tables.write(own.report("trades.parquet"), trades_table(ledger), TRADES)
    atomic.write_bytes(own.plot("equity"), tables.csv_bytes(equity_curve(ledger)))
    documents.write(own.report("backtest.json"), report)
    net = f"{100 * report.net_return_frac:+.1f} % after costs"
    print(f"backtest: {report.n_trades} trades, {net}, Sharpe {report.sharpe or 0:.2f}")
