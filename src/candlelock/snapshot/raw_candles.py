"""Candles as a source gave them, before anything is believed about them, and the places in it that an error names.

Does not belong here: what makes a candle right or wrong (`validation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.snapshot.text_values import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

TIME = "open_time_utc"
PRICES = ("open", "high", "low", "close")
AMOUNTS = (*PRICES, "volume")
TIME_NAMES = ("date", "open_time", "open_time_utc", "time", "timestamp")
MAX_EXAMPLES = 5


@dataclass(frozen=True)
class RawCandles:
    """A table with the source's own columns and types. `has_lines`: it is text, with a header in line 1."""

    place: str
    has_lines: bool
    table: pa.Table

    def place_of(self, row: int) -> str:
        """Where a row (from 0) stands, as an editor or a reader counts."""
        return f"{self.place}:{row + 2}" if self.has_lines else f"{self.place} row {row + 1}"

    def value_at(self, column: str, row: int) -> str:
        """A value as the source gave it; times in UTC."""
        value = self.table[column].slice(row, 1).combine_chunks()
        if pa.types.is_timestamp(value.type):
            value = value.cast(pa.timestamp(value.type.unit))
        text = to_text(value)[0].as_py()
        return text if text and text == text.strip() else repr(text)


@dataclass(frozen=True)
class Rule:
    """What every row has to keep."""

    code: str
    expected: str
    help: str


def row_problems(raw: RawCandles, rule: Rule, rows: npt.NDArray[np.int64], columns: tuple[str, ...]) -> list[Problem]:
    """One problem for each of the first rows that break `rule`, with their values; the last one counts the rest."""
    n_more = len(rows) - MAX_EXAMPLES
    problems = []
    for n, row in enumerate(rows[:MAX_EXAMPLES].tolist(), start=1):
        found = ", ".join(f"{column} {raw.value_at(column, row)}" for column in columns)
        rest = f" (and {n_more} more rows like it)" if n == MAX_EXAMPLES and n_more > 0 else ""
        problems.append(Problem(rule.code, raw.place_of(row), found + rest, rule.expected, rule.help))
    return problems


def select_columns(raw: RawCandles) -> RawCandles:
    """The same rows with the six candle columns under their contract names; other columns are dropped.

    Raises InputError when the source is empty, lacks a column or has two for one.
    """
    if not raw.table.num_rows:
        help_line = "remove the file or fill it"
        raise InputError(Problem("candles-empty", raw.place, "no candles", "at least one row", help_line))
    names = raw.table.column_names
    found = {TIME: _matching(names, TIME_NAMES), **{name: _matching(names, (name,)) for name in AMOUNTS}}
    raise_if([*_missing_columns(raw, found), *_repeated_columns(raw, found)])
    chosen = raw.table.select([hits[0] for hits in found.values()]).rename_columns(list(found))
    return RawCandles(raw.place, raw.has_lines, chosen)


def _matching(names: list[str], accepted: tuple[str, ...]) -> list[int]:
    return [i for i, name in enumerate(names) if name.lower() in accepted]


def _missing_columns(raw: RawCandles, found: Mapping[str, list[int]]) -> list[Problem]:
    missing = [name for name, hits in found.items() if not hits]
    if not missing:
        return []
    there = f"columns {', '.join(raw.table.column_names)}"
    expected = f"a time ({', '.join(TIME_NAMES)}) and {', '.join(AMOUNTS)}"
    help_line = f"missing: {', '.join(missing)}; rename columns, or add a header line to a CSV file that has none"
    return [Problem("candles-columns", raw.place, there, expected, help_line)]


def _repeated_columns(raw: RawCandles, found: Mapping[str, list[int]]) -> list[Problem]:
    names = raw.table.column_names
    repeated = {name: " and ".join(names[i] for i in hits) for name, hits in found.items() if len(hits) > 1}
    code, help_line = "candles-columns-repeated", "keep one of them"
    return [Problem(code, raw.place, there, f"one column for {name}", help_line) for name, there in repeated.items()]
