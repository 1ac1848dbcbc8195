"""Exact decimals: from printed text or floats to the narrowest column that holds every digit, and to the nearest float.

Does not belong here: which numbers a candle may have (`validation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.snapshot.text_values import cast_or_null, to_text, trim

if TYPE_CHECKING:
    from collections.abc import Sequence

Mantissas = npt.NDArray[Any]  # int64, or objects: Python integers
Floats = npt.NDArray[np.float64]

MAX_SCALE = 38
WIDE = pa.decimal256(76, MAX_SCALE)
# Beyond these Arrow's cast from text to WIDE can wrap around without an error ("1.08e-259" becomes 0).
SMALLEST, LARGEST, MAX_CHARACTERS = 1e-38, 1e37, 76
N_PROBE_ROWS, BLOCK_ROWS = 1_000, 32_768

SHORT = 18  # digits: what an int64 column of parquet holds
POWERS = 10 ** np.arange(SHORT + 1, dtype=np.int64)
LONG_POWERS = np.array([10**n for n in range(2 * MAX_SCALE + 1)], dtype=object)
HEADROOM = np.array([10 ** max(SHORT - n, 0) * (n <= SHORT) for n in range(2 * MAX_SCALE + 1)], dtype=np.int64)

# A float64 is nearest to at most one decimal of 15 digits, and a power of ten up to 10**22 is exact in it: where
# rounded / 10**scale, which IEEE 754 rounds correctly, gives the float back, rounded * 10**-scale is that decimal.
FLOAT_DIGITS, FLOAT_SCALE, FLOAT_CHARACTERS = 15, 22, 16
FLOAT_WHOLE = 2**53


@dataclass(frozen=True)
class Numbers:
    """Decimals `mantissas` * 10**-`scale`, shape (n,); where `is_known` is False there is no number and a zero stands.

    Mantissas are int64 of at most 18 digits, or Python integers in an array of objects where that does not suffice.
    """

    mantissas: Mantissas
    scale: int
    is_known: npt.NDArray[np.bool_]


def parse(values: pa.Array) -> Numbers:
    """The numbers as they are printed: text digit by digit, floats by their shortest text that gives them back.

    Blanks around a text and a plus sign before it do not count. No number: what is not finite, is 1e37 or above, has
    more than 38 decimals or 76 characters, or is of a type without text. Most go through float64, which is exact for
    up to 15 digits; the rest through `parse_printed`, with the same result.
    """
    source = values if pa.types.is_float64(values.type) else trim(to_text(values))
    numbers = _parse_floats(_to_short_floats(source))
    rest = np.flatnonzero(~numbers.is_known)
    return _fill(numbers, rest, _unscale(parse_printed(source.take(pa.array(rest))))) if len(rest) else numbers


def parse_printed(values: pa.Array) -> pa.Array:
    """The same as decimal256(76, 38) with nulls, by way of text alone: slow, and what `parse` is held to."""
    texts = trim(to_text(values))
    size = pc.abs(cast_or_null(texts, pa.float64()))
    is_zero = pc.and_(pc.equal(size, 0), pc.invert(pc.match_substring_regex(texts, "^[^eE]*[1-9]")))
    is_in_range = pc.and_(pc.greater_equal(size, SMALLEST), pc.less(size, LARGEST))
    is_safe = pc.and_(is_in_range, pc.less_equal(pc.utf8_length(texts), MAX_CHARACTERS))
    safe = pc.if_else(is_safe, texts, pa.scalar(None, pa.string()))
    return cast_or_null(pc.if_else(is_zero, "0", safe), WIDE)


def share_scale(columns: Sequence[Numbers]) -> list[Numbers]:
    """The same numbers with mantissas that compare across columns."""
    scale = max(column.scale for column in columns)
    return [Numbers(_lift(each.mantissas, scale - each.scale), scale, each.is_known) for each in columns]


def narrow(columns: Sequence[Numbers]) -> list[pa.Array] | None:
    """The columns as decimal128 of one shared scale: the smallest that keeps every digit. Zero where nothing is known.

    Trailing zeros do not count, so "1.50" and "1.5" give the same column. Precision is 18 where it suffices (parquet
    stores an int64), else 38; None where 38 digits do not suffice.
    """
    mantissas, scale = [each.mantissas for each in share_scale(columns)], max(each.scale for each in columns)
    while scale and all(_is_tenfold(each) for each in mantissas):
        mantissas, scale = [each // 10 for each in mantissas], scale - 1
    largest = max((abs(int(bound(each))) for each in mantissas if len(each) for bound in (np.min, np.max)), default=0)
    for digits in (SHORT, MAX_SCALE):
        if scale <= digits and largest < 10**digits:
            return [_to_decimal128(each, pa.decimal128(digits, scale)) for each in mantissas]
    return None


def to_float64(values: pa.Array | pa.ChunkedArray) -> Floats:
    """Each decimal128 as the nearest float64; NaN for null. Arrow's direct cast is off by one unit now and then."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    words = _words(whole)
    is_short = not whole.null_count and bool(np.all(words[:, 1] == words[:, 0] >> 63))
    if is_short and whole.type.scale <= FLOAT_SCALE and _is_within(words[:, 0], FLOAT_WHOLE):
        return np.asarray(words[:, 0] / 10.0**whole.type.scale, dtype=np.float64)
    return np.asarray(whole.cast(pa.string()).cast(pa.float64()), dtype=np.float64)


def _to_short_floats(values: pa.Array) -> Floats:
    """Floats as they are, texts of up to 16 characters (15 digits and a point) as the nearest ones; else NaN."""
    if not pa.types.is_string(values.type):
        return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    is_short = pc.less_equal(pc.binary_length(values), FLOAT_CHARACTERS)
    short = values if pc.all(is_short).as_py() else pc.if_else(is_short, values, pa.scalar(None, pa.string()))
    floats = np.array(cast_or_null(short, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    zeros = np.flatnonzero(floats == 0)
    has_exponent = pc.match_substring_regex(short.take(pa.array(zeros)), "[eE]")  # 1e-400 is no zero
    floats[zeros[np.asarray(has_exponent, dtype=bool)]] = np.nan
    return floats


def _parse_floats(floats: Floats) -> Numbers:
    """Each float that is a decimal of at most 15 digits and 22 decimals; the others are unknown here."""
    first = _find_scale(floats[:: max(1, len(floats) // N_PROBE_ROWS)])
    mantissas, is_known = _round(floats, first)
    if np.all(is_known):
        return Numbers(mantissas, first, is_known)
    steps = np.full(len(floats), first)
    for scale in (*range(first), *range(first + 1, FLOAT_SCALE + 1)):
        rest = np.flatnonzero(~is_known)
        mantissas[rest], is_known[rest] = _round(floats[rest], scale)
        steps[rest] = scale
    highest = int(max(steps[is_known], default=0))
    return Numbers(_lift(mantissas, np.where(is_known, highest - steps, 0)), highest, is_known)


def _find_scale(floats: Floats) -> int:
    """The fewest decimals that the most demanding of the floats needs; those without a decimal ask for none."""
    rest, found = floats, 0
    for scale in range(FLOAT_SCALE + 1):
        is_known = _round(rest, scale)[1]
        found, rest = (scale if is_known.any() else found), rest[~is_known]
    return found


def _round(floats: Floats, scale: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Mantissas at a scale and where they are the floats' decimals; 0 elsewhere. In blocks that a cache holds."""
    mantissas, is_known = np.empty(len(floats), dtype=np.int64), np.empty(len(floats), dtype=bool)
    power = 10.0**scale
    for start in range(0, len(floats), BLOCK_ROWS):
        part, block = floats[start : start + BLOCK_ROWS], slice(start, start + BLOCK_ROWS)
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = np.rint(part * power)
            is_known[block] = (np.abs(rounded) < 10.0**FLOAT_DIGITS) & (rounded / power == part)
        mantissas[block] = np.where(is_known[block], rounded, 0.0)
    return mantissas, is_known


def _lift(mantissas: Mantissas, steps: int | npt.NDArray[np.int64]) -> Mantissas:
    """Mantissas times 10**steps, as Python integers where 18 digits do not suffice."""
    if not np.any(steps):
        return mantissas
    if mantissas.dtype != object and np.all((mantissas == 0) | (np.abs(mantissas) < HEADROOM[steps])):
        return mantissas * POWERS[np.minimum(steps, SHORT)]
    return np.asarray(mantissas.astype(object) * LONG_POWERS[steps], dtype=object)


def _fill(numbers: Numbers, rows: npt.NDArray[np.int64], missing: Numbers) -> Numbers:
    """The numbers with `missing` in some rows."""
    whole, part = share_scale([numbers, missing])
    mantissas = whole.mantissas.astype(np.result_type(whole.mantissas, part.mantissas))
    is_known = numbers.is_known.copy()
    mantissas[rows], is_known[rows] = part.mantissas, part.is_known
    return Numbers(mantissas, whole.scale, is_known)


def _unscale(values: pa.Array) -> Numbers:
    """The numbers of a column of `parse_printed`, at its smallest scale."""
    is_known = np.asarray(values.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
    scale = _smallest_scale(values, _smallest_scale(values.slice(0, N_PROBE_ROWS), 0))
    words = _words(pc.fill_null(values.cast(pa.decimal256(76, scale)), 0))
    low = words[:, 0]
    if np.all(words[:, 1:] == (low >> 63)[:, None]) and _is_within(low, 10**SHORT - 1):
        return Numbers(low.copy(), scale, is_known)
    exact = [int.from_bytes(row.tobytes(), "little", signed=True) for row in words]
    return Numbers(np.array(exact, dtype=object), scale, is_known)


def _words(values: pa.Array) -> npt.NDArray[np.int64]:
    """The little-endian words of a decimal column, one row each."""
    n_words = values.type.bit_width // 64
    words = np.frombuffer(values.buffers()[1] or b"", dtype=np.int64).reshape(-1, n_words)
    return words[values.offset : values.offset + len(values)]


def _is_within(integers: npt.NDArray[np.int64], limit: int) -> bool:
    return bool(np.all((integers >= -limit) & (integers <= limit)))


def _is_tenfold(mantissas: Mantissas) -> bool:
    return all(not np.any(part % 10) for part in (mantissas[:N_PROBE_ROWS], mantissas[N_PROBE_ROWS:]))


def _to_decimal128(mantissas: Mantissas, dtype: pa.DataType) -> pa.Array:
    if mantissas.dtype == object:
        buffer = pa.py_buffer(b"".join(int(each).to_bytes(16, "little", signed=True) for each in mantissas))
    else:
        words = np.empty((len(mantissas), 2), dtype=np.int64)
        words[:, 0] = mantissas
        np.right_shift(mantissas, 63, out=words[:, 1])
        buffer = pa.py_buffer(words)
    return pa.Array.from_buffers(dtype, len(mantissas), [None, buffer])


def _smallest_scale(values: pa.Array, at_least: int) -> int:
    # A cast that fails is slow in the number of rows that do not fit, so start from what a few rows already need.
    return next(scale for scale in range(at_least, MAX_SCALE + 1) if _fits(values, pa.decimal256(76, scale)))


def _fits(values: pa.Array, dtype: pa.DataType) -> bool:
    try:
        values.cast(dtype)
    except pa.ArrowInvalid:
        return False
    return True
