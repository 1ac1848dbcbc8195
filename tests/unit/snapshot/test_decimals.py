from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from candlelock.snapshot import decimals

if TYPE_CHECKING:
    from candlelock.snapshot.decimals import Numbers


def listed(numbers: Numbers) -> list[Decimal | None]:
    rows = zip(numbers.mantissas.tolist(), numbers.is_known.tolist(), strict=True)
    return [Decimal(mantissa).scaleb(-numbers.scale) if is_known else None for mantissa, is_known in rows]


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
        (["-9223372036854775808", "9223372036854775807"], pa.decimal128(38, 0)),
        (["0.000000000000000001"], pa.decimal128(18, 18)),
        (["0.0000000000000000001"], pa.decimal128(38, 19)),
        (["99999999999999999999999999999999999.999"], pa.decimal128(38, 3)),
        (["1e-38"], pa.decimal128(38, 38)),
        (["0", "-0.00", "0e-400", "0.0000e5"], pa.decimal128(18, 0)),
        (["123456789012", "0.000001"], pa.decimal128(18, 6)),
        (["1234567890123", "0.000001"], pa.decimal128(38, 6)),
        (["10", "20.000", "3e1"], pa.decimal128(18, 0)),
        ([], pa.decimal128(18, 0)),
    ],
)
def test_precision_is_18_where_it_suffices_and_38_at_most(texts: list[str], dtype: pa.DataType) -> None:
    narrow = decimals.narrow([decimals.parse(pa.array(texts, pa.string()))])
    assert narrow is not None
    assert narrow[0].type == dtype
    assert narrow[0].to_pylist() == [Decimal(text) for text in texts]


def test_a_column_that_needs_39_digits_is_refused() -> None:
    assert decimals.narrow([decimals.parse(pa.array(["1e20", "1e-18"]))]) is None


@pytest.mark.parametrize(
    "bad",
    [
        "",
        " ",
        "1 2",
        "++1",
        "+-1",
        "+",
        "abc",
        "1,5",
        "1_000",
        "0x10",
        "nan",
        "+inf",
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
@pytest.mark.parametrize("parse", ["parse", "parse_printed"])
def test_what_is_no_number_is_null_in_its_row(bad: str | None, parse: str) -> None:
    parsed = getattr(decimals, parse)(pa.array(["1", bad, "2.5"], pa.string()))
    rows = parsed.to_pylist() if parse == "parse_printed" else listed(parsed)
    assert rows == [1, None, Decimal("2.5")]


@pytest.mark.parametrize("text", [" 1.5", "1.5\t", "+1.5", " +1.5 ", "1.5\r", "15e-1", "0001.50000000000000000000"])
def test_blanks_around_and_a_plus_before_a_number_do_not_count(text: str) -> None:
    assert listed(decimals.parse(pa.array([text]))) == [Decimal("1.5")]
    assert decimals.parse_printed(pa.array([text])).to_pylist() == [Decimal("1.5")]


def test_numbers_of_every_type_are_what_they_print() -> None:
    for values, printed in (
        (pa.array([0.1, 1e-7, 1e21, 0.1 + 0.2]), ["0.1", "1e-7", "1e21", "0.30000000000000004"]),
        (pa.array([0.1], pa.float32()), ["0.1"]),
        (pa.array([7], pa.int32()), ["7"]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([Decimal("1.10")], pa.decimal256(50, 5)), ["1.1"]),
        (pa.array(["1.5"]).dictionary_encode(), ["1.5"]),
        (pa.array(["1.5"], pa.large_string()), ["1.5"]),
    ):
        assert listed(decimals.parse(values)) == [Decimal(text) for text in printed]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([True]),
        pa.array([[1.5]]),
        pa.array([float("nan")]),
        pa.array([float("inf")]),
        pa.nulls(1),
        pa.nulls(1, pa.float64()),
        pa.array([b"\xff"]),
        pa.array([5e-324]),
    ],
    ids=str,
)
def test_other_types_and_nan_are_no_numbers(values: pa.Array) -> None:
    assert listed(decimals.parse(values)) == [None]


def test_rows_of_every_kind_stand_side_by_side() -> None:
    texts = ["1.25", None, "12345678901234567.125", "x", "-3", "0.1234567890123456789"] * 7_000
    parsed = decimals.parse(pa.array(texts, pa.string()))
    assert listed(parsed) == decimals.parse_printed(pa.array(texts, pa.string())).to_pylist()


def test_mantissas_of_a_shared_scale_compare() -> None:
    one, other = decimals.share_scale([decimals.parse(pa.array(texts)) for texts in (["1.5"], ["1e30"])])
    assert one.scale == other.scale
    assert one.mantissas[0] < other.mantissas[0]


def test_usual_candles_take_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decimals, "parse_printed", None)
    prices = np.random.default_rng(1).integers(1, 10**9, 100_000) / 1_000
    for values in (pa.array(prices), pa.array(prices).cast(pa.string())):
        parsed = decimals.parse(values)
        assert parsed.mantissas.dtype == np.int64
        assert (parsed.mantissas / 10**parsed.scale).tolist() == prices.tolist()


def test_float64_is_the_nearest_where_arrows_own_cast_is_not() -> None:
    texts = ["40663.70", "137.92", "6755.69", "5.81", "0.93"]
    exact = pa.array(texts).cast(pa.decimal128(18, 2))
    assert decimals.to_float64(exact).tolist() == [float(text) for text in texts]
    assert exact.cast(pa.float64()).to_pylist() != [float(text) for text in texts], "Arrow rounds now: drop the detour"


def test_float64_of_a_slice_is_that_slices() -> None:
    exact = pa.array([Decimal("1.5"), Decimal("2.5"), Decimal("3.5")], pa.decimal128(18, 1))
    assert decimals.to_float64(exact.slice(1, 1)).tolist() == [2.5]
    assert decimals.to_float64(pa.chunked_array([exact.slice(1), exact])).tolist() == [2.5, 3.5, 1.5, 2.5, 3.5]
