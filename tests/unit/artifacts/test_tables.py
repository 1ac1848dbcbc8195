"""Parquet is written in one way, described in itself, and never believed unchecked."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from candlelock.artifacts import tables
from candlelock.contracts.errors import InputError
from candlelock.contracts.tables import PREDICTIONS, TIME, candles_schema

if TYPE_CHECKING:
    from pathlib import Path

WRITE = """
import sys
from pathlib import Path
import pyarrow as pa
from candlelock.artifacts import tables
from candlelock.contracts.tables import PREDICTIONS, TIME, candles_schema
n = 500
table = pa.table({
    "symbol": ["A/Q"] * n, "open_time_utc": pa.array([i * 1000 for i in range(n)], TIME), "segment": ["test"] * n,
    "p_up_raw": [i / n for i in range(n)], "p_up": [0.5] * n, "confidence": [0.5] * n, "member_spread": [0.1] * n,
    "disagreement": [0.0] * n, "may_be_up": pa.nulls(n, pa.bool_()), "may_be_down": pa.nulls(n, pa.bool_()),
    **dict.fromkeys(("predicted_value", "value_low", "value_high"), pa.nulls(n, pa.float64())),
    "has_signal": [i % 2 == 0 for i in range(n)],
})
tables.write(Path(sys.argv[1]), table, PREDICTIONS)
"""


@pytest.fixture
def table() -> pa.Table:
    n = 500
    columns = [
        ["A/Q"] * n,
        pa.array([i * 1000 for i in range(n)], TIME),
        ["test"] * n,
        [i / n for i in range(n)],
        [0.5] * n,
        [0.5] * n,
        [0.1] * n,
        [0.0] * n,
        pa.nulls(n, pa.bool_()),
        pa.nulls(n, pa.bool_()),
        *[pa.nulls(n, pa.float64())] * 3,
        [i % 2 == 0 for i in range(n)],
    ]
    return pa.table(columns, names=[column.name for column in PREDICTIONS.columns])


def test_what_is_written_comes_back(tmp_path: Path, table: pa.Table) -> None:
    for whole in (table, table.slice(0, 0)):
        tables.write(tmp_path / "x.parquet", whole, PREDICTIONS)
        read = tables.read(tmp_path / "x.parquet", PREDICTIONS)
        assert (read.column_names, read.to_pylist()) == (whole.column_names, whole.to_pylist())


def test_equal_content_has_equal_bytes_however_it_lies_in_memory(tmp_path: Path, table: pa.Table) -> None:
    twice = pa.concat_tables([table, table])
    annotated = table.replace_schema_metadata({"pandas": "{}"})
    spellings = [table, pa.concat_tables([table[:7], table[7:]]), twice.slice(500), twice.slice(0, 500), annotated]
    assert len({_bytes(tmp_path, spelling) for spelling in spellings}) == 1
    many = pa.concat_tables([table] * 600)  # long enough for pages to end elsewhere
    many = many.set_column(1, "open_time_utc", pa.array(range(many.num_rows), TIME)).combine_chunks()
    chunked = pa.concat_tables(many[start : start + 1003] for start in range(0, many.num_rows, 1003))
    assert _bytes(tmp_path, many) == _bytes(tmp_path, chunked)


def _bytes(folder: Path, table: pa.Table) -> bytes:
    tables.write(folder / "x.parquet", table, PREDICTIONS)
    return (folder / "x.parquet").read_bytes()


def test_another_process_writes_the_same_bytes(tmp_path: Path, table: pa.Table) -> None:
    tables.write(tmp_path / "x.parquet", table, PREDICTIONS)
    elsewhere = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", WRITE, str(tmp_path / "y.parquet")], check=True, cwd="/", env=elsewhere)
    hashes = {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("x.parquet", "y.parquet")}
    assert len(hashes) == 1


def test_the_file_says_unit_meaning_and_null_rule_of_each_column(tmp_path: Path, table: pa.Table) -> None:
    tables.write(tmp_path / "x.parquet", table, PREDICTIONS)
    stored = pq.read_schema(tmp_path / "x.parquet")
    for column in PREDICTIONS.columns:
        field = stored.field(column.name)
        assert field.metadata[b"unit"].decode() == column.unit
        assert field.metadata[b"description"].decode() == column.description
        assert field.nullable == column.nullable
    assert not stored.metadata


def test_a_table_that_breaks_its_schema_is_not_written(tmp_path: Path, table: pa.Table) -> None:
    tables.write(tmp_path / "x.parquet", table, PREDICTIONS)
    before = (tmp_path / "x.parquet").read_bytes()
    with pytest.raises(InputError) as caught:
        tables.write(tmp_path / "x.parquet", table.slice(0, 2).take([1, 0]), PREDICTIONS)
    assert [problem.code for problem in caught.value.problems] == ["table-order"]
    assert (tmp_path / "x.parquet").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]


def test_a_stored_table_of_another_schema_is_refused(tmp_path: Path, table: pa.Table) -> None:
    pq.write_table(table.drop_columns("p_up"), tmp_path / "x.parquet")
    with pytest.raises(InputError) as caught:
        tables.read(tmp_path / "x.parquet", PREDICTIONS)
    (problem,) = caught.value.problems
    assert problem.place == f"{tmp_path}/x.parquet"
    assert "missing ['p_up']" in problem.found


def test_no_file_names_the_table(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        tables.read(tmp_path / "x.parquet", PREDICTIONS)
    (problem,) = caught.value.problems
    assert (problem.code, problem.expected) == ("table-missing", "the table predictions")


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path: Path, table: pa.Table) -> None:
    path = tmp_path / "x.parquet"
    tables.write(path, table.slice(0, 20), PREDICTIONS)
    whole = path.read_bytes()
    for n_bytes in (*range(0, len(whole), 97), len(whole) - 1):
        path.write_bytes(whole[:n_bytes])
        with pytest.raises(InputError) as caught:
            tables.read(path, PREDICTIONS)
        assert [problem.code for problem in caught.value.problems] == ["table-unreadable"]


def test_a_flipped_bit_never_gives_anything_but_a_table_or_an_input_error(tmp_path: Path, table: pa.Table) -> None:
    path = tmp_path / "x.parquet"
    tables.write(path, table.slice(0, 20), PREDICTIONS)
    whole = path.read_bytes()
    codes = set()
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 0x80
        path.write_bytes(damaged)
        try:
            tables.read(path, PREDICTIONS)
        except InputError as error:
            codes |= {problem.code for problem in error.problems}
    assert "table-unreadable" in codes


def test_series_are_stored_as_differences_where_parquet_has_integers(tmp_path: Path) -> None:
    n = 5_000
    price = pa.array([1_000_000 + row % 7 for row in range(n)]).cast(pa.decimal128(38, 0))
    short, long = price.cast(pa.decimal128(18, 0)), price.cast(pa.decimal128(38, 10))
    times = pa.array([row * 60_000 for row in range(n)], TIME)
    candles = pa.table({"open_time_utc": times, "open": short, "high": short, "low": short, "close": short})
    candles = candles.append_column("volume", long).append_column("n_trades", pa.array(range(n)))
    schema = candles_schema(candles.column_names)
    tables.write(tmp_path / "x.parquet", candles, schema)
    group = pq.ParquetFile(tmp_path / "x.parquet").metadata.row_group(0)
    stored = {candles.column_names[at]: group.column(at) for at in range(candles.num_columns)}
    packed = {name for name, column in stored.items() if "DELTA_BINARY_PACKED" in column.encodings}
    assert packed == {*candles.column_names} - {"volume"}
    assert all(stored[name].total_compressed_size < n for name in packed)
    assert tables.read(tmp_path / "x.parquet", schema).to_pylist() == candles.to_pylist()
