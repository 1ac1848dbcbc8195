"""Each way a table can break its contract is found and named with its place."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from candlelock.contracts import tables
from candlelock.contracts.tables import TIME, Column, TableSchema

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.errors import Problem

SCHEMA = TableSchema(
    "quotes",
    (
        Column("symbol", pa.string(), "BASE/QUOTE", "what is traded"),
        Column("open_time_utc", TIME, "UTC time", "when"),
        Column("price", None, "quote currency", "exact"),
        Column("score", pa.float64(), "1", "may be unknown", nullable=True),
        Column("weight", pa.float64(), "1", "always known"),
    ),
    key=("symbol", "open_time_utc"),
)
COLUMNS: dict[str, pa.Array] = {
    "symbol": pa.array(["A", "A", "B", "B"]),
    "open_time_utc": pa.array([1, 2, 1, 2], TIME),
    "price": pa.array([Decimal("1.5")] * 4, pa.decimal128(18, 2)),
    "score": pa.array([1.0, None, 0.0, -1.0]),
    "weight": pa.array([1.0, 2.0, 3.0, 4.0]),
}


def table(**changed: Any) -> pa.Table:
    return pa.table({**COLUMNS, **changed})


def problems(broken: pa.Table) -> list[Problem]:
    return SCHEMA.problems(broken, "x.parquet")


def test_a_table_that_fits_has_no_problem() -> None:
    whole = table()
    for fitting in (
        whole,
        whole.slice(1, 2),
        whole.slice(0, 1),
        whole.slice(0, 0),
        pa.concat_tables([whole[:2], whole[2:]]),
    ):
        assert problems(fitting) == []
    assert problems(table(score=pa.nulls(4, pa.float64()))) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda t: t.drop_columns(["score", "price"]), "missing ['price', 'score'], unknown []"),
        (lambda t: t.append_column("note", t["score"]), "missing [], unknown ['note']"),
        (lambda t: t.rename_columns([n.upper() for n in t.column_names]), "missing ['symbol', 'open_time_utc'"),
        (lambda t: t.select(t.column_names[::-1]), "the order ['weight', 'score'"),
        (lambda t: t.append_column("weight", t["weight"]), "the order ['symbol'"),
    ],
    ids=["missing", "extra", "renamed", "reordered", "twice"],
)
def test_other_columns(change: Callable[[pa.Table], pa.Table], found: str) -> None:
    (problem,) = problems(change(table()))
    assert (problem.code, problem.place) == ("table-columns", "x.parquet")
    assert found in problem.found


@pytest.mark.parametrize(
    ("name", "values", "code", "found"),
    [
        ("score", pa.array([1, 2, 3, 4]), "type", "int64"),
        ("score", pa.array([1.0] * 4, pa.float32()), "type", "float"),
        ("price", pa.array([1.5] * 4), "type", "double"),
        ("open_time_utc", pa.array([1, 2, 1, 2], pa.timestamp("ms")), "type", "timestamp[ms]"),
        ("open_time_utc", pa.array([1, 2, 1, 2], pa.timestamp("us", "UTC")), "type", "timestamp[us, tz=UTC]"),
        ("symbol", COLUMNS["symbol"].dictionary_encode(), "type", "dictionary"),
        ("weight", pa.array([1.0, 2.0, None, None]), "null", "2 nulls, the first in row 2"),
        ("symbol", pa.array(["A", "A", "B", None]), "null", "1 nulls, the first in row 3"),
        ("score", pa.array([1.0, None, float("nan"), 1.0]), "not-finite", "NaN or infinity"),
        ("weight", pa.array([1.0, 2.0, float("-inf"), 1.0]), "not-finite", "NaN or infinity"),
    ],
)
def test_a_column_of_other_values(name: str, values: pa.Array, code: str, found: str) -> None:
    (problem,) = problems(table(**{name: values}))
    assert (problem.code, problem.place) == (f"table-{code}", f"x.parquet column {name}")
    assert found in problem.found


def test_every_broken_column_is_named_at_once() -> None:
    broken = table(weight=pa.array([None, 1.0, float("inf"), 1.0]), score=pa.array([1, 2, 3, 4]))
    assert [(p.code, p.place.split()[-1]) for p in problems(broken)] == [
        ("table-type", "score"),
        ("table-null", "weight"),
        ("table-not-finite", "weight"),
    ]


@pytest.mark.parametrize(
    ("symbols", "times", "row"),
    [
        (["A", "A", "B", "B"], [1, 1, 1, 2], 1),
        (["A", "A", "B", "B"], [1, 2, 2, 1], 3),
        (["A", "B", "A", "B"], [1, 1, 2, 2], 2),
        (["B", "B", "A", "A"], [1, 2, 1, 2], 2),
        (["A", "A", "A", "A"], [1, 2, 3, 3], 3),
    ],
    ids=["duplicate", "time back", "interleaved", "symbols back", "last duplicate"],
)
def test_rows_have_to_be_unique_and_sorted(symbols: list[str], times: list[int], row: int) -> None:
    (problem,) = problems(table(symbol=pa.array(symbols), open_time_utc=pa.array(times, TIME)))
    assert (problem.code, problem.place) == ("table-order", f"x.parquet row {row}")
    assert "symbol, open_time_utc" in problem.expected


def test_times_compare_as_times_and_symbols_as_text() -> None:
    many = pa.array([9, 10, 100, 1000], TIME)  # as text, 10 would come before 9
    assert problems(table(symbol=pa.array(["A"] * 4), open_time_utc=many)) == []
    assert problems(table(symbol=pa.array(["A1", "A10", "A2", "B"]))) == []


def test_every_contract_names_units_and_meanings_and_a_key_of_its_own_columns() -> None:
    for schema in (value for value in vars(tables).values() if isinstance(value, TableSchema)):
        names = [column.name for column in schema.columns]
        assert len(set(names)) == len(names)
        assert set(schema.key) <= {column.name for column in schema.columns if not column.nullable}
        assert all(column.unit and column.description for column in schema.columns)
