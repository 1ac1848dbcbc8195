"""Laws of the artifacts: what is written is what is read, and a name follows from content alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.artifacts import documents
from candlelock.artifacts.hashing import sha256_json
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
