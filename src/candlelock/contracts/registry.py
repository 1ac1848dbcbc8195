"""The registry of features, `features.yml`: what each feature is, and the schema of the tables it allows.

A plug-in's registry, `plugins/<file>.yml`, has the same form; its entries' group is the file's name without suffix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import pyarrow as pa
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError, field_validator

from candlelock.contracts.errors import Problem, nearest, raise_if
from candlelock.contracts.stage_params import FeatureGroup, Frozen, Name
from candlelock.contracts.tables import OPEN_TIME, Column, TableSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pydantic import ValidationInfo
    from pydantic_core import ErrorDetails

BUILT_IN_GROUPS: tuple[str, ...] = get_args(FeatureGroup)
DAY_MS = 86_400_000


def _require_span(ends: list[float | None]) -> list[float | None]:
    low, high = ends
    if low is None and high is None:
        raise ValueError("an end; leave `range` out where there is none")
    if low is not None and high is not None and low >= high:
        raise ValueError(f"the low end {low:g} below the high end {high:g}")
    return ends


def _require_unique(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("each input once")
    return names


Text = Annotated[str, StringConstraints(min_length=1)]
Range = Annotated[list[float | None], Field(min_length=2, max_length=2), AfterValidator(_require_span)]
Input = Annotated[str, StringConstraints(pattern=r"^(market\.)?[a-z][a-z0-9_]*$")]


class Feature(Frozen):
    """One entry of the registry.

    `range`: smallest and largest value, null where that end is open; left out where neither end is known.
    `warmup_bars`, `warmup_days`: how far back a value may look (see `warmup`).
    `inputs`: columns a value is made of: open, high, low, close, volume, open_time, or an optional one;
    `market.close` is that column of every symbol.
    `available_at`: when the value is known: `close` of its own bar, or `x4_close`, of the last finished bar of four.
    `reference`: the paper, the book or the TA-Lib function it follows.
    """

    name: Name
    group: Name
    dtype: Literal["float64"]
    unit: Text
    range: Range | None = None
    warmup_bars: Annotated[int, Field(ge=0)]
    warmup_days: Annotated[int, Field(ge=0, le=3650)] = 0
    inputs: Annotated[list[Input], Field(min_length=1), AfterValidator(_require_unique)]
    available_at: Annotated[str, StringConstraints(pattern=r"^(x[1-9][0-9]*_)?close$")]
    formula: Text
    reference: Text | None = None

    @field_validator("group")
    @classmethod
    def _group_is_known(cls, group: str, info: ValidationInfo) -> str:
        """In a file the group is one of those that may stand there; an entry alone may have any."""
        known = (info.context or {}).get("groups", [group])
        if group not in known:
            raise ValueError(f"a group of this file; {nearest(group, known)}")
        return group

    def warmup(self, bar_ms: int) -> int:
        """Bars since a symbol's first candle before the feature has a value; no value looks further back than that."""
        return self.warmup_bars + -(-self.warmup_days * DAY_MS // bar_ms)


ENTRIES = TypeAdapter(list[Feature])


def parse_registry(
    document: Mapping[str, Any],
    file: str,
    line_of: Callable[[tuple[Any, ...]], int],
    groups: Iterable[str] = BUILT_IN_GROUPS,
) -> tuple[Feature, ...]:
    """The entries of a parsed registry, in its order; `groups`: those that may stand in it.

    Raises InputError with every problem of the file.
    """
    help_line = "see the entries around it; docs/plugins.md explains the keys"
    problems = [
        Problem("registry-unknown-key", f"{file}:{line_of((key,))} {key}", "an unknown key", "features", help_line)
        for key in document
        if key != "features"
    ]
    listed = document.get("features")
    entries: list[Feature] = []
    try:
        entries = ENTRIES.validate_python(listed, context={"groups": list(groups)})
    except ValidationError as error:
        problems += [_problem(detail, file, line_of, help_line) for detail in error.errors()]
    rows = listed if isinstance(listed, list) else []
    names = [each.get("name") if isinstance(each, dict) else None for each in rows]
    problems += [
        Problem(
            "registry-duplicate",
            f"{file}:{line_of(('features', row))}",
            f"{name} again",
            "each name once",
            "rename or delete one",
        )
        for row, name in enumerate(names)
        if name is not None and name in names[:row]
    ]
    raise_if(problems)
    return tuple(entries)


def _problem(detail: ErrorDetails, file: str, line_of: Callable[[tuple[Any, ...]], int], help_line: str) -> Problem:
    loc = detail["loc"]
    place = f"{file}:{line_of(('features', *loc))} {'.'.join(map(str, loc))}"
    if detail["type"] == "extra_forbidden":
        help_line = nearest(str(loc[-1]), list(Feature.model_fields))
    expected = detail["msg"].removeprefix("Value error, ")
    return Problem("registry-invalid", place, repr(detail["input"])[:80], expected, help_line)


def select(registry: Iterable[Feature], groups: Iterable[str]) -> tuple[Feature, ...]:
    """The entries of the groups that are switched on, in registry order."""
    wanted = set(groups)
    return tuple(entry for entry in registry if entry.group in wanted)


def table_schema(entries: Iterable[Feature]) -> TableSchema:
    """Schema of one symbol's feature table: the open time, then every feature in registry order; null where unknown."""
    columns = (Column(entry.name, pa.float64(), entry.unit, entry.formula, nullable=True) for entry in entries)
    return TableSchema("features", (OPEN_TIME, *columns), key=("open_time_utc",))
