"""Laws of the artifacts: what is written is what is read, and a name follows from content alone."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from candlelock.artifacts import documents
from candlelock.artifacts.hashing import logical_hash, sha256_json
from candlelock.contracts.documents import Document
from candlelock.contracts.errors import InputError

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


class Leaf(Document):
    name: str
    share: float
    count: int
    maybe: float | None


class Tree(Document):
    leaves: list[Leaf]
    by_name: dict[str, float]
    free: dict[str, Any]


finite = st.floats(allow_nan=False, allow_infinity=False)
leaves = st.builds(Leaf, name=st.text(), share=finite, count=st.integers(-(2**63), 2**63), maybe=st.none() | finite)
trees = st.builds(
    Tree,
    leaves=st.lists(leaves, max_size=4),
    by_name=st.dictionaries(st.text(), finite, max_size=4),
    free=st.dictionaries(st.text(), json_values, max_size=3),
)
columns = st.lists(
    st.sampled_from([np.int64, np.float64, np.int16, np.uint8]).flatmap(
        lambda kind: st.lists(st.integers(0, 255), min_size=6, max_size=6).map(lambda values: np.array(values, kind))
    ),
    min_size=1,
    max_size=4,
)


@given(trees)
@settings(deadline=None, max_examples=60)
def test_a_document_that_is_written_is_read_back_and_written_the_same(tree: Tree) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.json"
        documents.write(path, tree)
        content = path.read_bytes()
        read = documents.read(path, Tree)
        assert read == tree
        assert documents.to_bytes(read) == content
    assert content.endswith(b"}\n")


@given(st.dictionaries(st.text(), json_values, max_size=5), st.randoms())
@settings(deadline=None, max_examples=60)
def test_the_order_of_keys_changes_neither_bytes_nor_hash(value: dict[str, Any], order: Any) -> None:
    names = list(value)
    order.shuffle(names)
    shuffled = {name: value[name] for name in names}
    assert documents.to_bytes(shuffled) == documents.to_bytes(value)
    assert sha256_json(shuffled) == sha256_json(value)


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \\u"\n', max_size=40))
@settings(deadline=None)
def test_any_text_is_a_document_or_an_input_error(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.json"
        path.write_text(text, encoding="utf-8")
        try:
            documents.read(path, Leaf)
        except InputError as error:
            assert error.problems


@given(columns, st.lists(st.integers(0, 6), max_size=3))
@settings(deadline=None, max_examples=60)
def test_a_tables_hash_does_not_see_chunks_slices_or_file_formats(arrays: list[np.ndarray], cuts: list[int]) -> None:
    table = pa.table({f"c{number}": values for number, values in enumerate(arrays)})
    bounds = sorted({0, *cuts, 6})
    chunked = pa.concat_tables([table[a:b] for a, b in itertools.pairwise(bounds)])
    surrounded = pa.concat_tables([table, table, table]).combine_chunks().slice(6, 6)
    again = [chunked, surrounded, *(_through_file(table, name) for name in ("x.parquet", "x.feather"))]
    assert {logical_hash(each) for each in again} == {logical_hash(table)}


def _through_file(table: pa.Table, name: str) -> pa.Table:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        if name.endswith("parquet"):
            pq.write_table(table, path, use_dictionary=True, row_group_size=2, compression="gzip")
            return pq.ParquetFile(path).read()
        feather.write_feather(table, path, compression="lz4")
        return feather.read_table(path, memory_map=False)


@given(columns, st.data())
@settings(deadline=None, max_examples=60)
def test_a_tables_hash_sees_any_change_of_one_value(arrays: list[np.ndarray], data: st.DataObject) -> None:
    table = pa.table({f"c{number}": values for number, values in enumerate(arrays)})
    at, row = data.draw(st.integers(0, len(arrays) - 1)), data.draw(st.integers(0, 5))
    changed = arrays[at].copy()
    changed[row] = data.draw(st.integers(0, 255))
    assume(changed[row] != arrays[at][row])
    assert logical_hash(table.set_column(at, f"c{at}", pa.array(changed))) != logical_hash(table)
