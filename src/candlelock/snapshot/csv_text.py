"""CSV as text: every value stays the string that was printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pacsv

from candlelock.contracts.errors import InputError, Problem
from candlelock.snapshot.raw_candles import MAX_EXAMPLES, RawCandles

if TYPE_CHECKING:
    from collections.abc import Callable


def parse(content: bytes, place: str) -> RawCandles:
    """A table of string columns, row n of it in line n + 1 (rows from 1, the header in line 1).

    Raises InputError when lines differ in their number of values or the text is not UTF-8.
    """
    _require_utf8(content, place)
    lines = content.rstrip(b"\r\n") + b"\n"
    if lines == b"\n":
        return RawCandles(place, has_lines=True, table=pa.table({}))
    ragged: list[pacsv.InvalidRow] = []
    try:
        table = _read(lines, ragged)
    except pa.ArrowInvalid as error:
        found = str(error).splitlines()[0]
        help_line = "save the file as CSV again, with its header in line 1"
        raise InputError(Problem("csv-unreadable", place, found, "comma-separated text", help_line)) from None
    if ragged:
        raise InputError(_ragged(place, row) for row in ragged[:MAX_EXAMPLES])
    return RawCandles(place, has_lines=True, table=table)


def _require_utf8(content: bytes, place: str) -> None:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte {content[error.start]:#04x}"
        raise InputError(
            Problem("csv-not-utf8", f"{place}:{line}", found, "text in UTF-8", "save the file as UTF-8")
        ) from None


def _read(lines: bytes, ragged: list[pacsv.InvalidRow]) -> pa.Table:
    header = pacsv.read_csv(pa.BufferReader(lines.split(b"\n", 1)[0] + b"\n")).column_names
    return pacsv.read_csv(
        pa.BufferReader(lines),
        read_options=pacsv.ReadOptions(use_threads=False),  # with threads, Arrow does not know line numbers
        parse_options=pacsv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=_collector(ragged)),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
        ),
    )


def _collector(ragged: list[pacsv.InvalidRow]) -> Callable[[pacsv.InvalidRow], str]:
    def collect(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    return collect


def _ragged(place: str, row: pacsv.InvalidRow) -> Problem:
    found = f"{row.actual_columns} values: {row.text[:80]!r}"
    expected = f"{row.expected_columns} values as in the header"
    return Problem("csv-ragged", f"{place}:{row.number}", found, expected, "mend or remove that line")
