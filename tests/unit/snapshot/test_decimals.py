from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from candlelock.snapshot import decimals


def test_prices_share_the_smallest_scale_that_keeps_every_digit() -> None:
    columns = [decimals.parse(pa.array(texts)) for texts in (["1.50", "2"], ["1e-3", "100.0"])]
    narrow = decimals.narrow(columns)
    assert narrow is not None
    assert [column.type for column in narrow] == [pa.decimal128(18, 3)] * 2
    assert narrow[1].to_pylist() == [Decimal("0.001"), Decimal("100.000")]


def test_a_digit_far_down_a_column_still_counts() -> None:
    narrow = decimals.narrow([decimals.parse(pa.array(["1.5"] * 3_000 + ["0.1234567"]))])
    assert narrow is not None
    assert narrow[0].type == pa.decimal128(18, 7)


@pytest.mark.parametrize(
    ("texts", "dtype"),
    [
        (["999999999999999999"], pa.decimal128(18, 0)),
        (["1000000000000000000"], pa.decimal128(38, 0)),
        (["0.000000000000000001"], pa.decimal128(18, 18)),
        (["0.0000000000000000001"], pa.decimal128(38, 19)),
        (["99999999999999999999999999999999999.999"], pa.decimal128(38, 3)),
        (["1e-38"], pa.decimal128(38, 38)),
        (["0", "-0.00", "0e-400", "0.0000e5"], pa.decimal128(18, 0)),
    ],
)
def test_precision_is_18_where_it_suffices_and_38_at_most(texts: list[str], dtype: pa.DataType) -> None:
    narrow = decimals.narrow([decimals.parse(pa.array(texts))])
    assert narrow is not None
    assert narrow[0].type == dtype
    assert narrow[0].to_pylist() == [Decimal(text) for text in texts]


def test_a_column_that_needs_39_digits_is_refused() -> None:
    assert decimals.narrow([decimals.parse(pa.array(["1e20", "1e-18"]))]) is None


@pytest.mark.parametrize(
    "bad",
    [
        "",
        " 1",
        "1 ",
        "abc",
        "1,5",
        "1_000",
        "0x10",
        "nan",
        "inf",
        "-Infinity",
        "1.2.3",
        "1e",
        "1e37",
        "-1e37",
        "1e60",
        "1e400",
        "9" * 50,
        "1e-39",
        "1.0812105066122693e-259",
        "1e-400",
        None,
    ],
)
def test_what_is_no_number_is_null_in_its_row(bad: str | None) -> None:
    assert decimals.parse(pa.array(["1", bad, "2.5"], pa.string())).to_pylist() == [1, None, Decimal("2.5")]


def test_numbers_of_every_type_are_what_they_print() -> None:
    for values, printed in (
        (pa.array([0.1, 1e-7, 1e21, 0.1 + 0.2]), ["0.1", "1e-7", "1e21", "0.30000000000000004"]),
        (pa.array([0.1], pa.float32()), ["0.1"]),
        (pa.array([7], pa.int32()), ["7"]),
        (pa.array([Decimal("1.10")], pa.decimal256(50, 5)), ["1.1"]),
        (pa.array(["1.5"]).dictionary_encode(), ["1.5"]),
    ):
        assert decimals.parse(values).to_pylist() == [Decimal(text) for text in printed]


@pytest.mark.parametrize(
    "values",
    [pa.array([True]), pa.array([[1.5]]), pa.array([float("nan")]), pa.array([float("inf")]), pa.nulls(1)],
    ids=str,
)
def test_other_types_and_nan_are_no_numbers(values: pa.Array) -> None:
    assert decimals.parse(values).to_pylist() == [None]


def test_float64_is_the_nearest_where_arrows_own_cast_is_not() -> None:
    texts = ["40663.70", "137.92", "6755.69", "5.81", "0.93"]
    exact = pa.array(texts).cast(pa.decimal128(18, 2))
    assert decimals.to_float64(exact).tolist() == [float(text) for text in texts]
    assert exact.cast(pa.float64()).to_pylist() != [float(text) for text in texts], "Arrow rounds now: drop the detour"
