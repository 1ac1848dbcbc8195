"""The registry of features, `features.yml`: what each feature is, and the refusal of a table that disagrees with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import pyarrow as pa
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from candlelock.contracts.documents import FeatureSummary
from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.stage_params import FeatureGroup, Frozen
from candlelock.contracts.tables import OPEN_TIME, Column, TableSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class Feature(Frozen):
    """One entry of the registry. `warmup_bars`: bars since a symbol's first candle before the feature has a value."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    group: FeatureGroup
    dtype: Literal["float64"]
    unit: Annotated[str, StringConstraints(min_length=1)]
    warmup_bars: Annotated[int, Field(ge=0)]
    available_at: Literal["close"]
    formula: Annotated[str, StringConstraints(min_length=1)]


ENTRIES = TypeAdapter(list[Feature])


def parse_registry(document: Mapping[str, Any], file: str, line_of: Callable[[tuple[Any, ...]], int]) -> tuple[Feature, ...]:
    """The entries of a parsed features.yml, in its order. Raises InputError with every problem of the file."""
    help_line = "see the entries around it"
    try:
        entries = ENTRIES.validate_python(document.get("features"))
    except ValidationError as error:
        raise InputError(
            Problem("registry-invalid", f"{file}:{line_of(('features', *d['loc']))} {'.'.join(map(str, d['loc']))}", repr(d["input"])[:80], d["msg"], help_line)
            for d in error.errors()
        ) from None
    names = [entry.name for entry in entries]
    raise_if([
        Problem("registry-duplicate", f"{file}:{line_of(('features', row))}", f"{name} again", "each name once", "rename or delete one")
        for row, name in enumerate(names)
        if name in names[:row]
    ])
    return tuple(entries)


def select(registry: Iterable[Feature], groups: Iterable[str]) -> tuple[Feature, ...]:
    """The entries of the groups that are switched on, in registry order."""
    wanted = set(groups)
    return tuple(entry for entry in registry if entry.group in wanted)


def table_schema(entries: Iterable[Feature]) -> TableSchema:
    """Schema of one symbol's feature table: the open time, then every feature in registry order; null where unknown."""
    columns = (Column(entry.name, pa.float64(), entry.unit, entry.formula, nullable=True) for entry in entries)
    return TableSchema("features", (OPEN_TIME, *columns), key=("open_time_utc",))


def disagreements(tables: Mapping[str, pa.Table], entries: tuple[Feature, ...]) -> list[str]:
    """Where feature tables break the registry: columns, types, values inside the warm-up, features without a value."""
    schema = table_schema(entries)
    found = [f"{problem.place}: {problem.found}" for symbol, table in tables.items() for problem in schema.problems(table, symbol)]
    return found or [line for symbol, table in tables.items() for entry in entries for line in _audit(table, entry, symbol)]


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
            n_null_after_warmup=sum(table[entry.name].slice(entry.warmup_bars).null_count for table in tables.values()),
        )
        for entry in entries
    ]
