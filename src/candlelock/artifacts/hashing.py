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

    Only for tables without nulls and with columns of fixed width, as candles are.
    """
    digest = hashlib.sha256()
    for name in table.column_names:
        column = table[name].combine_chunks()
        if column.null_count or not hasattr(column.type, "bit_width"):
            raise ValueError(f"column {name}: a logical hash needs fixed-width values without nulls")
        values = pa.concat_arrays([column])  # a slice keeps its parent's buffer: copy to the rows alone
        width = values.type.bit_width // 8
        digest.update(f"{name}:{values.type}:{len(values)};".encode())
        digest.update(memoryview(values.buffers()[1])[values.offset * width : (values.offset + len(values)) * width])
    return digest.hexdigest()
