"""What candles must keep to enter a snapshot: every problem of a source is named, none is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.tables import TIME as UTC_MS
from candlelock.contracts.tables import candles_schema
from candlelock.snapshot import amounts, times
from candlelock.snapshot.amounts import MEND
from candlelock.snapshot.raw_candles import (
    CLOSE_TIME,
    TIME,
    Rule,
    is_newest_first,
    other_times,
    row_problems,
    select_columns,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from candlelock.snapshot.raw_candles import RawCandles

    Rows = npt.NDArray[np.int64]

IS_TIME = Rule(
    "candles-time",
    "a UTC time from 2009 to 2099: timestamp, ISO text, or epoch in s, ms, us or ns (one unit throughout)",
    MEND,
)
IS_ONE_TIME = Rule("candles-times", "the same time in every column that gives one", "remove the column that is wrong")
IS_ASCENDING = Rule("candles-unsorted", "a later time than the row above", "sort the rows by time")
IS_UNIQUE = Rule("candles-duplicate", "each time once", "keep one candle for each time")
HELP_TIMEFRAME = "set snapshot.timeframe in params.yaml to the candles' own, or give candles of that timeframe"
BEFORE_NEXT_NS = (times.NS_PER_MS, times.NS_PER_MS // 1_000)  # Binance closes a bar 1 ms, or 1 us, before the next one


def candle_table(raw: RawCandles, bar_ms: int, min_rows: int) -> pa.Table:
    """The candles with the columns of contracts.tables.candles_schema, each value exactly as the source printed it.

    Extra columns are those the source has. Rows that are newest first throughout are turned round. Raises InputError
    with every problem of the source, a few examples of each kind.
    """
    chosen = raw if raw.parts else select_columns(raw)
    time_ns = chosen.times_of(TIME)
    if is_newest_first(time_ns):
        chosen, time_ns = chosen.reversed(), time_ns[::-1]
    numbers = amounts.parse(chosen)
    problems = [
        *_row_count_problems(chosen, min_rows),
        *_time_problems(chosen, time_ns, bar_ms),
        *(p for rule, names, rows in amounts.find_broken(numbers) for p in row_problems(chosen, rule, rows, names)),
    ]
    columns = amounts.columns(numbers)
    if columns is None:
        raise InputError([*problems, _too_long(chosen)])
    raise_if(problems)
    table = pa.table({TIME: pa.array(time_ns // times.NS_PER_MS).cast(UTC_MS), **columns})
    return table.select([column.name for column in candles_schema(table.column_names).columns])


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
    is_ascending = bool(np.all(np.diff(known) > 0))
    order = slice(None) if is_ascending else np.argsort(known, kind="stable")  # sorting millions costs memory
    step = np.diff(known[order])
    grid = f"a multiple of the bar ({bar_ms // 60_000} minutes) since 1970 UTC"
    broken = (
        (IS_TIME, np.flatnonzero(time_ns == times.UNKNOWN)),
        (IS_ASCENDING, rows[1:][np.diff(known) < 0]),
        (IS_UNIQUE, np.sort(rows[order][1:][step == 0])),
        (Rule("candles-off-grid", grid, HELP_TIMEFRAME), rows[known % bar_ns != 0]),
    )
    problems = [p for rule, where in broken for p in row_problems(raw, rule, where, (TIME,))]
    problems += _second_time_problems(raw, time_ns, bar_ns)
    shortest = step.min(where=step > 0, initial=times.END_NS)
    if bar_ns < shortest < times.END_NS:
        minutes = shortest / times.NS_PER_MS / 60_000
        found = f"no two candles closer than {minutes:g} minutes"
        expected = f"bars of {bar_ms // 60_000} minutes"
        problems.append(Problem("candles-timeframe", raw.place, found, expected, HELP_TIMEFRAME))
    return problems


def _second_time_problems(raw: RawCandles, time_ns: Rows, bar_ns: int) -> list[Problem]:
    """Rows in which another column gives another time, or the bar closes at another one than the next opens."""
    is_known = time_ns != times.UNKNOWN
    problems = []
    for name in other_times(raw):
        rows = np.flatnonzero(is_known & (raw.times_of(name) != time_ns))
        problems += row_problems(raw, IS_ONE_TIME, rows, (TIME, name))
    if CLOSE_TIME in raw.table.column_names:
        before_next_ns = time_ns + bar_ns - raw.times_of(CLOSE_TIME)
        expected = f"a close 1 ms or 1 us before the end of the bar ({bar_ns // times.NS_PER_SECOND // 60} minutes)"
        rule = Rule("candles-close-time", expected, HELP_TIMEFRAME)
        rows = np.flatnonzero(is_known & ~np.isin(before_next_ns, BEFORE_NEXT_NS))
        problems += row_problems(raw, rule, rows, (TIME, CLOSE_TIME))
    return problems


def _too_long(raw: RawCandles) -> Problem:
    found = "a price or volume column whose largest value and finest decimal are more than 38 digits apart"
    return Problem("candles-too-long", raw.place, found, "at most 38 digits in all", "round the values at their source")
