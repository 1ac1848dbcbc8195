"""Stored values as text and back to the integers that are hashed."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from candlelock.snapshot.row_text import parse_columns, print_columns, print_rows

TIME = pa.timestamp("ms", "UTC")
PRICES = ["0.00000001", "-12.50000000", "0.00000000", "99999999999999999999999999999.12345678"]
TABLE = pa.table(
    {
        "open_time_utc": pa.array([0, 1_519_862_400_000, 951_782_400_000, -60_000], pa.int64()).cast(TIME),
        "close": pa.array([Decimal(text) for text in PRICES], pa.decimal128(38, 8)),
        "whole": pa.array([Decimal(7), Decimal(0), Decimal(-3), Decimal(10) ** 20], pa.decimal128(38, 0)),
        "n_trades": pa.array([5, 0, 10**12, -1]),
    }
)
SCALES = {"open_time_utc": None, "close": 8, "whole": 0, "n_trades": None}


def test_every_decimal_of_the_column_is_printed_and_no_exponent() -> None:
    assert print_columns(TABLE) == {
        "open_time_utc": [
            "1970-01-01T00:00:00Z",
            "2018-03-01T00:00:00Z",
            "2000-02-29T00:00:00Z",
            "1969-12-31T23:59:00Z",
        ],
        "close": PRICES,
        "whole": ["7", "0", "-3", "1" + "0" * 20],
        "n_trades": ["5", "0", "1000000000000", "-1"],
    }


def test_text_leads_back_to_the_integers() -> None:
    assert parse_columns(print_rows(TABLE), SCALES) == [
        [0, 1_519_862_400_000, 951_782_400_000, -60_000],
        [1, -1_250_000_000, 0, 9999999999999999999999999999912345678],
        [7, 0, -3, 10**20],
        [5, 0, 10**12, -1],
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("close", text) for text in ("1.25", "12.5000000", "125.000000000", "125", "1250000000", "1.2.5000000")),
        *(("close", text) for text in ("+1.00000000", " 1.00000000", "1_0.00000000", "01.00000000", "-0.00000000")),
        *(("close", text) for text in (".10000000", "1.0000000 ", "1,00000000", "1e5", "", "nan", "١.00000000")),
        *(("whole", text) for text in ("1.0", "1.", "-0", "٣")),
        *(("n_trades", text) for text in ("1.0", "007", "1" * 5_000)),
        *(("open_time_utc", text) for text in ("2018-03-01T00:00Z", "2018-03-01", "2018-03-01T01:00:00+01:00")),
        *(("open_time_utc", text) for text in ("2018-03-01T00:00:00.001Z", "1519862400000", "2018-02-30T00:00:00Z")),
    ],
)
def test_a_value_has_one_text(name: str, text: str) -> None:
    """A shifted point or another spelling would give the same integer, and so the same hash, for something else."""
    row = {**dict(zip(SCALES, print_rows(TABLE)[0], strict=True)), name: text}
    with pytest.raises(ValueError):
        parse_columns([list(row.values())], SCALES)


@pytest.mark.parametrize("row", [["1970-01-01T00:00:00Z"], ["1970-01-01T00:00:00Z", "0.00000001", "7", "5", "1"]])
def test_rows_have_a_value_for_every_column(row: list[str]) -> None:
    with pytest.raises(ValueError, match="zip"):
        parse_columns([row], SCALES)
