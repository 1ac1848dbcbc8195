"""Trade the test segment's signals after costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, tables
from candlelock.contracts import files
from candlelock.contracts.backtest_tables import TRADE_LIST
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.tables import PREDICTIONS
from candlelock.evaluate.backtest import backtest
from candlelock.evaluate.trading import draw_curves, plot_curve, report_trading, trade_list
from candlelock.snapshot import candles

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """calibrated.parquet, data/snapshot -> backtest.json, trading.json, trades.parquet, plots/equity.csv."""
    own, horizon_bars = files.HeadFiles(head), params.heads[head].horizon_bars
    rules = params.backtest.of(params.heads[head])
    manifest, exact = candles.read_exact(files.SNAPSHOT)
    predictions = tables.read(own.predictions, PREDICTIONS)
    bar_ms = 1000 * bar_seconds(manifest.timeframe)
    report, ledger = backtest(predictions, exact, rules, horizon_bars, bar_ms)
    curves = draw_curves(ledger, predictions, exact, rules, horizon_bars)
    tables.write(own.report("trades.parquet"), trade_list(ledger), TRADE_LIST)
    atomic.write_bytes(own.plot("equity"), tables.csv_bytes(plot_curve(ledger, curves)))
    documents.write(own.report("trading.json"), report_trading(ledger, curves, rules, horizon_bars))
    documents.write(own.report("backtest.json"), report)
    net = f"{100 * report.net_return_frac:+.1f} % after costs"
    print(f"backtest: {report.n_trades} trades, {net}, Sharpe {report.sharpe or 0:.2f}")
