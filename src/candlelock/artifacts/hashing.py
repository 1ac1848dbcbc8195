"""Content hashes: of files, of JSON values, of the values in a table."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pathlib import Path


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_json(value: object) -> str:
    """SHA-256 of a JSON value in its canonical form: sorted keys, no spaces."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    ).hexdigest()


def logical_hash(table: pa.Table) -> str:
    """SHA-256 of a table's content: names, types and column buffers, whatever the file's encoding or writer.

    Only for numbers and times without nulls, as candles are; ValueError for anything else.
    """
    digest = hashlib.sha256()
    for name in table.column_names:
        values = table[name].combine_chunks()
        if values.null_count or not _is_flat(values.type):
            raise ValueError(f"column {name}: a logical hash needs numbers or times without nulls")
        width = values.type.bit_width // 8
        digest.update(f"{name}:{values.type}:{len(values)};".encode())
        # a slice keeps its parent's buffer: hash its own rows alone
        digest.update(memoryview(values.buffers()[1])[values.offset * width : (values.offset + len(values)) * width])
    return digest.hexdigest()


def _is_flat(dtype: pa.DataType) -> bool:
    """Whether a value is a whole number of bytes in one buffer."""
    types = pa.types
    return any(kind(dtype) for kind in (types.is_integer, types.is_floating, types.is_decimal, types.is_temporal))
