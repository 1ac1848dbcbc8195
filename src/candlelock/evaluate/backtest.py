"""The back-test: the signals of the test segment traded after costs, and the figures a trader judges them by.

`schedule` says which bars are traded, `ledger` what the fills earn, both exactly; ratios leave as float64.
The span goes from the first test row to `horizon_bars` after the last one: the bars the labels of the test rows see.
Bars on which a symbol has no candle are marked at its last known close. A UTC day ends with its last bar close.
"""

from __future__ import annotations

import math
from decimal import localcontext
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.documents import BacktestReport, CostPoint, utc_text
from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.tables import EQUITY, PREDICTIONS, TRADES, candles_schema
from candlelock.evaluate.ledger import EXACT, STEP, costs_of, keep_ledger
from candlelock.evaluate.schedule import schedule_stays

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from candlelock.contracts.stage_params import BacktestParams
    from candlelock.contracts.tables import TableSchema
    from candlelock.evaluate.ledger import Ledger
    from candlelock.evaluate.schedule import Decimals, Schedule, Times

DAY_MS = 86_400_000
DAYS_PER_YEAR = 365


def backtest(
    predictions: pa.Table, candles: Mapping[str, pa.Table], params: BacktestParams, horizon_bars: int, bar_ms: int
) -> tuple[BacktestReport, Ledger]:
    """Trade the signals of the test rows, at the given costs and at every cost multiple.

    `predictions`: a PREDICTIONS table; `candles`: symbol -> a table of candles_schema, of any span; every symbol with
    test rows has an account. Raises InputError for tables that break their schema, no test rows, signals or symbols
    without candles, prices not above zero, costs of 10,000 bps and more.
    """
    problems = PREDICTIONS.problems(predictions, "predictions") + _cost_problems(params)
    for symbol, table in sorted(candles.items()):
        problems += candles_schema(table.column_names).problems(table, f"candles of {symbol}")
    raise_if(problems)
    schedule = _schedule_test(predictions, candles, horizon_bars, bar_ms)
    ledger = keep_ledger(schedule, costs_of(params.fee_bps, params.slippage_bps), params.capital)
    with localcontext(EXACT):
        return _report(ledger, [_cost_point(schedule, params, multiple) for multiple in params.cost_multiples]), ledger


def trades_table(ledger: Ledger) -> pa.Table:
    """The trades as a TRADES table, one row per entry and exit."""
    with localcontext(EXACT):
        rows = [
            (
                *(trade.stay.symbol, trade.stay.entry_time_ms, trade.stay.exit_time_ms),
                (trade.stay.exit_time_ms - trade.stay.entry_time_ms) // ledger.schedule.bar_ms,
                *(trade.entry_price, trade.exit_price, trade.quantity, trade.fees, trade.pnl),
                float(trade.pnl / trade.paid),
            )
            for trade in ledger.trades
        ]
    return _table(TRADES, list(zip(*rows, strict=True)) or [[] for _ in TRADES.columns])


def equity_table(ledger: Ledger) -> pa.Table:
    """Equity and buy-and-hold as an EQUITY table, one row per UTC day."""
    days_ms, at = _days(ledger.schedule)
    with localcontext(EXACT):
        held = [(value * ledger.capital).quantize(STEP) for value in _growth(ledger.schedule)[at]]
        equity = [value.quantize(STEP) for value in ledger.equity[at]]
    return _table(EQUITY, [days_ms, equity, held, _drawdowns(ledger)[at]])


def equity_curve(ledger: Ledger) -> pd.DataFrame:
    """The equity table for a plot: `day` as text, then equity, buy_and_hold and drawdown_frac."""
    frame: pd.DataFrame = equity_table(ledger).to_pandas()
    frame.insert(0, "day", frame.pop("day_utc").dt.strftime("%Y-%m-%d"))
    return frame


def _schedule_test(predictions: pa.Table, candles: Mapping[str, pa.Table], horizon_bars: int, bar_ms: int) -> Schedule:
    test = predictions.filter(pc.equal(predictions["segment"], "test"))
    if test.num_rows == 0:
        help_line = "rebuild the predictions with `dvc repro`"
        raise InputError(Problem("backtest-no-test-rows", "predictions", "no test row", "at least one", help_line))
    opens = test["open_time_utc"].cast(pa.int64()).to_numpy()
    symbols, has_signal = test["symbol"].to_numpy(), test["has_signal"].to_numpy()
    signals = {symbol: opens[(symbols == symbol) & has_signal] for symbol in test["symbol"].unique().to_pylist()}
    span = int(opens.min()), int(opens.max()) + horizon_bars * bar_ms
    traded = {symbol: _within(table, *span) for symbol, table in candles.items() if symbol in signals}
    return schedule_stays(traded, signals, horizon_bars, bar_ms)


def _within(candles: pa.Table, first_ms: int, last_ms: int) -> pa.Table:
    opens = candles["open_time_utc"].cast(pa.int64())
    return candles.filter(pc.and_(pc.greater_equal(opens, first_ms), pc.less_equal(opens, last_ms)))


def _report(ledger: Ledger, cost_sensitivity: list[CostPoint]) -> BacktestReport:
    schedule, trades = ledger.schedule, ledger.trades
    n_bars, n_days = len(schedule.mark_time_ms) - 1, len(_days(schedule)[0])
    bars_held = sum(t.stay.exit_time_ms - t.stay.entry_time_ms for t in trades) / schedule.bar_ms
    return BacktestReport(
        first_open_utc=utc_text(schedule.mark_time_ms[0]),
        last_close_utc=utc_text(schedule.mark_time_ms[-1]),
        capital=float(ledger.capital),
        final_equity=float(ledger.equity[-1]),
        net_return_frac=_net_return(ledger),
        buy_and_hold_return_frac=float(_growth(schedule)[-1] - 1),
        sharpe=_sharpe(ledger),
        max_drawdown_frac=float(_drawdowns(ledger).max()),
        win_rate_frac=sum(trade.pnl > 0 for trade in trades) / len(trades) if trades else None,
        n_trades=len(trades),
        n_days=n_days,
        turnover_per_day=float(sum(trade.value for trade in trades) / ledger.capital / n_days),
        exposure_frac=bars_held / (len(schedule.stays) * n_bars),
        fees_paid=float(sum(trade.fees for trade in trades)),
        cost_sensitivity=cost_sensitivity,
    )


def _cost_point(schedule: Schedule, params: BacktestParams, multiple: float) -> CostPoint:
    ledger = keep_ledger(schedule, costs_of(params.fee_bps, params.slippage_bps, multiple), params.capital)
    return CostPoint(
        cost_multiple=multiple,
        net_return_frac=_net_return(ledger),
        sharpe=_sharpe(ledger),
        n_trades=len(ledger.trades),
    )


def _cost_problems(params: BacktestParams) -> list[Problem]:
    """A fill that costs all it is worth and more is no fill."""
    out = []
    for multiple in params.cost_multiples:
        costs = costs_of(params.fee_bps, params.slippage_bps, multiple)
        if max(costs.fee_frac, costs.slippage_frac) >= 1:
            found = f"fee {params.fee_bps * multiple:g} bps, slippage {params.slippage_bps * multiple:g} bps"
            place, help_line = f"backtest.cost_multiples {multiple:g}", "take a smaller multiple in params.yaml"
            out.append(Problem("backtest-costs", place, found, "each below 10000 bps", help_line))
    return out


def _days(schedule: Schedule) -> tuple[Times, Times]:
    """Start of each UTC day of the span in ms, and the place of the last mark of that day; both of shape (n_days,)."""
    marks = schedule.mark_time_ms
    days = np.arange(marks[0] // DAY_MS, (marks[-1] - 1) // DAY_MS + 1)
    return days * DAY_MS, np.searchsorted(marks, (days + 1) * DAY_MS, side="right") - 1


def _growth(schedule: Schedule) -> Decimals:
    """Worth at each mark of 1 spread evenly over the symbols at their first opens; shape (n_bars + 1,)."""
    total: Decimals = np.sum([price / price[0] for price in schedule.price.values()], axis=0)
    total /= len(schedule.price)
    return total


def _net_return(ledger: Ledger) -> float:
    return float(ledger.equity[-1] / ledger.capital - 1)


def _sharpe(ledger: Ledger) -> float | None:
    """Mean over standard deviation (ddof 1) of daily returns, annualised; None where they do not vary."""
    equity = np.array([ledger.capital, *ledger.equity[_days(ledger.schedule)[1]]], dtype=np.float64)
    # An account that costs have eaten up returns nothing any more.
    returns = np.divide(equity[1:], equity[:-1], out=np.ones(len(equity) - 1), where=equity[:-1] > 0) - 1
    deviation = stdev(returns.tolist()) if len(returns) > 1 else 0.0
    return fmean(returns.tolist()) / deviation * math.sqrt(DAYS_PER_YEAR) if deviation > 0 else None


def _drawdowns(ledger: Ledger) -> npt.NDArray[np.float64]:
    """Fall from the highest equity so far as a fraction, at each mark; shape (n_bars + 1,)."""
    equity = ledger.equity.astype(np.float64)
    drawdowns: npt.NDArray[np.float64] = 1 - equity / np.maximum.accumulate(equity)
    return drawdowns


def _table(schema: TableSchema, columns: list[Any]) -> pa.Table:
    fields = [column.field(column.dtype) for column in schema.columns]
    arrays = [pa.array(values, field.type) for field, values in zip(fields, columns, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
