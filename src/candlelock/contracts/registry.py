"""The registry of features, `features.yml`: what each feature is, and the schema of the tables it allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import pyarrow as pa
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

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


def parse_registry(
    document: Mapping[str, Any], file: str, line_of: Callable[[tuple[Any, ...]], int]
) -> tuple[Feature, ...]:
    """The entries of a parsed features.yml, in its order. Raises InputError with every problem of the file."""
    help_line = "see the entries around it"
    raise_if(
        [
            Problem("registry-unknown-key", f"{file}:{line_of((key,))} {key}", "an unknown key", "features", help_line)
            for key in document
            if key != "features"
        ]
    )
    try:
        entries = ENTRIES.validate_python(document.get("features"))
    except ValidationError as error:
        raise InputError(
            Problem(
                "registry-invalid",
                f"{file}:{line_of(('features', *d['loc']))} {'.'.join(map(str, d['loc']))}",
                repr(d["input"])[:80],
                d["msg"],
                help_line,
            )
            for d in error.errors()
        ) from None
    names = [entry.name for entry in entries]
    raise_if(
        [
            Problem(
                "registry-duplicate",
                f"{file}:{line_of(('features', row))}",
                f"{name} again",
                "each name once",
                "rename or delete one",
            )
            for row, name in enumerate(names)
            if name in names[:row]
        ]
    )
    return tuple(entries)


def select(registry: Iterable[Feature], groups: Iterable[str]) -> tuple[Feature, ...]:
    """The entries of the groups that are switched on, in registry order."""
    wanted = set(groups)
    return tuple(entry for entry in registry if entry.group in wanted)


def table_schema(entries: Iterable[Feature]) -> TableSchema:
    """Schema of one symbol's feature table: the open time, then every feature in registry order; null where unknown."""
    columns = (Column(entry.name, pa.float64(), entry.unit, entry.formula, nullable=True) for entry in entries)
    return TableSchema("features", (OPEN_TIME, *columns), key=("open_time_utc",))
