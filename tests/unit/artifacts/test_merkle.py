"""The tree over rows: its bytes written out by hand, RFC 6962's published vectors, and what it refuses."""

from __future__ import annotations

import hashlib
import tracemalloc
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from candlelock.artifacts import merkle

TIME = pa.timestamp("ms", "UTC")
TABLE = pa.table(
    {"t": pa.array([1, 2], TIME), "x": pa.array([Decimal("1.50"), Decimal("-2.25")], pa.decimal128(18, 2))}
)
# The leaves and roots of the test vectors of Certificate Transparency's reference implementation, for trees of 1 to 8.
LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
# The audit path of leaf 5 (from 0) in the tree of 8, and of leaf 2 in that of 3, from the same vectors.
PATHS = {
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
}


def leaf_hash(content: str) -> bytes:
    return hashlib.sha256(b"\x00" + bytes.fromhex(content)).digest()


@pytest.mark.parametrize("n_leaves", range(1, 9))
def test_nodes_are_joined_as_in_the_published_trees(n_leaves: int) -> None:
    assert merkle._root_of([leaf_hash(each) for each in LEAVES[:n_leaves]]).hex() == ROOTS[n_leaves - 1]


def test_an_empty_tree_is_the_hash_of_nothing() -> None:
    assert merkle.root(TABLE.slice(0, 0)) == hashlib.sha256().hexdigest()


@pytest.mark.parametrize(("at", "n_leaves"), PATHS)
def test_paths_are_those_of_the_published_trees(at: int, n_leaves: int) -> None:
    path = tuple(node.hex() for node in merkle._path(at, [leaf_hash(each) for each in LEAVES[:n_leaves]]))
    assert path == PATHS[at, n_leaves]
    assert merkle.climb(leaf_hash(LEAVES[at]).hex(), at, n_leaves, path) == ROOTS[n_leaves - 1]


@pytest.mark.parametrize(("block", "n_blocks"), [(8, 8), (-3, 8), (5, 5), (5, 0), (0, 0), (5, 16), (5, 4)])
def test_a_path_leads_nowhere_from_a_block_that_is_not_there(block: int, n_blocks: int) -> None:
    assert merkle.climb(leaf_hash(LEAVES[5]).hex(), block, n_blocks, PATHS[5, 8]) == ""
    assert merkle.climb(ROOTS[0], 1, 1, ()) == ""


def test_the_root_of_known_values_never_changes() -> None:
    # Two int64 times and two 128-bit decimals, little endian: written out by hand.
    content = b"\x00" + (1).to_bytes(8, "little") + (2).to_bytes(8, "little")
    content += (150).to_bytes(16, "little") + (-225).to_bytes(16, "little", signed=True)
    assert merkle.root(TABLE) == hashlib.sha256(content).hexdigest()
    assert merkle.block_hash([[1, 2], [150, -225]], [8, 16]) == merkle.root(TABLE)


@pytest.mark.parametrize("n_rows", [63, 64, 65, 128, 129, 64 * merkle.BATCH_BLOCKS, 64 * merkle.BATCH_BLOCKS + 1])
def test_blocks_hold_64_rows_and_the_last_one_the_rest(n_rows: int) -> None:
    numbers = np.arange(n_rows)
    leaves = [
        hashlib.sha256(b"\x00" + part.tobytes() + (-part).tobytes()).digest()
        for part in np.split(numbers, range(64, n_rows, 64))
    ]
    assert merkle.root(pa.table({"a": numbers, "b": -numbers})) == merkle._root_of(leaves).hex()


@pytest.mark.parametrize(
    "other",
    [
        TABLE.set_column(0, "t", pa.array([1, 3], TIME)),
        TABLE.select(["x", "t"]),
        TABLE.slice(0, 1),
        TABLE.slice(1, 1),
        TABLE.take([1, 0]),
        TABLE.drop_columns("x"),
        TABLE.set_column(1, "x", pa.array([Decimal("1.500"), Decimal("-2.250")], pa.decimal128(18, 3))),
    ],
    ids=["value", "order", "first", "last", "turned", "fewer", "scale"],
)
def test_other_content_has_another_root(other: pa.Table) -> None:
    assert merkle.root(other) != merkle.root(TABLE)


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, None]),
        pa.array([True, False]),
        pa.array([1.0, 2.0]),
        pa.array([1, 2], pa.int32()),
        pa.array([Decimal(1), Decimal(2)], pa.decimal256(50, 2)),
        pa.array(["a", "b"]),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array([[1], [2]]),
        pa.array([{"a": 1}, {"a": 2}]),
    ],
    ids=["null", "bool", "float", "narrow", "wide", "text", "dictionary", "list", "struct"],
)
def test_what_has_no_fixed_exact_bytes_is_refused(values: pa.Array) -> None:
    with pytest.raises(ValueError, match="column x"):
        merkle.root(pa.table({"x": values}))


def test_a_value_beyond_its_width_is_refused() -> None:
    with pytest.raises(OverflowError):
        merkle.block_hash([[2**63]], [8])


def test_a_long_table_is_not_copied_as_a_whole() -> None:
    table = pa.table({"a": np.arange(4_000_000)})  # 32 MB
    tracemalloc.start()
    merkle.root(table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24e6
