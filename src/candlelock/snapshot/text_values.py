"""Casts between text and values that name the rows they cannot do, where Arrow's own fail as a whole."""

from __future__ import annotations

import pyarrow as pa


def to_text(values: pa.Array) -> pa.Array:
    """Each value as text: floats by their shortest round-trip form. Null where the type has no text."""
    try:
        return values.cast(pa.string())
    except pa.ArrowException:
        return pa.nulls(len(values), pa.string())


def cast_or_null(texts: pa.Array, dtype: pa.DataType) -> pa.Array:
    """Texts as `dtype`; null where a text does not fit."""
    try:
        return texts.cast(dtype)
    except pa.ArrowException:
        return pa.concat_arrays([_cast_one(texts.slice(i, 1), dtype) for i in range(len(texts))])


def _cast_one(text: pa.Array, dtype: pa.DataType) -> pa.Array:
    try:
        return text.cast(dtype)
    except pa.ArrowException:
        return pa.nulls(1, dtype)
