"""Times of a table's column as milliseconds since 1970 UTC, whatever they are written as, or what is wrong with them.

Does not belong here: which column holds what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from candlelock.leakage.rows import Mask, Times

FIRST_SECOND, END_SECOND = 315_532_800, 4_102_444_800  # 1980 to 2100: epochs of the four units do not meet
PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
ZONE = r"[T ].*(?P<zone>Z|z|[+-]\d\d(?::?\d\d)?)$"
NUMBER = r"^\s*-?[0-9]+(\.0*)?\s*$"
WRITE = "write ISO 8601 with one zone for all, such as 2024-01-31T12:00:00Z, or whole milliseconds"


@dataclass(frozen=True)
class ColumnTimes:
    """`ms`: (n_rows,), 0 where none `is_there`. `kind`: zoned, naive (taken as UTC) or the unit of whole numbers."""

    ms: Times
    is_there: Mask
    kind: str


def read_times(column: pa.ChunkedArray, name: str) -> ColumnTimes:
    """Times of a column: timestamps, dates, ISO 8601 text, or whole numbers since 1970 in s, ms, us or ns.

    The unit of numbers is the one in which all of them are from 1980 to 2099. Raises InputError for anything else, and
    for text with and without a zone, or with several offsets, in one column.
    """
    is_there = np.asarray(pc.is_valid(column).to_numpy(), dtype=bool)
    kind = column.type
    if pa.types.is_dictionary(kind):
        return read_times(column.cast(kind.value_type), name)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _stamps(column, name, is_there, "zoned" if getattr(kind, "tz", None) else "naive")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _epochs(column, name, is_there)
    if pa.types.is_null(kind):
        return ColumnTimes(np.zeros(len(column), np.int64), is_there, "naive")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _texts(column.cast(pa.string()), name, is_there)
    raise InputError(_problem(name, f"values of type {kind}", "times"))


def _stamps(column: pa.ChunkedArray, name: str, is_there: Mask, kind: str) -> ColumnTimes:
    stamps = column.cast(pa.timestamp("ms", getattr(column.type, "tz", None)), safe=False)
    ms = np.asarray(pc.fill_null(stamps.cast(pa.int64()), 0).to_numpy(), dtype=np.int64)
    wrong = np.flatnonzero(is_there & ((ms < 1000 * FIRST_SECOND) | (ms >= 1000 * END_SECOND)))
    if len(wrong):
        found = f"{column[int(wrong[0])].as_py()} in row {wrong[0]}, {len(wrong):,} such times"
        raise InputError(_problem(name, found, "times from 1980 to 2099"))
    return ColumnTimes(ms, is_there, kind)


def _epochs(column: pa.ChunkedArray, name: str, is_there: Mask) -> ColumnTimes:
    numbers = np.asarray(pc.fill_null(column, 0).to_numpy())
    if numbers.dtype.kind == "f":
        is_there = is_there & ~np.isnan(numbers)
        if (np.trunc(numbers[is_there]) != numbers[is_there]).any():
            row = int(np.flatnonzero(is_there)[np.argmax(np.trunc(numbers[is_there]) != numbers[is_there])])
            raise InputError(_problem(name, f"{numbers[row]} in row {row}", "whole numbers"))
        numbers = np.where(is_there, numbers, 0)
    return ColumnTimes(*_in_unit(numbers, name, is_there))


def _in_unit(numbers: npt.NDArray[np.generic], name: str, is_there: Mask) -> tuple[Times, Mask, str]:
    given = numbers[is_there]
    if not len(given):
        return np.zeros(len(numbers), np.int64), is_there, "naive"
    low, high = int(given.min()), int(given.max())
    for unit, per_second in PER_SECOND.items():
        if FIRST_SECOND * per_second <= low and high < END_SECOND * per_second:
            whole = np.where(is_there, numbers, 0).astype(np.int64)
            return (
                (whole * 1000 if unit == "s" else whole // (per_second // 1000)),
                is_there,
                f"whole numbers in {unit}",
            )
    found = f"whole numbers from {low} to {high}"
    raise InputError(_problem(name, found, "one unit (s, ms, us or ns since 1970) that puts all from 1980 to 2099"))


def _texts(texts: pa.ChunkedArray, name: str, is_there: Mask) -> ColumnTimes:
    trimmed = pc.utf8_trim_whitespace(texts)
    is_there = is_there & np.asarray(pc.fill_null(pc.not_equal(trimmed, ""), False).to_numpy(), dtype=bool)
    trimmed = pc.if_else(pa.array(is_there), trimmed.combine_chunks(), pa.scalar(None, pa.string()))
    if pc.all(pc.match_substring_regex(trimmed, NUMBER), min_count=0).as_py() and is_there.any():
        return _epochs(pa.chunked_array([pc.cast(trimmed, pa.float64())]).cast(pa.int64(), safe=False), name, is_there)
    zones = _zones(trimmed)
    if len(zones) > 1:
        found = ", ".join(sorted(zone or "no zone" for zone in zones))
        raise InputError(
            Problem("audit-table-zones", name, f"times with {found}", "one zone in all rows", "convert them to UTC")
        )
    zone = next(iter(zones), "")
    kind = pa.timestamp("ms", "UTC") if zone else pa.timestamp("ms")
    try:
        stamps = _cast(trimmed, kind)
    except pa.ArrowInvalid:
        row = _first_bad(trimmed, kind)
        raise InputError(_problem(name, f"{trimmed[row].as_py()!r} in row {row}", "a time")) from None
    return _stamps(pa.chunked_array([stamps]), name, is_there, "zoned" if zone else "naive")


def _cast(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """To milliseconds by way of nanoseconds: digits beyond milliseconds are cut, not refused."""
    return texts.cast(pa.timestamp("ns", kind.tz)).cast(kind, safe=False)


def _zones(texts: pa.Array) -> set[str]:
    """Offsets that times are written with; the empty text for none."""
    found = pc.struct_field(pc.extract_regex(texts, ZONE), "zone")
    zones = pc.fill_null(found, "").filter(pc.is_valid(texts))
    same = {"z": "+00:00", "Z": "+00:00", "+00": "+00:00", "+0000": "+00:00", "-00:00": "+00:00"}
    return {same.get(zone, zone) for zone in pc.unique(zones).to_pylist()}


def _first_bad(texts: pa.Array, kind: pa.DataType) -> int:
    """The first row that no time can be read from, by halving."""
    low, high = 0, len(texts)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            _cast(texts.slice(low, middle - low), kind)
            low = middle
        except pa.ArrowInvalid:
            high = middle
    return low


def _problem(place: str, found: str, expected: str) -> Problem:
    return Problem("audit-table-time", place, found, expected, WRITE)
