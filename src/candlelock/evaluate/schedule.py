"""When a long-only trader is in the market: signals and bars alone decide, whatever the costs.

- A signal stands at a bar's close (the bar is named by its open time). It is filled at the next bar's open: the bar
  that opens exactly one bar length later. If the exchange has no such bar, the entry is dropped.
- One position per symbol. It is held for `horizon_bars` bar lengths from its fill. A signal while in position, one at
  the close before the exit included, starts that clock again from its own next bar: held on, no fill needed.
- The exit is at the open of the bar on which the clock runs out, or, if that bar is missing, of the first later one.
  A position still open after the last bar is closed at that bar's close.

Does not belong here: money, fees, figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.errors import Problem, raise_if

if TYPE_CHECKING:
    from collections.abc import Mapping

Times = npt.NDArray[np.int64]
Decimals = npt.NDArray[np.object_]
PRICE_STEP = Decimal("1e-18")


@dataclass(frozen=True)
class Stay:
    """One time in the market. `first_mark` and `end_mark` bound the marks at which the position is open, end excluded.

    Prices are as the exchange printed them.
    """

    symbol: str
    first_mark: int
    end_mark: int
    entry_time_ms: int
    exit_time_ms: int
    entry_price: Decimal
    exit_price: Decimal


@dataclass(frozen=True)
class Schedule:
    """All stays, and what is needed to mark them.

    `mark_time_ms`, shape (n_bars + 1,): the first open of all symbols, then every bar's close up to the last of all.
    `price`: symbol, in name order -> last known close at each mark; its first open before its first close.
    """

    bar_ms: int
    mark_time_ms: Times
    price: dict[str, Decimals]
    stays: dict[str, tuple[Stay, ...]]


def schedule_stays(
    candles: Mapping[str, pa.Table], signals: Mapping[str, Times], horizon_bars: int, bar_ms: int
) -> Schedule:
    """Turn signals into stays over the span of `candles`.

    `candles`: symbol -> table with `open_time_utc` (ms, UTC) and decimal `open` and `close`. `signals`: symbol -> open
    times (ms) of the bars at whose close a signal stands, in any order; a symbol without an entry never trades.
    Raises InputError for times off the grid, out of order or twice, prices not above zero, signals without a candle.
    """
    times = {symbol: _open_times(table) for symbol, table in sorted(candles.items())}
    raise_if(_candle_problems(candles, times, bar_ms) + _signal_problems(times, signals))
    first, last = min(int(t[0]) for t in times.values()), max(int(t[-1]) for t in times.values())
    marks = np.arange(first, last + 2 * bar_ms, bar_ms, dtype=np.int64)
    price, stays = {}, {}
    for symbol, opens in times.items():
        closes = [candles[symbol]["open"][0].as_py(), *candles[symbol]["close"].to_pylist()]
        price[symbol] = np.array(closes, dtype=object)[np.searchsorted(opens, marks)]
        at = np.unique(signals.get(symbol, np.empty(0, np.int64)))
        stays[symbol] = _stays(symbol, candles[symbol], opens, at, horizon_bars, marks)
    return Schedule(bar_ms, marks, price, stays)


def _stays(
    symbol: str, candles: pa.Table, opens: Times, signals: Times, horizon_bars: int, marks: Times
) -> tuple[Stay, ...]:
    bar_ms = marks[1] - marks[0]
    horizon_ms = horizon_bars * bar_ms
    fills = signals + bar_ms
    can_fill = np.isin(fills, opens)
    # Signals no further apart than the horizon belong to one stay, which begins with the first that can be filled.
    group = np.cumsum(np.diff(signals, prepend=signals[:1]) > horizon_ms)
    filled_group, at = np.unique(group[can_fill], return_index=True)
    entry_ms = fills[can_fill][at]
    due_ms = fills[np.searchsorted(group, filled_group, side="right") - 1] + horizon_ms
    entry, leave = np.searchsorted(opens, entry_ms), np.searchsorted(opens, due_ms)
    end_ms = opens[np.minimum(leave, len(opens) - 1)] + bar_ms
    exit_ms = np.where(leave < len(opens), end_ms - bar_ms, end_ms)
    # One place beyond the last bar's open stands its close, the exit of those who are still in.
    prices = pa.concat_arrays([candles["open"].combine_chunks(), candles["close"].combine_chunks()[-1:]])
    first_mark, end_mark = (entry_ms - marks[0]) // bar_ms + 1, (end_ms - marks[0]) // bar_ms
    columns = (first_mark, end_mark, entry_ms, exit_ms, prices.take(entry), prices.take(leave))
    return tuple(Stay(symbol, *row) for row in zip(*(column.tolist() for column in columns), strict=True))


def _open_times(candles: pa.Table) -> Times:
    return np.asarray(candles["open_time_utc"].cast(pa.int64()).to_numpy(), dtype=np.int64)


def _candle_problems(candles: Mapping[str, pa.Table], times: dict[str, Times], bar_ms: int) -> list[Problem]:
    empty = [symbol for symbol, t in times.items() if len(t) == 0] if times else ["any symbol"]
    if empty:
        return [_candle_problem("rows", f"of {symbol}", "no rows", "at least one") for symbol in empty]
    first = min(int(t[0]) for t in times.values())
    out = []
    for symbol, t in times.items():
        wrong = np.flatnonzero((np.diff(t, prepend=t[0] - 1) <= 0) | ((t - first) % bar_ms != 0))
        if len(wrong):
            expected = f"one row per time, ascending in whole bars of {bar_ms} ms"
            out.append(_candle_problem("time", f"of {symbol} row {wrong[0]}", f"open time {t[wrong[0]]} ms", expected))
        for column in ("open", "close"):
            lowest = pc.min(candles[symbol][column]).as_py()
            if lowest < PRICE_STEP:
                out.append(
                    _candle_problem("price", f"of {symbol} column {column}", f"price {lowest}", "prices above zero")
                )
    return out


def _candle_problem(kind: str, place: str, found: str, expected: str) -> Problem:
    help_line = "give the candles of the snapshot, built with `dvc repro snapshot`"
    return Problem(f"backtest-candle-{kind}", f"candles {place}", found, expected, help_line)


def _signal_problems(times: dict[str, Times], signals: Mapping[str, Times]) -> list[Problem]:
    out = []
    for symbol, at in sorted(signals.items()):
        lost = np.setdiff1d(at, times.get(symbol, np.empty(0, np.int64)))
        if symbol not in times or len(lost):
            found = (
                f"{len(lost)} without a candle, the first at {lost[0]} ms" if len(lost) else "a symbol without candles"
            )
            help_line = "predict and back-test with the same snapshot"
            out.append(Problem("backtest-signal", f"signals of {symbol}", found, "signals at candles", help_line))
    return out
