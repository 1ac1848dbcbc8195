"""The back-test in full: beside its benchmarks, by month and side, what was at work, at other costs and sizes.

What the strategy earned is the exact ledger's; the reversal rule and the sweeps are the compiled pass's float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from candlelock.contracts.backtest_documents import (
    ENTRIES,
    EXITS,
    CurveFigures,
    Exposure,
    MonthFigures,
    SideFigures,
    TradingReport,
)
from candlelock.contracts.backtest_tables import TRADE_LIST, TRADING_CURVE
from candlelock.evaluate.costs import costs_of, rules_of
from candlelock.evaluate.figures import drawdowns, sharpe
from candlelock.evaluate.ledger import total
from candlelock.evaluate.market import at_days, day_ends, with_signals
from candlelock.evaluate.schedule import decide, longest_gaps
from candlelock.evaluate.signals import hear_reversal, take_test_rows
from candlelock.evaluate.sweeps import find_break_even, impact_power, sweep_costs, sweep_sizes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from candlelock.contracts.backtest_params import BacktestParams
    from candlelock.evaluate.fills import Floats
    from candlelock.evaluate.ledger import Ledger, Trade
    from candlelock.evaluate.market import Times


@dataclass(frozen=True)
class Curves:
    """Equity at each mark, all of shape (n_bars + 1,): the ledger's, buy-and-hold's without costs, the reversal rule's.

    `gross`, `net`: worth of all positions, and of long less short ones.
    """

    strategy: Floats
    held: Floats
    reversal: Floats
    n_reversal_trades: int
    gross: Floats
    net: Floats


def draw_curves(
    ledger: Ledger,
    predictions: pa.Table,
    candles: Mapping[str, pa.Table],
    params: BacktestParams,
    horizon_bars: int,
) -> Curves:
    """The curves of a back-test of `predictions` and `candles`; `ledger` is its.

    The reversal rule buys after a fall over the horizon, on the same rows, by the same rules and at the same costs,
    with `sizing.max_frac` of its account.
    """
    market = ledger.schedule.market
    signals = hear_reversal(take_test_rows(predictions), candles, params.sizing.max_frac, horizon_bars, market.bar_ms)
    reversed_market = with_signals(market, signals)
    trades, reversal = decide(reversed_market, rules_of(params, horizon_bars), costs_of(params), params.capital)
    first = [float(prices.opened[0]) for prices in market.prices.values()]
    held = np.append(1.0, (market.bars.close / first).mean(axis=1)) * params.capital
    worths = np.stack([_worths(ledger, symbol) for symbol in market.prices])
    return Curves(ledger.equity, held, reversal, len(trades), np.abs(worths).sum(axis=0), worths.sum(axis=0))


def report_trading(ledger: Ledger, curves: Curves, params: BacktestParams, horizon_bars: int) -> TradingReport:
    """All figures of `trading.json`."""
    market, costs, rules = ledger.schedule.market, costs_of(params), rules_of(params, horizon_bars)
    sides = [_side(ledger, side) for side in (1, -1)]
    return TradingReport(
        curves=_figures(ledger, curves),
        months=_months(ledger, curves),
        sides=sides,
        entries={name: sum(t.stay.entered == code for t in ledger.trades) for code, name in enumerate(ENTRIES)},
        exits={name: sum(t.stay.left == code for t in ledger.trades) for code, name in enumerate(EXITS)},
        exposure=_exposure(ledger, curves),
        break_even_bps=find_break_even(market, rules, costs, params.capital),
        cost_surface=sweep_costs(market, rules, costs, params),
        impact_bps=params.slippage.impact_bps,
        impact_power=impact_power(params),
        capacity=sweep_sizes(market, rules, costs, params),
    )


def trade_list(ledger: Ledger) -> pa.Table:
    """The trades as a TRADE_LIST table."""
    rows = [
        (
            *(t.stay.symbol, t.stay.entry_time_ms, t.stay.exit_time_ms, "long" if t.stay.side == 1 else "short"),
            *(ENTRIES[t.stay.entered], EXITS[t.stay.left], t.stay.weight),
            *(*t.price_units, t.signed_units, sum(t.fee_units), t.carried_units),
            *(t.pnl_units, t.return_frac),
        )
        for t in ledger.trades
    ]
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [() for _ in TRADE_LIST.columns]
    return TRADE_LIST.table(
        [
            _decimals(values, column.dtype) if pa.types.is_decimal(column.dtype) else values
            for column, values in zip(TRADE_LIST.columns, columns, strict=True)
        ]
    )


def _decimals(units: Sequence[int], dtype: pa.Decimal128Type) -> pa.Array:
    """Whole numbers of the last place of `dtype` as its decimals; Python's would be made one by one and read again."""
    words = b"".join([each.to_bytes(16, "little", signed=True) for each in units])
    out = pa.Array.from_buffers(dtype, len(units), [None, pa.py_buffer(words)])
    out.validate(full=True)
    return out


def trading_curve(ledger: Ledger, curves: Curves) -> pa.Table:
    """The curves as a TRADING_CURVE table, one row per UTC day."""
    days_ms, at = day_ends(ledger.schedule.market)
    equities = [curves.strategy, curves.held, curves.reversal]
    exposures = [_over(worth, curves.strategy) for worth in (curves.gross, curves.net)]
    columns = [*equities, *(drawdowns(equity) for equity in equities), *exposures]
    return TRADING_CURVE.table([days_ms, *(column[at] for column in columns)])


def plot_curve(ledger: Ledger, curves: Curves) -> pd.DataFrame:
    """The curves for a plot: `day` as text, then the columns of TRADING_CURVE."""
    frame: pd.DataFrame = trading_curve(ledger, curves).to_pandas()
    frame.insert(0, "day", frame.pop("day_utc").dt.strftime("%Y-%m-%d"))
    return frame


def _figures(ledger: Ledger, curves: Curves) -> list[CurveFigures]:
    market = ledger.schedule.market
    given = (
        ("strategy", curves.strategy, len(ledger.trades)),
        ("buy_and_hold", curves.held, len(market.prices)),
        ("reversal", curves.reversal, curves.n_reversal_trades),
    )
    return [
        CurveFigures(
            name=name,
            net_return_frac=float(equity[-1] / equity[0] - 1),
            sharpe=sharpe(at_days(market, equity)),
            max_drawdown_frac=float(drawdowns(equity).max()),
            n_trades=n_trades,
        )
        for name, equity, n_trades in given
    ]


def _months(ledger: Ledger, curves: Curves) -> list[MonthFigures]:
    days_ms, at = day_ends(ledger.schedule.market)
    months = days_ms.astype("datetime64[ms]").astype("datetime64[M]")
    names, last = np.unique(months[::-1], return_index=True)
    ends = at[len(at) - 1 - last]
    entered = np.array([t.stay.entry_time_ms for t in ledger.trades], np.int64).astype("datetime64[ms]")
    columns = [_gains(equity, ends) for equity in (curves.strategy, curves.held, curves.reversal)]
    counts = [int((entered.astype("datetime64[M]") == name).sum()) for name in names]
    return [
        MonthFigures(
            month=str(name),
            return_frac=own,
            buy_and_hold_return_frac=held,
            reversal_return_frac=rule,
            n_trades=count,
        )
        for name, own, held, rule, count in zip(names, *columns, counts, strict=True)
    ]


def _gains(equity: Floats, ends: Times) -> list[float]:
    """Gain from each mark of `ends` to the next, the first from the start; 0 from an equity that is not above zero."""
    before, after = equity[np.append(0, ends[:-1])], equity[ends]
    gains: list[float] = (np.divide(after, before, out=np.ones(len(ends)), where=before > 0) - 1).tolist()
    return gains


def _side(ledger: Ledger, side: int) -> SideFigures:
    own: list[Trade] = [trade for trade in ledger.trades if trade.stay.side == side]
    return SideFigures(
        side="long" if side == 1 else "short",
        n_trades=len(own),
        win_rate_frac=sum(trade.pnl_units > 0 for trade in own) / len(own) if own else None,
        pnl=float(total((trade.pnl_units,) for trade in own)),
        fees=float(total(trade.fee_units for trade in own)),
        carry=float(sum(trade.carried for trade in own)),
    )


def _exposure(ledger: Ledger, curves: Curves) -> Exposure:
    market, trades = ledger.schedule.market, ledger.trades
    gross, net = (_over(worth, curves.strategy)[1:] for worth in (curves.gross, curves.net))
    held = [(trade.stay.exit_time_ms - trade.stay.entry_time_ms) / market.bar_ms for trade in trades]
    gaps = [longest_gaps(market, symbol, stays).max(initial=0) for symbol, stays in ledger.schedule.stays.items()]
    return Exposure(
        mean_gross_frac=float(gross.mean()),
        highest_gross_frac=float(gross.max()),
        mean_net_frac=float(net.mean()),
        turnover_per_day=float(total(t.value_units for t in trades)) / float(ledger.capital) / len(day_ends(market)[0]),
        mean_bars_held=float(np.mean(held)) if held else None,
        longest_gap_bars=int(max(gaps)),
    )


def _worths(ledger: Ledger, symbol: str) -> Floats:
    """Worth of a symbol's position at each mark, below zero if short; shape (n_bars + 1,)."""
    market = ledger.schedule.market
    column = list(market.prices).index(symbol)
    worth = np.zeros(len(market.mark_time_ms))
    for trade in ledger.trades:
        if trade.stay.symbol == symbol:
            worth[trade.stay.first_mark : trade.stay.end_mark] = float(trade.quantity)
    worth[1:] *= market.bars.close[:, column] * market.bars.tick[column]
    return worth


def _over(worth: Floats, equity: Floats) -> Floats:
    """A share of the equity; 0 where there is none left."""
    return np.divide(worth, equity, out=np.zeros(len(equity)), where=equity > 0)
