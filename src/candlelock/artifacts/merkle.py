"""A Merkle tree over the rows of a table, and proofs that a block of rows belongs to its root.

Leaf i is a block of `BLOCK_ROWS` rows from row i * BLOCK_ROWS on: SHA-256 of a zero byte and, column by column, the
block's values as little-endian integers (times and counts 8 bytes, decimals their unscaled value in 16). Inner nodes,
splits and proofs are those of RFC 6962: SHA-256 of a one byte, the left and the right hash; the left part of a tree
holds the largest power of two of leaves below its size.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

BLOCK_ROWS = 64
LEAF, NODE = b"\x00", b"\x01"
WHOLE, DECIMAL = 8, 16  # bytes of a time or count, and of a decimal
BATCH_BLOCKS = 4_096  # put side by side at once: some tens of megabytes


def root(table: pa.Table) -> str:
    """The root over all rows, in hex. Columns are integers, times or decimals without nulls; ValueError otherwise."""
    return _root_of(_leaves(table)).hex()


def prove(table: pa.Table, block: int) -> list[str]:
    """The hashes, in hex and from the leaf up, that lead from block `block` of rows to the root."""
    return [node.hex() for node in _path(block, _leaves(table))]


def block_hash(columns: Sequence[Sequence[int]], widths: Sequence[int]) -> str:
    """The leaf, in hex, of a block given column by column as integers of `widths` bytes; OverflowError beyond them."""
    values = (
        value.to_bytes(width, "little", signed=True)
        for column, width in zip(columns, widths, strict=True)
        for value in column
    )
    return hashlib.sha256(LEAF + b"".join(values)).hexdigest()


def climb(leaf: str, block: int, n_blocks: int, path: Sequence[str]) -> str:
    """The root that `path` gives for a leaf; empty for a path of the wrong length or a block that is not there.

    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= block < n_blocks:
        return ""
    node, at, last = bytes.fromhex(leaf), block, n_blocks - 1
    for step in path:
        if last == 0:
            return ""
        sibling = bytes.fromhex(step)
        if at % 2 or at == last:
            node = _join(sibling, node)
            while at % 2 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            node = _join(node, sibling)
        at, last = at >> 1, last >> 1
    return node.hex() if last == 0 else ""


def _leaves(table: pa.Table) -> list[bytes]:
    columns = [_bytes_of(table, name) for name in table.column_names]
    return [leaf for start in range(0, table.num_rows, BLOCK_ROWS * BATCH_BLOCKS) for leaf in _batch(columns, start)]


def _batch(columns: Sequence[npt.NDArray[np.uint8]], start: int) -> Iterator[bytes]:
    rows = [column[start : start + BLOCK_ROWS * BATCH_BLOCKS] for column in columns]
    n_whole = len(rows[0]) // BLOCK_ROWS
    tag = np.full((n_whole, 1), LEAF[0], dtype=np.uint8)
    whole = [column[: n_whole * BLOCK_ROWS].reshape(n_whole, BLOCK_ROWS * column.shape[1]) for column in rows]
    for block in np.concatenate([tag, *whole], axis=1):
        yield hashlib.sha256(block).digest()
    if n_whole * BLOCK_ROWS < len(rows[0]):
        rest = b"".join(column[n_whole * BLOCK_ROWS :].tobytes() for column in rows)
        yield hashlib.sha256(LEAF + rest).digest()


def _bytes_of(table: pa.Table, name: str) -> npt.NDArray[np.uint8]:
    """The values' bytes, one row of the array for each row of the table."""
    values = table[name].combine_chunks()
    types = pa.types
    is_flat = types.is_int64(values.type) or types.is_timestamp(values.type) or types.is_decimal128(values.type)
    if values.null_count or not is_flat:
        raise ValueError(f"column {name}: a Merkle tree needs int64, times or decimal128 without nulls")
    width = values.type.bit_width // 8
    buffer = np.frombuffer(values.buffers()[1] or b"", dtype=np.uint8)
    return buffer[values.offset * width : (values.offset + len(values)) * width].reshape(-1, width)


def _root_of(nodes: list[bytes]) -> bytes:
    """Joining neighbours level by level, the odd one out moving up, gives RFC 6962's tree."""
    while len(nodes) > 1:
        pairs = [_join(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=False)]
        nodes = [*pairs, nodes[-1]] if len(nodes) % 2 else pairs
    return nodes[0] if nodes else hashlib.sha256().digest()


def _path(at: int, nodes: list[bytes]) -> list[bytes]:
    path = []
    while len(nodes) > 1:
        if at ^ 1 < len(nodes):
            path.append(nodes[at ^ 1])
        pairs = [_join(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=False)]
        nodes, at = [*pairs, nodes[-1]] if len(nodes) % 2 else pairs, at >> 1
    return path


def _join(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()
