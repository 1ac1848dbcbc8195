"""Candles as a source gave them, before anything is believed about them, and the places in it that an error names.

Does not belong here: what makes a candle right or wrong (`validation`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.snapshot import column_names, times
from candlelock.snapshot.text_values import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

TIME, CLOSE_TIME = "open_time_utc", "close_time_utc"
PRICES = ("open", "high", "low", "close")
AMOUNTS = (*PRICES, "volume")
MAX_EXAMPLES = 5


@dataclass(frozen=True)
class RawCandles:
    """A table with the source's own columns and types.

    `has_lines`: it is text, its first row in line `n_lines_above` + 1. `is_reversed`: the source has the rows in the
    opposite order. `parts`: what it was joined from, in the order of the rows; then they say where a row stands.
    """

    place: str
    has_lines: bool
    table: pa.Table
    n_lines_above: int = 1
    is_reversed: bool = False
    parts: tuple[RawCandles, ...] = ()

    def place_of(self, row: int) -> str:
        """Where a row (from 0) stands, as an editor or a reader counts."""
        for part in self.parts:
            if row < part.table.num_rows:
                return part.place_of(row)
            row -= part.table.num_rows
        row = self.table.num_rows - 1 - row if self.is_reversed else row
        return f"{self.place}:{row + 1 + self.n_lines_above}" if self.has_lines else f"{self.place} row {row + 1}"

    def value_at(self, column: str, row: int) -> str:
        """A value as the source gave it; times in UTC."""
        value = self.table[column].slice(row, 1).combine_chunks()
        if pa.types.is_timestamp(value.type):
            value = value.cast(pa.timestamp(value.type.unit))
        text = to_text(value)[0].as_py()
        return text if text and text == text.strip() else repr(text)

    def times_of(self, column: str) -> npt.NDArray[np.int64]:
        """A column as `times.parse` reads it; each part has a unit of its own."""
        return np.concatenate([times.parse(each.table[column].combine_chunks()) for each in self.parts or (self,)])

    def reversed(self) -> RawCandles:
        """The same rows in the opposite order."""
        rows = pa.array(np.arange(self.table.num_rows)[::-1])
        return replace(self, table=self.table.take(rows), is_reversed=not self.is_reversed)


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
    """The same rows with the known columns under their contract names, others dropped; see `column_names`.

    Time, prices and volume are there, extra columns and `close_time_utc` where the source has them. Further columns
    that give the time come last, under the source's names and positions. Raises InputError when the source is empty,
    lacks a column or has two for one.
    """
    if not raw.table.num_rows:
        help_line = "remove the file or fill it"
        raise InputError(Problem("candles-empty", raw.place, "no candles", "at least one row", help_line))
    found = column_names.find_columns(raw.table.column_names)
    found[TIME] = found[TIME] or _index_times(raw)
    others, found[TIME] = found[TIME][1:], found[TIME][:1]
    raise_if([*_missing_columns(raw, found), *_repeated_columns(raw, found)])
    there = {name: hits[0] for name, hits in found.items() if hits}
    names = [*there, *(f"{raw.table.column_names[at]} (column {at + 1})" for at in others)]
    return replace(raw, table=raw.table.select([*there.values(), *others]).rename_columns(names))


def is_newest_first(time_ns: npt.NDArray[np.int64]) -> bool:
    """Whether times fall from the first row to the last, as some sources list them."""
    step = np.diff(time_ns)
    return bool(len(step) and np.all(step <= 0) and np.any(step < 0))


def other_times(raw: RawCandles) -> list[str]:
    """The columns of `select_columns` that give the time once more."""
    return [name for name in raw.table.column_names if name not in column_names.COLUMNS]


def _index_times(raw: RawCandles) -> list[int]:
    """Columns without a name that start with a time: pandas keeps a frame's index so."""
    positions = column_names.find_index(raw.table.column_names)
    firsts = {at: times.parse(raw.table.column(at).slice(0, 1).combine_chunks()) for at in positions}
    return [at for at, first in firsts.items() if first[0] != times.UNKNOWN]


def _missing_columns(raw: RawCandles, found: Mapping[str, list[int]]) -> list[Problem]:
    missing = [name for name in (TIME, *AMOUNTS) if not found[name]]
    if not missing:
        return []
    there = f"columns {', '.join(raw.table.column_names)}"
    expected = f"a time ({', '.join(column_names.NAMES[TIME])}) and {', '.join(AMOUNTS)}"
    help_line = f"missing: {', '.join(missing)}; rename columns, or add a header line to a CSV file that has none"
    return [Problem("candles-columns", raw.place, there, expected, help_line)]


def _repeated_columns(raw: RawCandles, found: Mapping[str, list[int]]) -> list[Problem]:
    names = raw.table.column_names
    repeated = {name: " and ".join(names[i] for i in hits) for name, hits in found.items() if len(hits) > 1}
    code, help_line = "candles-columns-repeated", "keep one of them"
    return [Problem(code, raw.place, there, f"one column for {name}", help_line) for name, there in repeated.items()]
