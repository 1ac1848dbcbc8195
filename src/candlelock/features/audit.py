"""Feature tables against the registry: what disagrees, and a summary of what was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.documents import FeatureSummary
from candlelock.contracts.errors import Problem, raise_if
from candlelock.contracts.registry import table_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array

N_NAMED = 5  # features without a value that are named
ROUNDING = 1e-9  # by which a value may pass an end of its range, as a part of the range, or of the end of an open one


def disagreements(tables: Mapping[str, pa.Table], entries: Sequence[Feature], bar_ms: int) -> list[str]:
    """Where feature tables break the registry.

    Columns, types, values inside the warm-up or outside the range, features without a value. `bar_ms`: length of a bar.
    """
    schema = table_schema(entries)
    found = [
        f"{problem.place}: {problem.found}"
        for symbol, table in tables.items()
        for problem in schema.problems(table, symbol)
    ]
    return found or [line for symbol, table in tables.items() for line in _audit_table(symbol, table, entries, bar_ms)]


def refuse_disagreement(tables: Mapping[str, pa.Table], entries: Sequence[Feature], bar_ms: int) -> None:
    """Raise InputError with every disagreement, so that no table is written that features.yml does not describe."""
    help_line = "switch its group off, take more candles or symbols, or mend features.yml"
    raise_if(
        [
            Problem("features-disagree", "features", line, "tables as features.yml declares them", help_line)
            for line in disagreements(tables, entries, bar_ms)
        ]
    )


def _audit_table(symbol: str, table: pa.Table, entries: Sequence[Feature], bar_ms: int) -> list[str]:
    times = _times(table)
    empty = [entry.name for entry in entries if table[entry.name].null_count == table.num_rows]
    named = f"{', '.join(empty[:N_NAMED])}{f' and {len(empty) - N_NAMED} more' if len(empty) > N_NAMED else ''}"
    lines = [f"{symbol} {named}: no value in any row"] if empty else []
    return lines + [
        f"{symbol} {entry.name}: {line}"
        for entry in entries
        if entry.name not in empty
        for line in _audit(table[entry.name].to_numpy(), times, entry, bar_ms)
    ]


def _audit(values: Array, times: npt.NDArray[np.int64], entry: Feature, bar_ms: int) -> list[str]:
    warmup = entry.warmup(bar_ms)
    n_early = _rows_before(times, warmup, bar_ms)
    early = np.flatnonzero(~np.isnan(values[:n_early]))
    if len(early):
        return [f"a value in row {early[0]}, inside its warm-up of {warmup} bars"]
    return _outside_range(values, times, entry)


def _outside_range(values: Array, times: npt.NDArray[np.int64], entry: Feature) -> list[str]:
    if entry.range is None:
        return []
    low, high = _ends_with_room(entry.range)
    if np.fmin.reduce(values) >= low and np.fmax.reduce(values) <= high:
        return []
    rows = np.flatnonzero((values < low) | (values > high))
    at = np.datetime64(int(times[rows[0]]) // 1000, "s")
    span = ", ".join("open" if end is None else f"{end:g}" for end in entry.range)
    return [f"{float(values[rows[0]])!r} at {at}Z, outside its range [{span}] ({len(rows)} such rows)"]


def _ends_with_room(ends: Sequence[float | None]) -> tuple[float, float]:
    """The ends of a range, each moved outwards by what rounding may do; an open end is infinite."""
    low, high = ends
    span = abs(low or high or 0.0) if low is None or high is None else high - low
    room = ROUNDING * span
    return (-np.inf if low is None else low - room), (np.inf if high is None else high + room)


def _times(table: pa.Table) -> npt.NDArray[np.int64]:
    """Open times in milliseconds since 1970."""
    times: npt.NDArray[np.int64] = table["open_time_utc"].cast("int64").to_numpy()
    return times


def _rows_before(times: npt.NDArray[np.int64], n_bars: int, bar_ms: int) -> int:
    """How many rows the table has within the first `n_bars` bars since its first candle."""
    return int(np.searchsorted(times, times[0] + n_bars * bar_ms)) if len(times) else 0


def summarise(tables: Mapping[str, pa.Table], entries: Sequence[Feature], bar_ms: int) -> list[FeatureSummary]:
    """Each feature with its warm-up and the number of nulls past it, over all symbols' tables."""
    times = {symbol: _times(table) for symbol, table in tables.items()}
    return [
        FeatureSummary(
            name=entry.name,
            group=entry.group,
            unit=entry.unit,
            warmup_bars=entry.warmup(bar_ms),
            n_null_after_warmup=sum(
                table[entry.name].slice(_rows_before(times[symbol], entry.warmup(bar_ms), bar_ms)).null_count
                for symbol, table in tables.items()
            ),
        )
        for entry in entries
    ]
