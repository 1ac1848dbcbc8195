"""What candles must keep to enter a snapshot: every problem of a source is named, none is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.tables import TIME as UTC_MS
from candlelock.snapshot import decimals, times
from candlelock.snapshot.raw_candles import AMOUNTS, PRICES, TIME, Rule, row_problems, select_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from candlelock.snapshot.raw_candles import RawCandles

    Rows = npt.NDArray[np.int64]

MEND = "mend or remove the row at its source"
IS_TIME = Rule(
    "candles-time",
    "a UTC time from 2009 to 2099: timestamp, ISO text, or epoch in s, ms or us (one unit throughout)",
    MEND,
)
IS_ASCENDING = Rule("candles-unsorted", "a later time than the row above", "sort the rows by time")
IS_UNIQUE = Rule("candles-duplicate", "each time once", "keep one candle for each time")
IS_NUMBER = Rule("candles-number", "a decimal number with at most 38 decimals, below 1e37", MEND)
IS_PRICE = Rule("candles-price", "a price above zero", MEND)
IS_VOLUME = Rule("candles-volume", "a volume of zero or more", MEND)
IS_HIGHEST = Rule("candles-high", "high at or above open, low and close", MEND)
IS_LOWEST = Rule("candles-low", "low at or below open, high and close", MEND)
HELP_TIMEFRAME = "set snapshot.timeframe in params.yaml to the candles' own, or give candles of that timeframe"


def candle_table(raw: RawCandles, bar_ms: int, min_rows: int) -> pa.Table:
    """The candles with the columns of contracts.tables.CANDLES, each value exactly as the source printed it.

    Raises InputError with every problem of the source, a few examples of each kind.
    """
    chosen = select_columns(raw)
    time_ns = times.parse(chosen.table[TIME].combine_chunks())
    amounts = {name: decimals.parse(chosen.table[name].combine_chunks()) for name in AMOUNTS}
    problems = [
        *_row_count_problems(chosen, min_rows),
        *_time_problems(chosen, time_ns, bar_ms),
        *(p for rule, names, rows in _broken_amounts(amounts) for p in row_problems(chosen, rule, rows, names)),
    ]
    prices = decimals.narrow([amounts[name] for name in PRICES])
    volume = decimals.narrow([amounts["volume"]])
    if prices is None or volume is None:
        raise InputError([*problems, _too_long(chosen)])
    raise_if(problems)
    open_time = pa.array(time_ns // times.NS_PER_MS).cast(UTC_MS)
    return pa.table([open_time, *prices, *volume], names=[TIME, *AMOUNTS])


def _row_count_problems(raw: RawCandles, min_rows: int) -> list[Problem]:
    n_rows = raw.table.num_rows
    if n_rows >= min_rows:
        return []
    help_line = "bring a longer history, leave the symbol out, or lower snapshot.min_rows in params.yaml"
    return [Problem("candles-few", raw.place, f"{n_rows} rows", f"at least {min_rows} rows", help_line)]


def _time_problems(raw: RawCandles, time_ns: Rows, bar_ms: int) -> list[Problem]:
    bar_ns = bar_ms * times.NS_PER_MS
    rows = np.flatnonzero(time_ns != times.UNKNOWN)
    known = time_ns[rows]
    order = np.argsort(known, kind="stable")
    step = np.diff(known[order])
    grid = f"a multiple of the bar ({bar_ms // 60_000} minutes) since 1970 UTC"
    broken = (
        (IS_TIME, np.flatnonzero(time_ns == times.UNKNOWN)),
        (IS_ASCENDING, rows[1:][np.diff(known) < 0]),
        (IS_UNIQUE, np.sort(rows[order][1:][step == 0])),
        (Rule("candles-off-grid", grid, HELP_TIMEFRAME), rows[known % bar_ns != 0]),
    )
    problems = [p for rule, where in broken for p in row_problems(raw, rule, where, (TIME,))]
    if np.any(step > 0) and step[step > 0].min() > bar_ns:
        minutes = step[step > 0].min() / times.NS_PER_MS / 60_000
        found = f"no two candles closer than {minutes:g} minutes"
        expected = f"bars of {bar_ms // 60_000} minutes"
        problems.append(Problem("candles-timeframe", raw.place, found, expected, HELP_TIMEFRAME))
    return problems


def _broken_amounts(amounts: Mapping[str, pa.Array]) -> Iterator[tuple[Rule, tuple[str, ...], Rows]]:
    """Each rule, the columns to show and the rows (from 0) that break it. What is no number breaks only that rule."""
    for name in AMOUNTS:
        yield IS_NUMBER, (name,), _where(pc.is_null(amounts[name]))
    zero = pa.scalar(0, decimals.WIDE)
    for name in PRICES:
        yield IS_PRICE, (name,), _where(pc.less_equal(amounts[name], zero))
    yield IS_VOLUME, ("volume",), _where(pc.less(amounts["volume"], zero))
    highest = pc.max_element_wise(*(amounts[name] for name in PRICES))
    lowest = pc.min_element_wise(*(amounts[name] for name in PRICES))
    yield IS_HIGHEST, PRICES, _where(pc.less(amounts["high"], highest))
    yield IS_LOWEST, PRICES, _where(pc.greater(amounts["low"], lowest))


def _where(mask: pa.Array) -> Rows:
    return np.flatnonzero(np.asarray(pc.fill_null(mask, False)))


def _too_long(raw: RawCandles) -> Problem:
    found = "a price or volume column whose largest value and finest decimal are more than 38 digits apart"
    return Problem("candles-too-long", raw.place, found, "at most 38 digits in all", "round the values at their source")
