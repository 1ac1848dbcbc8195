"""CSV as text: every value stays the string that was printed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pacsv

from candlelock.contracts.errors import InputError, Problem
from candlelock.snapshot.column_names import KLINES
from candlelock.snapshot.raw_candles import MAX_EXAMPLES, RawCandles

if TYPE_CHECKING:
    from collections.abc import Callable

MIN_COMMAS = 5  # of a table of candles
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse(content: bytes, place: str) -> RawCandles:
    """A table of string columns with one row for each line below the header.

    Lines before the header that start with # or hold an address are passed over. Without a header are twelve columns
    that start with an epoch: Binance's klines. Raises InputError when lines differ in their number of values or the
    text is not UTF-8.
    """
    _require_utf8(content, place)
    n_comments, lines = _split_comments(content.removeprefix(BYTE_ORDER_MARK).rstrip(b"\r\n") + b"\n")
    header = None if not _is_kline(lines.split(b"\n", 1)[0]) else list(KLINES)
    n_above = n_comments + (header is None)
    if lines == b"\n":
        return RawCandles(place, has_lines=True, table=pa.table({}), n_lines_above=n_above)
    ragged: list[pacsv.InvalidRow] = []
    try:
        table = _read(lines, header, ragged)
    except pa.ArrowInvalid as error:
        found = str(error).splitlines()[0]
        help_line = "save the file as CSV again, with its header in line 1"
        raise InputError(Problem("csv-unreadable", place, found, "comma-separated text", help_line)) from None
    if ragged:
        raise InputError(_ragged(place, row, n_comments) for row in ragged[:MAX_EXAMPLES])
    return RawCandles(place, has_lines=True, table=table, n_lines_above=n_above)


def _require_utf8(content: bytes, place: str) -> None:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte {content[error.start]:#04x}"
        raise InputError(
            Problem("csv-not-utf8", f"{place}:{line}", found, "text in UTF-8", "save the file as UTF-8")
        ) from None


def _split_comments(lines: bytes) -> tuple[int, bytes]:
    """How many lines stand before the table, and the table. A header may itself start with #."""
    n_comments = 0
    while (first := lines.split(b"\n", 1)[0]).startswith(b"#") or b"://" in first:
        rest = lines[len(first) + 1 :]
        if first.startswith(b"#") and MIN_COMMAS <= first.count(b",") == rest.split(b"\n", 1)[0].count(b","):
            return n_comments, lines.removeprefix(b"#")
        n_comments, lines = n_comments + 1, rest
    return n_comments, lines or b"\n"


def _is_kline(line: bytes) -> bool:
    fields = line.split(b",")
    return len(fields) == len(KLINES) and re.fullmatch(rb'\s*"?[0-9]{9,19}(\.0*)?"?\s*', fields[0]) is not None


def _read(lines: bytes, header: list[str] | None, ragged: list[pacsv.InvalidRow]) -> pa.Table:
    names = header or pacsv.read_csv(pa.BufferReader(lines.split(b"\n", 1)[0] + b"\n")).column_names
    return pacsv.read_csv(
        pa.BufferReader(lines),
        # with threads, Arrow does not know line numbers
        read_options=pacsv.ReadOptions(use_threads=False, column_names=header),
        parse_options=pacsv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=_collector(ragged)),
        convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )


def _collector(ragged: list[pacsv.InvalidRow]) -> Callable[[pacsv.InvalidRow], str]:
    def collect(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    return collect


def _ragged(place: str, row: pacsv.InvalidRow, n_comments: int) -> Problem:
    found = f"{row.actual_columns} values: {row.text[:80]!r}"
    expected = f"{row.expected_columns} values as in the first line"
    return Problem("csv-ragged", f"{place}:{row.number + n_comments}", found, expected, "mend or remove that line")
