"""Feature tables against the registry: what disagrees, and a summary of what was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from candlelock.contracts.documents import FeatureSummary
from candlelock.contracts.errors import Problem, raise_if
from candlelock.contracts.registry import table_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from candlelock.contracts.registry import Feature


def disagreements(tables: Mapping[str, pa.Table], entries: tuple[Feature, ...]) -> list[str]:
    """Where feature tables break the registry: columns, types, values inside the warm-up, features without a value."""
    schema = table_schema(entries)
    found = [
        f"{problem.place}: {problem.found}"
        for symbol, table in tables.items()
        for problem in schema.problems(table, symbol)
    ]
    return found or [
        line for symbol, table in tables.items() for entry in entries for line in _audit(table, entry, symbol)
    ]


def refuse_disagreement(tables: Mapping[str, pa.Table], entries: tuple[Feature, ...]) -> None:
    """Raise InputError with every disagreement, so that no table is written that features.yml does not describe."""
    help_line = "switch its group off, take more candles or symbols, or mend features.yml"
    raise_if(
        [
            Problem("features-disagree", "features", line, "tables as features.yml declares them", help_line)
            for line in disagreements(tables, entries)
        ]
    )


def _audit(table: pa.Table, entry: Feature, symbol: str) -> list[str]:
    known = table[entry.name].is_valid().to_numpy()
    if not known.any():
        return [f"{symbol} {entry.name}: no value in any row"]
    first = int(known.argmax())
    if first < entry.warmup_bars - _bars_missing(table, entry.warmup_bars):
        return [f"{symbol} {entry.name}: a value in row {first}, inside its warm-up of {entry.warmup_bars} bars"]
    return []


def _bars_missing(table: pa.Table, n_bars: int) -> int:
    """How many of the grid's first `n_bars` bars the table has no row for."""
    times = table["open_time_utc"].cast(pa.int64()).to_numpy()
    if len(times) < 2:
        return n_bars
    bar_ms = int((times[1:] - times[:-1]).min())
    return n_bars - int((times < times[0] + n_bars * bar_ms).sum())


def summarise(entries: Iterable[Feature], tables: Mapping[str, pa.Table]) -> list[FeatureSummary]:
    """Each feature with the number of nulls past its warm-up, over all symbols' tables."""
    return [
        FeatureSummary(
            name=entry.name,
            group=entry.group,
            unit=entry.unit,
            warmup_bars=entry.warmup_bars,
            n_null_after_warmup=sum(_count_nulls(table, entry) for table in tables.values()),
        )
        for entry in entries
    ]


def _count_nulls(table: pa.Table, entry: Feature) -> int:
    first = entry.warmup_bars - _bars_missing(table, entry.warmup_bars)
    return int(table[entry.name].slice(first).null_count)
