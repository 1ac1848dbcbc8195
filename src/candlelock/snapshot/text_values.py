"""Casts between text and values that name the rows they cannot do, where Arrow's own fail as a whole."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def to_text(values: pa.Array) -> pa.Array:
    """Each value as text: floats by their shortest round-trip form. Null where the type has no text."""
    try:
        return values.cast(pa.string())
    except pa.ArrowException:
        return pa.nulls(len(values), pa.string())


def trim(texts: pa.Array) -> pa.Array:
    """Texts without blanks around them and without a plus sign before a digit or a point."""
    trimmed = pc.ascii_trim_whitespace(texts)
    if pc.any(pc.starts_with(trimmed, "+")).as_py():
        return pc.replace_substring_regex(trimmed, r"^\+([0-9.])", r"\1")
    return trimmed


def cast_or_null(texts: pa.Array, dtype: pa.DataType) -> pa.Array:
    """Texts as `dtype`; null where a text does not fit. Halves until only those are left."""
    try:
        return texts.cast(dtype)
    except pa.ArrowException:
        if len(texts) == 1:
            return pa.nulls(1, dtype)
        middle = len(texts) // 2
        return pa.concat_arrays([cast_or_null(part, dtype) for part in (texts[:middle], texts[middle:])])
