"""Laws of the Merkle tree: it is RFC 6962's over the rows, and a proof holds for its own block and nothing else."""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from candlelock.artifacts import merkle

TIME = pa.timestamp("ms", "UTC")
hashes = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70)
seeds = st.integers(0, 2**32 - 1)


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, on leaves that are hashed already: split below the size at a power of two."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_leaves(table: pa.Table) -> list[bytes]:
    """Value by value, from Python's own integers."""
    leaves = []
    for start in range(0, table.num_rows, 64):
        content = b"\x00"
        for field in table.schema:
            for value in table[field.name].slice(start, 64).to_pylist():
                is_decimal = isinstance(value, Decimal)
                number = int(value.scaleb(field.type.scale)) if is_decimal else round(value.timestamp() * 1000)
                content += number.to_bytes(16 if is_decimal else 8, "little", signed=True)
        leaves.append(hashlib.sha256(content).digest())
    return leaves


def make_table(n_rows: int, seed: int, precision: int = 18) -> pa.Table:
    draw = np.random.default_rng(seed)
    cents = [Decimal(int(value)).scaleb(-2) for value in draw.integers(-(10**15), 10**15, n_rows)]
    times = np.sort(draw.integers(10**12, 2 * 10**12, n_rows))
    return pa.table({"t": pa.array(times, pa.int64()).cast(TIME), "x": pa.array(cents, pa.decimal128(precision, 2))})


@given(st.integers(1, 1_100), seeds)
@settings(deadline=None, max_examples=30)
def test_the_root_is_that_of_rfc_6962_over_the_rows(n_rows: int, seed: int) -> None:
    table = make_table(n_rows, seed)
    assert merkle.root(table) == naive_root(naive_leaves(table)).hex()


@given(hashes)
@settings(deadline=None)
def test_every_block_has_the_path_of_the_rfc_and_it_climbs_to_the_root(leaves: list[bytes]) -> None:
    for at, leaf in enumerate(leaves):
        path = merkle._path(at, leaves)
        assert path == naive_path(at, leaves)
        assert merkle.climb(leaf.hex(), at, len(leaves), [node.hex() for node in path]) == naive_root(leaves).hex()


@given(hashes, st.data())
@settings(deadline=None)
def test_a_proof_holds_for_no_other_block_size_leaf_or_path(leaves: list[bytes], data: st.DataObject) -> None:
    leaves = [hashlib.sha256(leaf + bytes([at])).digest() for at, leaf in enumerate(leaves)]  # all different
    at = data.draw(st.integers(0, len(leaves) - 1))
    path = [node.hex() for node in merkle._path(at, leaves)]
    root = naive_root(leaves).hex()
    leaf = leaves[at].hex()
    for other in range(-2, len(leaves) + 3):
        if other != at:
            assert merkle.climb(leaf, other, len(leaves), path) != root
    assert all(merkle.climb(each.hex(), at, len(leaves), path) != root for each in leaves if each != leaves[at])
    assert merkle.climb(leaf, at, len(leaves), [*path, root]) == ""
    if path:
        assert merkle.climb(leaf, at, len(leaves), path[:-1]) == ""
        step = data.draw(st.integers(0, len(path) - 1))
        spoilt = [*path[:step], hashlib.sha256(bytes.fromhex(path[step])).hexdigest(), *path[step + 1 :]]
        assert merkle.climb(leaf, at, len(leaves), spoilt) != root


@given(hashes, st.integers(0, 140))
@settings(deadline=None)
def test_a_proof_with_a_wrong_number_of_blocks_gives_the_root_only_by_the_same_climb(
    leaves: list[bytes], n_blocks: int
) -> None:
    """A path does not name the size where left and right turn out alike; the id does, through the number of rows."""
    root = naive_root(leaves).hex()
    for at in range(len(leaves)):
        path = [node.hex() for node in merkle._path(at, leaves)]
        holds = merkle.climb(leaves[at].hex(), at, n_blocks, path) == root
        assert holds == (at < n_blocks and turns(at, n_blocks) == turns(at, len(leaves)))


def turns(m: int, n: int) -> list[str]:
    """On which side the other part lies at each split, by the RFC's recursion, from the leaf up."""
    if n == 1:
        return []
    k = 1
    while k * 2 < n:
        k *= 2
    return [*turns(m, k), "right"] if m < k else [*turns(m - k, n - k), "left"]


@given(st.integers(1, 300), seeds, st.data())
@settings(deadline=None, max_examples=60)
def test_a_proof_made_of_a_table_shows_its_rows_and_no_changed_value(
    n_rows: int, seed: int, data: st.DataObject
) -> None:
    table = make_table(n_rows, seed)
    n_blocks = -(-n_rows // 64)
    block = data.draw(st.integers(0, n_blocks - 1))
    path = merkle.prove(table, block)
    rows = table.slice(block * 64, 64)
    columns = [rows["t"].cast(pa.int64()).to_pylist(), [int(value.scaleb(2)) for value in rows["x"].to_pylist()]]
    assert merkle.climb(merkle.block_hash(columns, [8, 16]), block, n_blocks, path) == merkle.root(table)
    column, row = data.draw(st.integers(0, 1)), data.draw(st.integers(0, rows.num_rows - 1))
    columns[column][row] += data.draw(st.integers(-(10**6), 10**6).filter(bool))
    assert merkle.climb(merkle.block_hash(columns, [8, 16]), block, n_blocks, path) != merkle.root(table)


@given(st.integers(1, 200), seeds, st.lists(st.integers(0, 200), max_size=4))
@settings(deadline=None, max_examples=60)
def test_the_root_sees_no_chunks_slices_precision_or_file_format(n_rows: int, seed: int, cuts: list[int]) -> None:
    table = make_table(n_rows, seed)
    bounds = sorted({0, n_rows, *(cut for cut in cuts if cut < n_rows)})
    chunked = pa.concat_tables([table[a:b] for a, b in itertools.pairwise(bounds)])
    surrounded = pa.concat_tables([table, table, table]).combine_chunks().slice(n_rows, n_rows)
    again = [chunked, surrounded, make_table(n_rows, seed, precision=38), *map(through_file, [table] * 2, FORMATS)]
    assert {merkle.root(each) for each in again} == {merkle.root(table)}


FORMATS = ("parquet", "feather")


def through_file(table: pa.Table, suffix: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{suffix}"
        if suffix == "parquet":
            pq.write_table(table, path, use_dictionary=True, row_group_size=2, compression="gzip")
            return pq.ParquetFile(path).read()
        feather.write_feather(table, path, compression="lz4")
        return feather.read_table(path, memory_map=False)


@given(st.integers(1, 200), seeds, st.data())
@settings(deadline=None, max_examples=60)
def test_the_root_sees_any_change_of_one_value(n_rows: int, seed: int, data: st.DataObject) -> None:
    table = make_table(n_rows, seed)
    values = table["x"].to_pylist()
    row, cents = data.draw(st.integers(0, n_rows - 1)), data.draw(st.integers(-(10**15), 10**15))
    assume(Decimal(cents).scaleb(-2) != values[row])
    values[row] = Decimal(cents).scaleb(-2)
    assert merkle.root(table.set_column(1, "x", pa.array(values, pa.decimal128(18, 2)))) != merkle.root(table)
