"""The times in the market: what the compiled pass decided, with exact prices.

Does not belong here: how fills are decided (`fills`), money (`ledger`), figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.errors import Problem, raise_if
from candlelock.evaluate import fills
from candlelock.evaluate.costs import EXACT, STEP, rates_of

if TYPE_CHECKING:
    from candlelock.evaluate.costs import Costs
    from candlelock.evaluate.fills import Floats, Record, Rules
    from candlelock.evaluate.market import Market, Prices, Times, Units


@dataclass(frozen=True)
class Stay:
    """One time in the market. `first_mark` and `end_mark` bound the marks at which the position is open, end excluded.

    Prices are as the exchange printed them, or levels on a tick. `side`: 1 long, -1 short. `weight`: share of the
    account put at work. `entered`, `left`: codes of `fills`. Volumes are those that slippage is taken from.
    """

    symbol: str
    first_mark: int
    end_mark: int
    entry_time_ms: int
    exit_time_ms: int
    entry_price: Decimal
    exit_price: Decimal
    side: int = 1
    weight: float = 1.0
    entered: int = fills.MARKET
    left: int = fills.TIME
    entry_volume: float = 0.0
    exit_volume: float = 0.0

    @property
    def printed(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Both prices as numerator and denominator."""
        return self.entry_price.as_integer_ratio(), self.exit_price.as_integer_ratio()


@dataclass(frozen=True)
class Schedule:
    """All stays by symbol, in name order, and the market that marks them."""

    market: Market
    stays: dict[str, tuple[Stay, ...]]


def share_of(capital: int, n_symbols: int) -> Decimal:
    """What each account starts with."""
    with localcontext(EXACT):
        return (Decimal(capital) / n_symbols).quantize(STEP, ROUND_DOWN)


def schedule_stays(market: Market, rules: Rules, costs: Costs, capital: int) -> Schedule:
    """Trade the signals of `market` by `rules`. Costs and capital matter where rules look at the equity alone."""
    trades, _ = decide(market, rules, costs, capital)
    stays = {}
    for number, (symbol, prices) in enumerate(market.prices.items()):
        stays[symbol] = _stays(symbol, prices, trades[trades["symbol"] == number], market)
    return Schedule(market, stays)


def decide(market: Market, rules: Rules, costs: Costs, capital: int) -> tuple[Record, Floats]:
    """Trades as a `fills.TRADE` array, and the equity at each mark in float64."""
    n_symbols = len(market.prices)
    share = share_of(capital, n_symbols)
    trades = np.zeros(market.n_signals, fills.TRADE)
    equity = np.zeros(len(market.mark_time_ms))
    state = fills.start(n_symbols, float(share), float(capital - share * n_symbols))
    n_trades = fills.decide_fills(market.bars, rules, rates_of(costs), state, (trades, equity))
    return trades[:n_trades], equity


def refuse_gaps(schedule: Schedule, max_gap_bars: int) -> None:
    """InputError where a position lasts through more bars in a row without a candle of its symbol."""
    problems = []
    for symbol, stays in schedule.stays.items():
        gaps = longest_gaps(schedule.market, symbol, stays)
        wrong = np.flatnonzero(gaps > max_gap_bars)
        if len(wrong):
            one = wrong[0]
            first = f"the first from {stays[one].entry_time_ms} ms: {gaps[one]} bars"
            found = f"{len(wrong)} positions through longer gaps, {first}"
            expected = f"at most {max_gap_bars} bars in a row without a candle"
            help_line = "fill the gap in the source, or raise backtest.risk.max_gap_bars"
            problems.append(Problem("backtest-gap", f"candles of {symbol}", found, expected, help_line))
    raise_if(problems)


def longest_gaps(market: Market, symbol: str, stays: tuple[Stay, ...]) -> Times:
    """Bars in a row without a candle that each stay lasted through, the most; shape (n_stays,)."""
    opens = market.prices[symbol].opens_ms
    missing = np.append(np.diff(opens) // market.bar_ms - 1, 0)
    begin = np.searchsorted(opens, [stay.entry_time_ms for stay in stays])
    end = np.searchsorted(opens, [stay.exit_time_ms for stay in stays])
    return np.array([missing[b:e].max(initial=0) for b, e in zip(begin, end, strict=True)], dtype=np.int64)


def _stays(symbol: str, prices: Prices, trades: Record, market: Market) -> tuple[Stay, ...]:
    first = market.mark_time_ms[0]
    entry_bar, exit_bar = trades["entry_bar"], trades["exit_bar"]
    exit_ms = first + (exit_bar + (trades["left"] == fills.END)) * market.bar_ms
    place = [np.searchsorted(prices.opens_ms, first + bar * market.bar_ms) for bar in (entry_bar, exit_bar)]
    is_level = np.isin(trades["left"], (fills.STOP, fills.TARGET))
    out_at = np.where(trades["left"] == fills.END, prices.closed[place[1]], prices.opened[place[1]])
    entries = _ticks(prices.opened[place[0]], trades["entry_level"], trades["entered"] != fills.MARKET)
    exits = _ticks(out_at, trades["exit_level"], is_level)
    columns = (
        *(entry_bar + 1, exit_bar + 1, first + entry_bar * market.bar_ms, exit_ms),
        *(np.array([prices.exact(t) for t in ticks], dtype=object) for ticks in (entries, exits)),
        *(trades[name] for name in ("side", "weight", "entered", "left", "entry_volume", "exit_volume")),
    )
    return tuple(Stay(symbol, *row) for row in zip(*(column.tolist() for column in columns), strict=True))


def _ticks(printed: Units, level: Floats, is_level: Record) -> list[int]:
    """Ticks of each fill: a level where it was one, else as printed, which float64 need not hold."""
    return [int(b if c else a) for a, b, c in zip(printed.tolist(), level.tolist(), is_level.tolist(), strict=True)]
