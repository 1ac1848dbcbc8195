"""Labelled rows: what a matrix is made of, and which labels and columns are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError, Problem
from candlelock.evaluate.labelled_rows import LabelledRows, read_labelled

LABELS = [True, False, True, False]


def read(of: str | None = None, **columns: Any) -> LabelledRows:
    return read_labelled(pa.table({"a": [1.0, 2.0, None, 4.0], "is_up": LABELS} | columns), "v.csv", of)


def problem_of(call: Any) -> Problem:
    with pytest.raises(InputError) as caught:
        call()
    (problem,) = caught.value.problems
    return problem


def test_columns_come_in_the_order_asked_for_and_null_is_nan() -> None:
    rows = read(b=[5, None, 7, 8], c=["x"] * 4, d=pa.array([None] * 4))
    expected = [[5, 1, np.nan], [np.nan, 2, np.nan], [7, np.nan, np.nan], [8, 4, np.nan]]
    np.testing.assert_array_equal(rows.matrix(["b", "a", "d"], "bundle"), expected)
    np.testing.assert_array_equal(rows.is_up, [1, 0, 1, 0])


@pytest.mark.parametrize("labels", [[1, 0, 1, 0], [1.0, 0.0, 1.0, 0.0], pa.array([1, 0, 1, 0], pa.int8())])
def test_labels_may_be_numbers_and_give_the_same_hash(labels: Any) -> None:
    assert read(is_up=labels).sha256 == read().sha256
    assert read(is_up=[1, 0, 0, 1]).sha256 != read().sha256


def test_label_is_another_name_of_is_up() -> None:
    table = pa.table({"a": [1.0, 2.0], "label": [0, 1]})
    np.testing.assert_array_equal(read_labelled(table, "v.csv", None).is_up, [0, 1])


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([True, None, None, False], "2 of 4 labels unknown"),
        ([1.0, float("nan"), 0.0, 1.0], "1 of 4 labels unknown"),
        ([1, -1, 1, -1], "2 values such as -1"),
        ([0.5, 1, 0, 1], "1 values such as 0.5"),
        ([True] * 4, "4 rows, all of one class"),
        ([False] * 4, "4 rows, all of one class"),
        (["up", "down", "up", "down"], "no numbers and no truth values"),
        (pa.array([None] * 4), "4 of 4 labels unknown"),
    ],
)
def test_labels_that_nothing_can_be_scored_by_are_refused(labels: Any, found: str) -> None:
    problem = problem_of(lambda: read(is_up=labels))
    assert (problem.code, problem.place, problem.found) == ("benchmark-label", "v.csv is_up", found)


def test_no_row_and_no_label_are_refused() -> None:
    empty = pa.table({"a": pa.array([], pa.float64()), "is_up": pa.array([], pa.bool_())})
    assert problem_of(lambda: read_labelled(empty, "v.csv", None)).found == "no row"
    nameless = pa.table({"a": [1.0], "is_upp": [True]})
    assert problem_of(lambda: read_labelled(nameless, "v.csv", None)).help == "did you mean 'is_upp'?"


@pytest.mark.parametrize(
    ("names", "columns", "found"),
    [
        (["a", "aa"], {}, "no column aa"),
        (list("bcdefgh"), {}, "no column b, c, d, e, f and 2 more"),
        (["a"], {"a": ["x"] * 4}, "no numbers, or infinite ones, in a"),
        (["a"], {"a": [1.0, float("inf"), 2.0, 3.0]}, "no numbers, or infinite ones, in a"),
        (["a"], {"a": pa.array([0, 1, 2, 3], pa.timestamp("ms"))}, "no numbers, or infinite ones, in a"),
    ],
)
def test_a_feature_that_cannot_be_had_names_the_bundle_that_asks(
    names: list[str], columns: dict[str, Any], found: str
) -> None:
    problem = problem_of(lambda: read(**columns).matrix(names, "models/direction"))
    assert (problem.code, problem.place) == ("benchmark-column", "models/direction, on v.csv")
    assert problem.found == found


def test_the_rows_of_one_symbol() -> None:
    symbols = ["A/USD", "B/USD", "A/USD", "A/USD"]
    rows = read("A/USD", symbol=symbols)
    np.testing.assert_array_equal(rows.matrix(["a"], "m")[:, 0], [1, np.nan, 4])
    np.testing.assert_array_equal(rows.is_up, [1, 1, 0])
    problem = problem_of(lambda: read("A/USDT", symbol=symbols))
    assert (problem.code, problem.help) == ("benchmark-symbol", "did you mean 'A/USD'?")
    assert "needs a column symbol" in problem_of(lambda: read("A/USD")).help
    assert problem_of(lambda: read("B/USD", symbol=symbols)).found == "1 rows, all of one class"
