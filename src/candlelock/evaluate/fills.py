"""Which fills there are: one compiled pass over all bars and symbols, in the order in which things happen.

Within a bar: exits at the open (time, reversal, the limits of the whole), then entries, then stop and target, then the
close: marks, carry, the limits of the whole, the next signal. Prices are float64 holding whole ticks, so that levels
are compared exactly; money is float64, to decide what depends on money and to draw surfaces. The ledger counts again.
docs/backtest.md has the rules.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from candlelock.artifacts.compiled import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Record = Any  # a structured array, or a row of one: attributes are its fields

MARKET, LIMIT, CROSSED = (
    0,
    1,
    2,
)  # entries: at the open; at the limit as a maker; at the limit, which the open had passed
TIME, REVERSAL, HALT, STOP, TARGET, END = 0, 1, 2, 3, 4, 5  # exits
ROOM = 1e-15  # of a price, for the rounding of float64 before a level is put on a tick
QUANTITY_UNITS = 1e8
MOST_SLIPPAGE = 0.99

POSITION = np.dtype(
    [(name, np.int64) for name in ("side", "entry_bar", "due", "entered", "leaving", "wanted")]
    + [(name, np.float64) for name in ("cash", "quantity", "price", "stop", "target", "weight", "volume", "wish")]
)
TRADE = np.dtype(
    [(name, np.int64) for name in ("symbol", "side", "entry_bar", "exit_bar", "entered", "left")]
    + [
        (name, np.float64)
        for name in ("entry_level", "exit_level", "weight", "quantity", "entry_volume", "exit_volume")
    ]
)
BOOK = np.dtype(
    [(name, np.int64) for name in ("day", "halted_day", "is_over")]
    + [(name, np.float64) for name in ("idle", "equity", "highest", "day_start")]
)


class Bars(NamedTuple):
    """All symbols on one grid; shape (n_bars, n_symbols), C order, unless said otherwise. Prices in ticks."""

    is_there: npt.NDArray[np.bool_]
    open: Floats
    high: Floats
    low: Floats
    close: Floats  # the last known one
    volume: Floats  # mean of the candles up to the bar; read where slippage depends on it
    side: Ints  # of the signal at the bar's close: 1, -1 or 0
    weight: Floats  # share of the account that signal asks for
    tick: Floats  # (n_symbols,)
    last: Ints  # (n_symbols,): the last bar with a candle
    day: Ints  # (n_bars,): UTC day of the open
    close_day: Ints  # (n_bars,): UTC day that ends with, or after, the close
    periods: Ints  # (n_bars,): ends of eight hours in (open, close]


class Rules(NamedTuple):
    """What decides fills; NaN: none."""

    horizon_bars: int
    stop_frac: float
    target_frac: float
    limit_frac: float
    gross_frac: float
    daily_loss_frac: float
    drawdown_frac: float


class Rates(NamedTuple):
    """What fills cost, as fractions. Slippage: `fixed_frac` + `impact_frac` × share of volume ** `power`; 0: none."""

    taker_frac: float
    maker_frac: float
    fixed_frac: float
    impact_frac: float
    power: float
    funding_frac: float
    borrow_frac: float


def start(n_symbols: int, share: float, idle: float) -> tuple[Record, Record]:
    """POSITION array of shape (n_symbols,) and BOOK array of shape (1,), before the first bar.

    `share`: cash of each account; `idle`: what no account has.
    """
    positions, book = np.zeros(n_symbols, POSITION), np.zeros(1, BOOK)
    positions["cash"] = share
    book["idle"], book["day"], book["halted_day"] = idle, -1, -1
    book["equity"] = book["highest"] = share * n_symbols + idle
    return positions, book


@compiled
def decide_fills(
    bars: Bars, rules: Rules, rates: Rates, state: tuple[Record, Record], out: tuple[Record, Floats]
) -> int:
    """Number of trades; writes them, closed ones in order of time, and the equity at each mark.

    `state`: as `start` gives it. `out`: TRADE array with a place for every signal, and float64 of shape (n_bars + 1,).
    """
    n_bars, n_symbols = bars.side.shape
    (positions, books), (trades, equity) = state, out
    book, n_trades = books[0], 0
    equity[0] = book.equity
    for bar in range(n_bars):
        for symbol in range(n_symbols):
            position = positions[symbol]
            if bars.is_there[bar, symbol] and position.side != 0 and (position.leaving > 0 or bar >= position.due):
                reason, price = max(position.leaving, TIME), bars.open[bar, symbol]
                n_trades = _leave(position, bars, rates, (bar, symbol), (reason, price), (trades, n_trades))
        share = _scale_entries(positions, bars, rules, bar, book)
        for symbol in range(n_symbols):
            if not bars.is_there[bar, symbol]:
                continue
            position = positions[symbol]
            if share > 0 and position.wanted != 0 and position.side == 0:
                _try_entry(position, bars, rules, rates, (bar, symbol), share)
            if position.side != 0:
                n_trades = _leave_within(position, bars, rates, (bar, symbol), (trades, n_trades))
        _mark(positions, bars, rates, bar, book)
        equity[bar + 1] = book.equity
        _guard(positions, bars, rules, bar, book)
        for symbol in range(n_symbols):
            _hear(positions[symbol], bars, rules, bar, symbol)
    return n_trades


@compiled
def _slip(rates: Rates, quantity: float, volume: float) -> float:
    if rates.power == 0:
        return rates.fixed_frac
    if not volume > 0:
        return MOST_SLIPPAGE
    share = quantity / volume
    return min(rates.fixed_frac + rates.impact_frac * (share if rates.power == 1 else math.sqrt(share)), MOST_SLIPPAGE)


@compiled
def _on_tick(price: float, side: int) -> float:
    """The tick at or above `price` for side 1, at or below it for side -1."""
    level: float = side * np.ceil(side * price - price * ROOM)
    return level


@compiled
def _volume(bars: Bars, rates: Rates, bar: int, symbol: int) -> float:
    """What is known of the volume when the bar opens."""
    return 0.0 if rates.power == 0 or bar == 0 else float(bars.volume[bar - 1, symbol])


@compiled
def _scale_entries(positions: Record, bars: Bars, rules: Rules, bar: int, book: Record) -> float:
    """Part of what entries ask for that they get, the same for all; decided from the closes before the bar."""
    if book.is_over == 1 or (book.halted_day >= 0 and book.halted_day == bars.day[bar]):
        return 0.0
    if rules.gross_frac >= 1:
        return 1.0
    used = asked = 0.0
    for symbol in range(len(positions)):
        position = positions[symbol]
        if position.side != 0:
            used += position.quantity * bars.close[bar - 1, symbol] * bars.tick[symbol]
        elif position.wanted != 0 and bars.is_there[bar, symbol]:
            asked += position.wish * max(position.cash, 0.0)
    room = max(rules.gross_frac * book.equity - used, 0.0)
    return 1.0 if asked <= room else room / asked


@compiled
def _try_entry(position: Record, bars: Bars, rules: Rules, rates: Rates, at: tuple[int, int], share: float) -> None:
    side, price, how = position.wanted, bars.open[at], MARKET
    if not np.isnan(rules.limit_frac):
        close = bars.close[at[0] - 1, at[1]]
        price = _on_tick(close * (1 - side * rules.limit_frac), -side)
        best = bars.low[at] if side == 1 else bars.high[at]
        if not side * best < side * price:
            return
        how = LIMIT if side * bars.open[at] > side * price else CROSSED
    tick = bars.tick[at[1]]
    volume = _volume(bars, rates, at[0], at[1])
    weight = position.wish * share
    budget = max(weight * position.cash, 0.0)
    slip = _slip(rates, budget / (price * tick), volume) if how == MARKET else 0.0
    fee = rates.maker_frac if how == LIMIT else rates.taker_frac
    paid = price * tick * (1 + side * slip)
    quantity = np.floor(budget / (1 + fee) / paid * QUANTITY_UNITS) / QUANTITY_UNITS
    if not quantity > 0:  # nothing is left to trade with
        return
    position.cash -= quantity * paid * (side + fee)
    position.side, position.quantity, position.weight = side, quantity, weight
    position.entry_bar, position.due, position.entered = at[0], at[0] + rules.horizon_bars, how
    position.price, position.volume, position.leaving = price, volume, 0
    position.stop = _on_tick(price * (1 - side * rules.stop_frac), side)
    position.target = _on_tick(price * (1 + side * rules.target_frac), side)


@compiled
def _leave(
    position: Record,
    bars: Bars,
    rates: Rates,
    at: tuple[int, int],
    why: tuple[int, float],
    out: tuple[Record, int],
) -> int:
    """Close the position; the number of trades then."""
    (bar, symbol), (reason, price), (trades, n_trades) = at, why, out
    side, volume = position.side, _volume(bars, rates, bar, symbol)
    slip = 0.0 if reason == TARGET else _slip(rates, position.quantity, volume)
    fee = rates.maker_frac if reason == TARGET else rates.taker_frac
    value = position.quantity * price * bars.tick[symbol] * (1 - side * slip)
    position.cash += value * (side - fee)
    trade = trades[n_trades]
    trade.symbol, trade.side, trade.weight, trade.quantity = symbol, side, position.weight, position.quantity
    trade.entry_bar, trade.exit_bar = position.entry_bar, bar
    trade.entered, trade.left = position.entered, reason
    trade.entry_level, trade.exit_level = position.price, price
    trade.entry_volume, trade.exit_volume = position.volume, volume
    position.side, position.quantity, position.leaving = 0, 0.0, 0
    return n_trades + 1


@compiled
def _leave_within(position: Record, bars: Bars, rates: Rates, at: tuple[int, int], out: tuple[Record, int]) -> int:
    """Stop and target, the worse first where both may have been; then the end of the data."""
    side, opened = position.side, bars.open[at]
    worst, best = (bars.low[at], bars.high[at]) if side == 1 else (bars.high[at], bars.low[at])
    is_within = position.entry_bar == at[0] and position.entered != MARKET  # what came before its fill is not known
    is_reached = side * best > side * position.target and not is_within
    if is_reached and side * opened > side * position.target:
        return _leave(position, bars, rates, at, (TARGET, position.target), out)
    if side * worst <= side * position.stop:
        price = side * min(side * position.stop, side * opened)
        return _leave(position, bars, rates, at, (STOP, price), out)
    if is_reached:
        return _leave(position, bars, rates, at, (TARGET, position.target), out)
    if at[0] == bars.last[at[1]]:
        return _leave(position, bars, rates, at, (END, bars.close[at]), out)
    return out[1]


@compiled
def _mark(positions: Record, bars: Bars, rates: Rates, bar: int, book: Record) -> None:
    """The equity at the bar's close, carry paid."""
    if bars.close_day[bar] != book.day:
        book.day, book.day_start = bars.close_day[bar], book.equity
    total = book.idle
    for symbol in range(len(positions)):
        position = positions[symbol]
        if position.side != 0:
            worth = position.quantity * bars.close[bar, symbol] * bars.tick[symbol]
            rate = rates.funding_frac if position.side > 0 else rates.borrow_frac - rates.funding_frac
            position.cash -= bars.periods[bar] * rate * worth
            total += position.side * worth
        total += position.cash
    book.equity = total
    book.highest = max(book.highest, total)


@compiled
def _guard(positions: Record, bars: Bars, rules: Rules, bar: int, book: Record) -> None:
    """Close all at the next opens where the day, or the whole, has lost too much."""
    is_over = book.equity <= book.highest * (1 - rules.drawdown_frac)
    is_halted = book.equity <= book.day_start * (1 - rules.daily_loss_frac)
    if is_over:
        book.is_over = 1
    goes_on = bar + 1 < len(bars.day) and bars.day[bar + 1] == bars.close_day[bar]
    if is_halted and goes_on:
        book.halted_day = book.day
    if is_over or (is_halted and goes_on):
        for symbol in range(len(positions)):
            if positions[symbol].side != 0:
                positions[symbol].leaving = HALT


@compiled
def _hear(position: Record, bars: Bars, rules: Rules, bar: int, symbol: int) -> None:
    """The signal at the bar's close: hold on, turn round, or enter at the next bar."""
    side = bars.side[bar, symbol]
    position.wanted, position.wish = 0, bars.weight[bar, symbol]
    if side == 0:
        return
    if position.side == side:
        if position.leaving == 0:
            position.due = bar + 1 + rules.horizon_bars
        return
    if position.side == -side and position.leaving == 0:
        position.leaving = REVERSAL
    if position.wish > 0:
        position.wanted = side
