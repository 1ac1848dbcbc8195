"""The back-test: the signals of the test segment traded after costs, and the figures a trader judges them by.

`signals` says what is wanted, `schedule` what is traded, `ledger` what that earns, exactly; ratios leave as float64.
The span goes from the first test row to `horizon_bars` after the last one: the bars the labels of the test rows see.
Bars on which a symbol has no candle are marked at its last known close. A UTC day ends with its last bar close.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.documents import BacktestReport, CostPoint, utc_text
from candlelock.contracts.errors import Problem, raise_if
from candlelock.contracts.tables import PREDICTIONS, candles_schema
from candlelock.evaluate.costs import EXACT, costs_of, reads_levels, rules_of
from candlelock.evaluate.figures import drawdowns, sharpe
from candlelock.evaluate.ledger import keep_ledger, total
from candlelock.evaluate.market import at_days, day_ends, lay_out
from candlelock.evaluate.schedule import decide, refuse_gaps, schedule_stays
from candlelock.evaluate.signals import hear_model, take_test_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.contracts.backtest_params import BacktestParams
    from candlelock.evaluate.costs import Costs
    from candlelock.evaluate.fills import Rules
    from candlelock.evaluate.ledger import Ledger
    from candlelock.evaluate.market import Market, Times


def backtest(
    predictions: pa.Table, candles: Mapping[str, pa.Table], params: BacktestParams, horizon_bars: int, bar_ms: int
) -> tuple[BacktestReport, Ledger]:
    """Trade the signals of the test rows, at the given costs and at every cost multiple.

    `predictions`: a PREDICTIONS table; `candles`: symbol -> a table of candles_schema, of any span; every symbol with
    test rows has an account. Raises InputError for tables that break their schema, no test rows, signals or symbols
    without candles, prices not above zero, costs of 10,000 bps and more, positions through longer gaps than allowed.
    """
    run = lay_out_test(predictions, candles, params, horizon_bars, bar_ms)
    ledger = trade_market(run.market, run, params)
    points = [_cost_point(ledger, run, params, multiple) for multiple in params.cost_multiples]
    return _report(ledger, points), ledger


@dataclass(frozen=True)
class Run:
    """What is traded, by which rules, at which costs."""

    market: Market
    rules: Rules
    costs: Costs


def lay_out_test(
    predictions: pa.Table, candles: Mapping[str, pa.Table], params: BacktestParams, horizon_bars: int, bar_ms: int
) -> Run:
    """The market of the test rows with the model's signals. Raises InputError as `backtest` does."""
    costs, rules = costs_of(params), rules_of(params, horizon_bars)
    problems = PREDICTIONS.problems(predictions, "predictions") + _cost_problems(params)
    for symbol, table in sorted(candles.items()):
        problems += candles_schema(table.column_names).problems(table, f"candles of {symbol}")
    raise_if(problems)
    test = take_test_rows(predictions)
    signals = hear_model(test, candles, params, horizon_bars, bar_ms)
    opens = test["open_time_utc"].cast(pa.int64()).to_numpy()
    span = int(opens.min()), int(opens.max()) + horizon_bars * bar_ms
    traded = {symbol: _within(table, *span) for symbol, table in candles.items() if symbol in signals}
    market = lay_out(traded, signals, bar_ms, reads_levels(rules), params.slippage.volume_bars)
    return Run(market, rules, costs)


def trade_market(market: Market, run: Run, params: BacktestParams) -> Ledger:
    """The ledger of a market's signals by the rules and costs of `run`. Raises InputError for gaps beyond the limit."""
    schedule = schedule_stays(market, run.rules, run.costs, params.capital)
    if params.risk.max_gap_bars is not None:
        refuse_gaps(schedule, params.risk.max_gap_bars)
    return keep_ledger(schedule, run.costs, params.capital)


def _within(candles: pa.Table, first_ms: int, last_ms: int) -> pa.Table:
    opens = candles["open_time_utc"].cast(pa.int64())
    return candles.filter(pc.and_(pc.greater_equal(opens, first_ms), pc.less_equal(opens, last_ms)))


def _report(ledger: Ledger, cost_sensitivity: list[CostPoint]) -> BacktestReport:
    market, trades = ledger.schedule.market, ledger.trades
    marks, equity = market.mark_time_ms, ledger.equity
    n_bars, n_days = len(marks) - 1, len(day_ends(market)[0])
    bars_held = sum(t.stay.exit_time_ms - t.stay.entry_time_ms for t in trades) / market.bar_ms
    with localcontext(EXACT):
        turnover = float(total(trade.value_units for trade in trades) / ledger.capital / n_days)
        held = float(growth(market, np.array([n_bars]))[0] - 1)
    return BacktestReport(
        first_open_utc=utc_text(marks[0]),
        last_close_utc=utc_text(marks[-1]),
        capital=float(ledger.capital),
        final_equity=float(ledger.final_equity),
        net_return_frac=net_return(ledger),
        buy_and_hold_return_frac=held,
        sharpe=sharpe(at_days(market, equity)),
        max_drawdown_frac=float(drawdowns(equity).max()),
        win_rate_frac=sum(trade.pnl_units > 0 for trade in trades) / len(trades) if trades else None,
        n_trades=len(trades),
        n_days=n_days,
        turnover_per_day=turnover,
        exposure_frac=bars_held / (len(ledger.schedule.stays) * n_bars),
        fees_paid=float(total(trade.fee_units for trade in trades)),
        cost_sensitivity=cost_sensitivity,
    )


def _cost_point(ledger: Ledger, run: Run, params: BacktestParams, multiple: float) -> CostPoint:
    """The ledger's figures, or at other costs those of the compiled pass."""
    at_own = multiple == 1
    costs = run.costs.times(multiple)
    other = None if at_own else decide(run.market, run.rules, costs, params.capital)
    trades, equity = other or (ledger.trades, ledger.equity)
    return CostPoint(
        cost_multiple=multiple,
        net_return_frac=net_return(ledger) if at_own else float(equity[-1] / equity[0] - 1),
        sharpe=sharpe(at_days(run.market, equity)),
        n_trades=len(trades),
    )


def _cost_problems(params: BacktestParams) -> list[Problem]:
    """A fill that costs all it is worth and more is no fill."""
    out = []
    for multiple in params.cost_multiples:
        costs = costs_of(params).times(multiple)
        if max(costs.fee_frac, costs.slippage_frac) >= 1:
            found = f"fee {params.fee_bps * multiple:g} bps, slippage {float(costs.slippage_frac) * 1e4:g} bps"
            place, help_line = f"backtest.cost_multiples {multiple:g}", "take a smaller multiple in params.yaml"
            out.append(Problem("backtest-costs", place, found, "each below 10000 bps", help_line))
    return out


def growth(market: Market, marks: Times) -> npt.NDArray[np.object_]:
    """Worth at these marks of 1 spread evenly over the symbols at their first opens; same shape."""
    with localcontext(EXACT):
        total = np.full(len(marks), Decimal(0), dtype=object)
        for prices in market.prices.values():
            first = prices.exact(prices.opened[0])
            total = total + [prices.exact(ticks) / first for ticks in prices.marked(marks).tolist()]
        return np.asarray(total / len(market.prices), dtype=object)


def net_return(ledger: Ledger) -> float:
    """Gain of the whole span as a fraction of the capital."""
    with localcontext(EXACT):
        return float(ledger.final_equity / ledger.capital - 1)
