"""Back-tests from bare candles and signals, and ledgers from bare stays."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.contracts.backtest_params import BacktestParams
from candlelock.evaluate import costs as c
from candlelock.evaluate.fills import Bars
from candlelock.evaluate.ledger import keep_ledger
from candlelock.evaluate.market import DAY_MS, Market, Prices, Signals, lay_out
from candlelock.evaluate.schedule import Schedule, schedule_stays

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from candlelock.evaluate.ledger import Ledger
    from candlelock.evaluate.schedule import Stay


PLAIN: dict[str, Any] = {
    "capital": 1000,
    "fee_bps": 0.0,
    "slippage_bps": 0.0,
    "cost_multiples": [1.0],
    "maker_fee_bps": None,
    "short_p_up": None,
    "one_direction": False,
    "entry": {"kind": "market", "limit_bps": 0.0},
    "exit": {"stop_bps": None, "target_bps": None},
    "slippage": {"model": "bps", "spread_bps": 0.0, "impact_bps": 100.0, "volume_bars": 48},
    "carry": {"funding_bps": 0.0, "borrow_bps": 0.0},
    "sizing": {"kind": "fixed", "max_frac": 1.0, "volatility_frac": 0.5, "kelly_frac": 0.5, "window_bars": 96},
    "risk": {"gross_frac": 1.0, "daily_loss_frac": None, "drawdown_frac": None, "max_gap_bars": None},
}


def trading_params(**changed: Any) -> BacktestParams:
    """A thousand of capital and no costs but for what is changed; a section's keys may be changed one by one."""
    sections = {key: {**PLAIN[key], **value} if isinstance(value, dict) else value for key, value in changed.items()}
    return BacktestParams(**{**PLAIN, **sections})


def costs(fee_bps: float, slippage_bps: float) -> c.Costs:
    return c.costs_of(trading_params(fee_bps=fee_bps, slippage_bps=slippage_bps))


def trade(
    candles: Mapping[str, pa.Table],
    signals: Mapping[str, Signals],
    params: BacktestParams,
    horizon_bars: int,
    bar_ms: int,
) -> Ledger:
    """Everything between signals and ledger."""
    rules, paid = c.rules_of(params, horizon_bars), c.costs_of(params)
    volume_bars = params.slippage.volume_bars if paid.power else None
    market = lay_out(candles, signals, bar_ms, c.reads_levels(rules), volume_bars)
    return keep_ledger(schedule_stays(market, rules, paid, params.capital), paid, params.capital)


def all_equity(ledger: Ledger) -> list[Decimal]:
    """The exact equity at every mark."""
    return ledger.equity_at(np.arange(len(ledger.schedule.market.mark_time_ms))).tolist()


def schedule_of(stays: Mapping[str, tuple[Stay, ...]], price: Mapping[str, list[str]], bar_ms: int) -> Schedule:
    """A schedule of given stays, and of each symbol's price at each mark, from 1970 on."""
    marks = np.arange(len(next(iter(price.values()))), dtype=np.int64) * bar_ms
    prices = {symbol: _prices([Decimal(value) for value in values], marks) for symbol, values in price.items()}
    n_bars, n_symbols = len(marks) - 1, len(price)
    empty = np.zeros((n_bars, n_symbols))
    bars = Bars(
        *(empty == 0, *[empty] * 5, empty.astype(np.int64), empty, np.ones(n_symbols), np.zeros(n_symbols, np.int64)),
        day=marks[:-1] // DAY_MS,
        close_day=(marks[1:] - 1) // DAY_MS,
        periods=marks[1:] // 28_800_000 - marks[:-1] // 28_800_000,
    )
    return Schedule(Market(bar_ms, marks, prices, bars, 0), dict(stays))


def _prices(values: list[Decimal], marks: np.ndarray) -> Prices:
    scale = max(max(0, -int(value.as_tuple().exponent)) for value in values)
    ticks = np.array([int(value.scaleb(scale)) for value in values], dtype=object)
    return Prices(marks[:-1], ticks[:-1], ticks[1:], scale, np.arange(len(marks)) - 1)


def long_signals(times: Mapping[str, np.ndarray]) -> dict[str, Signals]:
    return {symbol: Signals.long(at) for symbol, at in times.items()}
