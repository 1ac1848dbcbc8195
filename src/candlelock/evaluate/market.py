"""Candles and signals of all symbols on one grid of bars: exact ticks for the ledger, arrays for the compiled pass.

A tick is a unit of the last decimal of a symbol's prices. Marks are the first open of all symbols and every bar's close
up to the last of all.

Does not belong here: fills, money.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.errors import Problem, raise_if
from candlelock.evaluate.costs import EXACT
from candlelock.evaluate.fills import Bars

if TYPE_CHECKING:
    from collections.abc import Mapping

Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Units = npt.NDArray[Any]  # whole numbers: int64 where they fit, else Python's
PRICES = ("open", "high", "low", "close")
PRICE_STEP = Decimal("1e-18")
DAY_MS = 86_400_000
CARRY_MS = 28_800_000
MOST_EXACT = 2**53  # ticks that float64 holds exactly


@dataclass(frozen=True)
class Signals:
    """Of one symbol, in any order: open times of the bars at whose close they stand, 1 to buy or -1 to sell, and the
    share of the account they ask for; all of shape (n_signals,)."""

    at_ms: Times
    side: Times
    weight: Floats

    @classmethod
    def long(cls, at_ms: Times) -> Signals:
        """To buy for all there is."""
        return cls(at_ms, np.ones(len(at_ms), dtype=np.int64), np.ones(len(at_ms)))


@dataclass(frozen=True)
class Prices:
    """One symbol's candles in time order, exact: price = ticks × 10 ** -scale. `at_mark`: last candle at each mark.

    `at_mark` is -1 before the first close.
    """

    opens_ms: Times
    opened: Units
    closed: Units
    scale: int
    at_mark: Times

    def marked(self, marks: Times) -> Units:
        """Ticks of the last known close at these marks; of the first open before the first close."""
        at = self.at_mark[marks]
        return np.where(at < 0, self.opened[0], self.closed[np.maximum(at, 0)])

    def exact(self, ticks: float) -> Decimal:
        """The price of so many ticks."""
        return Decimal(int(ticks)).scaleb(-self.scale, EXACT)


@dataclass(frozen=True)
class Market:
    """`mark_time_ms`, shape (n_bars + 1,): when each mark is; symbols in name order."""

    bar_ms: int
    mark_time_ms: Times
    prices: dict[str, Prices]
    bars: Bars
    n_signals: int


def lay_out(
    candles: Mapping[str, pa.Table],
    signals: Mapping[str, Signals],
    bar_ms: int,
    reads_levels: bool = False,
    volume_bars: int | None = None,
) -> Market:
    """All symbols of `candles` on the grid that their first open begins and their last close ends.

    `candles`: symbol -> table with `open_time_utc` (ms, UTC) and decimal `open` and `close`; with `reads_levels` also
    `high` and `low`, with `volume_bars`, the candles of a mean, also `volume`. A symbol without an entry in `signals`
    never trades. Raises InputError for times off the grid, out of order or twice, prices not above zero or too long to
    compare exactly, a high below the low, signals without a candle or twice.
    """
    times = {symbol: _open_times(table) for symbol, table in sorted(candles.items())}
    raise_if(_candle_problems(candles, times, bar_ms, reads_levels) + _signal_problems(times, signals))
    first, last = min(int(t[0]) for t in times.values()), max(int(t[-1]) for t in times.values())
    marks = np.arange(first, last + 2 * bar_ms, bar_ms, dtype=np.int64)
    prices = {}
    for symbol, opens in times.items():
        scale = _scale(candles[symbol])
        opened, closed = (_ticks(candles[symbol][name], scale) for name in ("open", "close"))
        at_mark = np.searchsorted(opens, marks) - 1
        prices[symbol] = Prices(opens, opened, closed, scale, at_mark)
    bars = _bars(candles, signals, prices, marks, reads_levels, volume_bars)
    return Market(bar_ms, marks, prices, bars, sum(len(signal.at_ms) for signal in signals.values()))


def _bars(
    candles: Mapping[str, pa.Table],
    signals: Mapping[str, Signals],
    prices: Mapping[str, Prices],
    marks: Times,
    reads_levels: bool,
    volume_bars: int | None,
) -> Bars:
    shape = (len(marks) - 1, len(prices))
    is_there = np.zeros(shape, dtype=np.bool_)
    opened, high, low, closed, volume = (np.zeros(shape) for _ in range(5))
    for column, (symbol, price) in enumerate(prices.items()):
        at = np.searchsorted(marks, price.opens_ms)
        is_there[at, column] = True
        opened[at, column] = price.opened
        closed[:, column] = price.marked(np.arange(1, len(marks)))
        if reads_levels:
            high[at, column], low[at, column] = (_ticks(candles[symbol][name], price.scale) for name in ("high", "low"))
        if volume_bars:
            means = _means(candles[symbol]["volume"], volume_bars)
            volume[:, column] = np.append(means, 0.0)[price.at_mark[1:]]
    side, weight = _place(signals, list(prices), marks)
    return Bars(
        *(is_there, opened, high, low, closed, volume, side, weight),
        tick=np.array([float(price.exact(1)) for price in prices.values()]),
        last=np.array([np.searchsorted(marks, price.opens_ms[-1]) for price in prices.values()]),
        day=marks[:-1] // DAY_MS,
        close_day=(marks[1:] - 1) // DAY_MS,
        periods=marks[1:] // CARRY_MS - marks[:-1] // CARRY_MS,
    )


def with_signals(market: Market, signals: Mapping[str, Signals]) -> Market:
    """The same market with other signals."""
    side, weight = _place(signals, list(market.prices), market.mark_time_ms)
    bars = market.bars._replace(side=side, weight=weight)
    return replace(market, bars=bars, n_signals=sum(len(given.at_ms) for given in signals.values()))


def _place(signals: Mapping[str, Signals], symbols: list[str], marks: Times) -> tuple[Times, Floats]:
    """Side and weight of the signals at each bar, both of shape (n_bars, n_symbols)."""
    shape = (len(marks) - 1, len(symbols))
    side, weight = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    for column, symbol in enumerate(symbols):
        if symbol in signals:
            rows = np.searchsorted(marks, signals[symbol].at_ms)
            side[rows, column], weight[rows, column] = signals[symbol].side, signals[symbol].weight
    return side, weight


def _scale(candles: pa.Table) -> int:
    """Decimals of the price column that has most."""
    return max(int(candles[name].type.scale) for name in PRICES if name in candles.column_names)


def _ticks(values: pa.ChunkedArray, scale: int) -> Units:
    """A decimal column as whole numbers of its decimal number `scale`."""
    array = values.combine_chunks().cast(pa.decimal128(38, scale))
    words = np.frombuffer(array.buffers()[1], dtype=np.int64)[2 * array.offset : 2 * (array.offset + len(array))]
    low: Units = words[::2]
    high: Units = words[1::2]
    if (high == low >> 63).all():
        return low
    wide: Units = (high.astype(object) << 64) + low.view(np.uint64).astype(object)
    return wide


def _means(volumes: pa.ChunkedArray, n_candles: int) -> Floats:
    """Mean of the last `n_candles` candles, of fewer at the start; sums are of whole numbers, so exact."""
    scale = volumes.type.scale
    ticks = _ticks(volumes, scale)
    is_wide = ticks.dtype == object or int(ticks.max()) > np.iinfo(np.int64).max // len(ticks)
    total = np.concatenate([[0], np.cumsum(ticks.astype(object) if is_wide else ticks)])
    begin = np.maximum(np.arange(len(ticks)) + 1 - n_candles, 0)
    n = np.arange(len(ticks)) + 1 - begin
    means: Floats = (total[1:] - total[begin]).astype(np.float64) / n / 10.0**scale
    return means


def _open_times(candles: pa.Table) -> Times:
    return np.asarray(candles["open_time_utc"].cast(pa.int64()).to_numpy(), dtype=np.int64)


def _candle_problems(
    candles: Mapping[str, pa.Table], times: dict[str, Times], bar_ms: int, reads_levels: bool
) -> list[Problem]:
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
        for column in PRICES if reads_levels else ("open", "close"):
            ends = pc.min_max(candles[symbol][column])
            out += _price_problems(symbol, column, ends["min"].as_py(), ends["max"].as_py(), reads_levels)
        if reads_levels:
            out += _range_problems(symbol, candles[symbol])
    return out


def _price_problems(symbol: str, column: str, lowest: Decimal, highest: Decimal, reads_levels: bool) -> list[Problem]:
    place = f"of {symbol} column {column}"
    if lowest < PRICE_STEP:
        return [_candle_problem("price", place, f"price {lowest}", "prices above zero")]
    if reads_levels and highest.scaleb(-int(highest.as_tuple().exponent)) >= MOST_EXACT:
        expected = "at most 15 digits, so that a stop, target or limit is compared exactly"
        return [_candle_problem("price", place, f"price {highest}", expected)]
    return []


def _range_problems(symbol: str, candles: pa.Table) -> list[Problem]:
    """Bars whose open or close lies outside low and high."""
    opened, high, low, closed = (_ticks(candles[name], _scale(candles)) for name in PRICES)
    wrong = np.flatnonzero((np.minimum(opened, closed) < low) | (np.maximum(opened, closed) > high))
    if len(wrong) == 0:
        return []
    found = f"{len(wrong)} bars with an open or close outside low and high"
    return [_candle_problem("price", f"of {symbol} row {wrong[0]}", found, "low ≤ open, close ≤ high")]


def _candle_problem(kind: str, place: str, found: str, expected: str) -> Problem:
    help_line = "give the candles of the snapshot, built with `dvc repro snapshot`"
    return Problem(f"backtest-candle-{kind}", f"candles {place}", found, expected, help_line)


def _signal_problems(times: dict[str, Times], signals: Mapping[str, Signals]) -> list[Problem]:
    out = []
    for symbol, given in sorted(signals.items()):
        known, at = times.get(symbol, np.empty(0, np.int64)), np.sort(given.at_ms)
        is_known = np.append(known, -1)[np.searchsorted(known, at)] == at
        lost, n_twice = at[~is_known], int((np.diff(at) == 0).sum())
        if len(lost):
            found = f"{len(lost)} without a candle, the first at {lost[0]} ms"
        elif symbol not in times:
            found = "a symbol without candles"
        elif n_twice:
            found = f"{len(given.at_ms)} signals at {len(given.at_ms) - n_twice} bars"
        else:
            continue
        help_line = "predict and back-test with the same snapshot"
        out.append(Problem("backtest-signal", f"signals of {symbol}", found, "one signal at a candle", help_line))
    return out


def day_ends(market: Market) -> tuple[Times, Times]:
    """Start of each UTC day of the span in ms, and the place of the last mark of that day; both of shape (n_days,)."""
    marks = market.mark_time_ms
    days = np.arange(marks[0] // DAY_MS, (marks[-1] - 1) // DAY_MS + 1)
    return days * DAY_MS, np.searchsorted(marks, (days + 1) * DAY_MS, side="right") - 1


def at_days(market: Market, equity: Floats) -> Floats:
    """Of an equity at each mark, (n_bars + 1,), the first and that at the end of each UTC day; shape (n_days + 1,)."""
    daily: Floats = equity[np.append(0, day_ends(market)[1])]
    return daily
