"""Reading somebody's table: what is understood, and what is refused with everything that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError
from candlelock.leakage.columns import ColumnNames, read_audit_table
from candlelock.leakage.rows import LEFT_OUT
from candlelock.leakage.table_times import read_times

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ColumnNames("time", "label", "label_end", "split", "symbol")
HOURS = pd.date_range("2024-01-01", periods=6, freq="h", tz="UTC")
SPLIT = ["Training", "train", None, "val", "OOS", " test "]


def frame(**columns: Any) -> pd.DataFrame:
    made = {
        "symbol": ["A"] * 6,
        "time": HOURS,
        "label": [0, 1, 0, 1, 1, 0],
        "label_end": HOURS + pd.Timedelta("1h"),
        "split": SPLIT,
        "x": [0.5, 1, 2, 3, np.nan, 5],
        "note": list("abcdef"),
    }
    return pd.DataFrame(made | columns)


def read(table: pd.DataFrame, folder: Path, kind: str = "parquet", names: ColumnNames = NAMES) -> Any:
    path = folder / f"table.{kind}"
    {"parquet": table.to_parquet, "feather": table.to_feather, "csv": lambda each: table.to_csv(each, index=False)}[
        kind
    ](path)
    return read_audit_table(path, names)


def refused(table: pd.DataFrame, folder: Path, kind: str = "parquet", names: ColumnNames = NAMES) -> dict[str, str]:
    """Code -> what was found and the help, of every problem."""
    with pytest.raises(InputError) as caught:
        read(table, folder, kind, names)
    return {problem.code: f"{problem.place}: {problem.found}; {problem.help}" for problem in caught.value.problems}


@pytest.mark.parametrize("kind", ["parquet", "feather", "csv"])
def test_a_table_is_the_same_from_every_kind_of_file(kind: str, tmp_path: Path) -> None:
    table = read(frame(), tmp_path, kind)
    assert table.rows.parts == ("train", "validation", "test")
    assert table.rows.part.tolist() == [0, 0, LEFT_OUT, 1, 2, 2]
    assert table.rows.decision_ms.tolist() == [1_704_067_200_000 + 3_600_000 * hour for hour in range(6)]
    assert (table.rows.label_end_ms - table.rows.decision_ms == 3_600_000).all()
    assert table.names == ("x",)
    np.testing.assert_array_equal(table.values[:, 0], [0.5, 1, 2, 3, np.nan, 5])
    assert table.notes == ()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_whole_numbers_have_the_unit_that_makes_them_times(unit: str, kind: str, tmp_path: Path) -> None:
    per_second = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}[unit]
    numbers = (1_704_067_200 + 3600 * np.arange(6)) * per_second
    ends = pd.Series(numbers + 3600 * per_second, dtype="Int64").mask(np.arange(6) == 2)
    table = read(frame(time=numbers, label_end=ends), tmp_path, kind)
    assert table.rows.decision_ms[1] == 1_704_070_800_000
    assert table.rows.is_known.tolist() == [True, True, False, True, True, True]
    assert any(f"whole numbers in {unit}" in note for note in table.notes)


def test_zones_are_converted_and_naive_times_are_told(tmp_path: Path) -> None:
    away = HOURS.tz_convert("America/New_York")
    assert read(frame(time=away), tmp_path).rows.decision_ms[0] == 1_704_067_200_000
    naive = read(
        frame(time=HOURS.tz_localize(None), label_end=(HOURS + pd.Timedelta("1h")).tz_localize(None)), tmp_path
    )
    assert naive.rows.decision_ms[0] == 1_704_067_200_000
    assert naive.notes == ("time has no zone and is taken as UTC", "label_end has no zone and is taken as UTC")


def test_offsets_of_text_are_taken_off() -> None:
    times = read_times(pa.chunked_array([["2024-01-01T02:00:00.123456+02:00", None]]), "t")
    assert times.ms.tolist() == [1_704_067_200_123, 0]
    assert times.is_there.tolist() == [True, False]


@pytest.mark.parametrize(
    ("times", "found"),
    [
        (["2024-01-01T00:00:00Z", "2024-01-01T02:00:00+01:00"], "+00:00, +01:00"),
        (["2024-01-01T00:00:00Z", "2024-01-01T02:00:00"], "+00:00, no zone"),
    ],
)
def test_text_of_several_zones_is_refused(times: list[str], found: str, tmp_path: Path) -> None:
    problems = refused(frame(time=times * 3), tmp_path, "csv")
    assert found in problems["audit-table-zones"]


def test_a_zone_in_one_of_the_two_time_columns_is_refused(tmp_path: Path) -> None:
    assert "naive and zoned" in refused(frame(time=HOURS.tz_localize(None)), tmp_path)["audit-table-zones"]


@pytest.mark.parametrize(
    ("times", "found"),
    [
        (["2024-01-01", "2024-01-02", "soon", "x", "y", "z"], "'soon' in row 2"),
        ([1, 2, 3, 4, 5, 6], "from 1 to 6"),
        ([1.5, 2, 3, 4, 5, 6], "1.5 in row 0"),
        ([1_704_067_200, 1_704_067_200_000, *[1_704_067_200] * 4], "from 1704067200 to 1704067200000"),
        ([None, *HOURS[1:]], "none in 1 rows, first in row 0"),
        (pd.to_datetime(range(6), unit="s", utc=True), "in row 0, 6 such times"),
        ([True, False] * 3, "values of type bool"),
    ],
)
def test_what_is_no_time_is_refused_with_its_row(times: Any, found: str, tmp_path: Path) -> None:
    assert found in refused(frame(time=times), tmp_path)["audit-table-time"]


def test_missing_columns_come_at_once_with_the_nearest_name(tmp_path: Path) -> None:
    names = ColumnNames("tme", "lable", None, "split", "symbol", ("x", "z"))
    with pytest.raises(InputError) as caught:
        read(frame(), tmp_path, names=names)
    helps = {problem.place: problem.help for problem in caught.value.problems}
    assert helps["--time"] == "did you mean 'time'?"
    assert helps["--label"] == "did you mean 'label'?"
    assert helps["--label-end"] == "it may be label_end"
    assert set(helps) == {"--time", "--label", "--label-end", "--features"}


def test_everything_wrong_in_the_columns_comes_at_once(tmp_path: Path) -> None:
    wrong = frame(time=list("abcdef"), label=list("uududu"), split=["train", "tset"] * 3, x=[np.inf] + [1.0] * 5)
    problems = refused(wrong, tmp_path)
    assert set(problems) == {"audit-table-time", "audit-table-label", "audit-table-split", "audit-table-feature"}
    assert "'tset' in 3 rows, first in row 1; did you mean 'test'?" in problems["audit-table-split"]
    assert "x: 1 infinite values, first in row 0" in problems["audit-table-feature"]


@pytest.mark.parametrize("split", [[True, False] * 3, [0, 1] * 3])
def test_parts_need_names(split: list[Any], tmp_path: Path) -> None:
    assert "write the parts' names" in refused(frame(split=split), tmp_path)["audit-table-split"]


@pytest.mark.parametrize(
    ("columns", "code", "found"),
    [
        ({"split": ["train"] * 6}, "audit-table-split", "only train"),
        ({"split": [None] * 6}, "audit-table-split", "no part"),
        ({"label": [None] * 5 + [1.0]}, "audit-table-label", "1 in every row"),
        ({"label": [np.nan] * 6}, "audit-table-label", "no known label"),
        (
            {"label": [0.0, 1.0] + [None] * 4, "split": ["train"] * 3 + ["test"] * 3},
            "audit-table-label",
            "in test, of 3",
        ),
        ({"label": [np.inf] + [0.0] * 5}, "audit-table-label", "first in row 0"),
        ({"symbol": ["A", None, *"AAAA"]}, "audit-table-symbol", "first in row 1"),
        ({"x": list("abcdef")}, "audit-table-feature", "no column of numbers"),
        ({"time": HOURS[[0, 1, 1, 2, 3, 4]]}, "audit-table-duplicate", "row 2 has the key of row 1, A 2024-01-01T01"),
        ({"time": HOURS[[0, 2, 1, 3, 4, 5]]}, "audit-table-unsorted", "row 2 A of 2024-01-01T01:00:00Z after row 1"),
    ],
)
def test_tables_that_cannot_be_audited(columns: dict[str, Any], code: str, found: str, tmp_path: Path) -> None:
    assert found in refused(frame(**columns), tmp_path)[code]


def test_rows_of_several_symbols_may_alternate(tmp_path: Path) -> None:
    table = read(
        frame(symbol=list("ABABAB"), time=HOURS[[0, 0, 1, 1, 2, 2]], label_end=HOURS[[1, 1, 2, 2, 3, 3]]), tmp_path
    )
    assert table.rows.symbols == ("A", "B")
    assert table.rows.symbol.tolist() == [0, 1] * 3


def test_features_may_be_named_and_truth_values_count(tmp_path: Path) -> None:
    wide = frame(flag=[True, False] * 3, whole=range(6))
    assert read(wide, tmp_path).names == ("x", "flag", "whole")
    named = ColumnNames("time", "label", "label_end", "split", "symbol", ("flag",))
    assert read(wide, tmp_path, names=named).values[:, 0].tolist() == [1.0, 0.0] * 3
    text = ColumnNames("time", "label", "label_end", "split", "symbol", ("note",))
    assert "note: values of type" in refused(wide, tmp_path, names=text)["audit-table-feature"]


def test_an_index_is_no_feature_but_a_named_one_is_a_column(tmp_path: Path) -> None:
    assert read(frame().set_index(np.arange(6) * 7), tmp_path).names == ("x",)
    assert read(frame().set_index("time"), tmp_path).names == ("x",)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("t.parquet", b"PAR1 but not really", "Arrow"),
        ("t.csv", b"a,a\n1,2\n", "columns of one name: a"),
        ("t.csv", b"time,label\n", "no row"),
        ("t.xlsx", b"", "type .xlsx"),
        ("t.feather", None, "no such file"),
    ],
)
def test_files_that_are_none(name: str, content: bytes | None, found: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_audit_table(tmp_path / name, NAMES)
    (problem,) = caught.value.problems
    assert problem.code == "audit-table-file"
    assert found in problem.found
