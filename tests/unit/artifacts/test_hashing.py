from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from candlelock.artifacts.hashing import logical_hash, sha256_file, sha256_json

if TYPE_CHECKING:
    from pathlib import Path

TIME = pa.timestamp("ms", "UTC")
TABLE = pa.table(
    {"t": pa.array([1, 2], TIME), "x": pa.array([Decimal("1.50"), Decimal("-2.25")], pa.decimal128(18, 2))}
)


def test_a_file_has_the_sha_256_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256_file(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_json_value_is_hashed_by_content_not_by_order() -> None:
    assert sha256_json({"b": [1, 2.5], "a": None}) == hashlib.sha256(b'{"a":null,"b":[1,2.5]}').hexdigest()
    assert sha256_json({"a": None, "b": [1, 2.5]}) == sha256_json({"b": [1, 2.5], "a": None})
    with pytest.raises(ValueError, match="JSON compliant"):
        sha256_json(float("nan"))


def test_the_hash_of_known_values_never_changes() -> None:
    # Two int64 times and two 128-bit decimals, little endian: written out by hand.
    content = b"t:timestamp[ms, tz=UTC]:2;" + (1).to_bytes(8, "little") + (2).to_bytes(8, "little")
    content += b"x:decimal128(18, 2):2;" + (150).to_bytes(16, "little") + (-225).to_bytes(16, "little", signed=True)
    assert logical_hash(TABLE) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        TABLE.set_column(0, "t", pa.array([1, 3], TIME)),
        TABLE.set_column(0, "t", pa.array([1, 2], pa.timestamp("us", "UTC"))),
        TABLE.set_column(0, "t", pa.array([1, 2])),
        TABLE.rename_columns(["x", "t"]),
        TABLE.select(["x", "t"]),
        TABLE.slice(0, 1),
        TABLE.slice(1, 1),
        TABLE.slice(0, 0),
        TABLE.drop_columns("x"),
        TABLE.set_column(1, "x", pa.array([Decimal("1.500"), Decimal("-2.250")], pa.decimal128(18, 3))),
    ],
    ids=["value", "unit", "type", "names", "order", "first", "last", "none", "fewer", "scale"],
)
def test_other_content_has_another_hash(other: pa.Table) -> None:
    assert logical_hash(other) != logical_hash(TABLE)


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, None]),
        pa.array([True, False]),
        pa.array(["a", "b"]),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array([[1], [2]]),
        pa.array([{"a": 1}, {"a": 2}]),
    ],
    ids=["null", "bool", "text", "dictionary", "list", "struct"],
)
def test_what_cannot_be_hashed_by_its_buffer_is_refused(values: pa.Array) -> None:
    with pytest.raises(ValueError, match="column x"):
        logical_hash(pa.table({"x": values}))
