"""Exact decimals: from printed text to the narrowest column that holds every digit, and to the nearest float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.snapshot.text_values import cast_or_null, to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

MAX_SCALE = 38
WIDE = pa.decimal256(76, MAX_SCALE)
# Beyond these Arrow's cast from text to WIDE can wrap around without an error ("1.08e-259" becomes 0).
SMALLEST, LARGEST, MAX_CHARACTERS = 1e-38, 1e37, 76
N_PROBE_ROWS = 1_000


def parse(values: pa.Array) -> pa.Array:
    """The numbers as they are printed, as decimal256(76, 38): text digit by digit, floats by their shortest text.

    Null where there is no finite number below 1e37 with at most 38 decimals and 76 characters.
    """
    texts = to_text(values)
    size = pc.abs(cast_or_null(texts, pa.float64()))
    is_zero = pc.and_(pc.equal(size, 0), pc.invert(pc.match_substring_regex(texts, "^[^eE]*[1-9]")))
    is_in_range = pc.and_(pc.greater_equal(size, SMALLEST), pc.less(size, LARGEST))
    is_safe = pc.and_(is_in_range, pc.less_equal(pc.utf8_length(texts), MAX_CHARACTERS))
    safe = pc.if_else(is_safe, texts, pa.scalar(None, pa.string()))
    return cast_or_null(pc.if_else(is_zero, "0", safe), WIDE)


def narrow(columns: Sequence[pa.Array]) -> list[pa.Array] | None:
    """The columns of `parse` as decimal128 of one shared scale: the smallest that keeps every digit.

    Trailing zeros do not count, so "1.50" and "1.5" give the same column. Precision is 18 where it suffices (parquet
    stores an int64), else 38; None where 38 digits do not suffice.
    """
    values = pa.chunked_array(columns)
    scale = _smallest_scale(values, _smallest_scale(values.slice(0, N_PROBE_ROWS), 0))
    for precision in (18, 38):
        if scale <= precision and _fits(values, pa.decimal128(precision, scale)):
            return [column.cast(pa.decimal128(precision, scale)) for column in columns]
    return None


def to_float64(values: pa.Array) -> npt.NDArray[np.float64]:
    """Each decimal as the nearest float64. By way of text: Arrow's direct cast is off by one unit now and then."""
    return np.asarray(values.cast(pa.string()).cast(pa.float64()), dtype=np.float64)


def _smallest_scale(values: pa.ChunkedArray, at_least: int) -> int:
    # A cast that fails is slow in the number of rows that do not fit, so start from what a few rows already need.
    return next(scale for scale in range(at_least, MAX_SCALE + 1) if _fits(values, pa.decimal256(76, scale)))


def _fits(values: pa.ChunkedArray, dtype: pa.DataType) -> bool:
    try:
        values.cast(dtype)
    except pa.ArrowInvalid:
        return False
    return True
