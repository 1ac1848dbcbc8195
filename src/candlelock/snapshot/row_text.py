"""Stored values as exact text, every decimal of their column printed, and back to the integers that are hashed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from candlelock.contracts.documents import utc_ms, utc_text
from candlelock.snapshot.raw_candles import TIME

if TYPE_CHECKING:
    from collections.abc import Mapping


def print_columns(table: pa.Table) -> dict[str, list[str]]:
    """Column -> its values as text: times in RFC 3339 to the second, decimals with all of their column's decimals."""
    return {name: _print(table[name]) for name in table.column_names}


def print_rows(table: pa.Table) -> list[list[str]]:
    """The same row by row."""
    return [list(row) for row in zip(*print_columns(table).values(), strict=True)]


def parse_columns(rows: list[list[str]], scales: Mapping[str, int | None]) -> list[list[int]]:
    """The integers behind `print_rows`, column by column. `scales`: column -> decimals, null for times and counts.

    Raises ValueError for anything but the one text of a value: a shifted point would leave the integer as it is.
    """
    columns = list(zip(*rows, strict=True)) if rows else []
    return [
        [_parse(text, name, scale) for text in texts]
        for texts, (name, scale) in zip(columns, scales.items(), strict=True)
    ]


def _print(values: pa.ChunkedArray) -> list[str]:
    if pa.types.is_timestamp(values.type):
        return [utc_text(time_ms) for time_ms in values.cast(pa.int64()).to_pylist()]
    return [f"{value:f}" if pa.types.is_decimal(values.type) else str(value) for value in values.to_pylist()]


def _parse(text: str, name: str, scale: int | None) -> int:
    number = utc_ms(text) if name == TIME else int(text.replace(".", "", 1))
    printed = utc_text(number) if name == TIME else _with_point(number, scale or 0)
    if printed != text:
        raise ValueError(f"{text!r} where {name} is printed as {printed!r}")
    return number


def _with_point(number: int, scale: int) -> str:
    digits = f"{abs(number):0{scale + 1}d}"
    text = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
    return f"-{text}" if number < 0 else text
