"""Rows that were never published as they are: every rule finds its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.snapshot.row_checks import check
from tests.candle_tables import BAR_MS, FIRST_MS, swing

if TYPE_CHECKING:
    import pyarrow as pa

TIMES_MS = FIRST_MS + BAR_MS * np.arange(20, dtype=np.int64)


def broken(table: pa.Table, times_ms: np.ndarray = TIMES_MS) -> dict[str, int]:
    return {found.code: found.n_violations for found in check(table, times_ms, BAR_MS) if found.n_violations}


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("high", 9_999, {"candles-high": 2, "candles-low": 2}),
        ("low", 10_101, {"candles-low": 2, "candles-high": 2}),
        ("low", 0, {"candles-price": 2}),
        ("open", -5, {"candles-price": 2, "candles-low": 2}),
        ("close", 10_200, {"candles-high": 2}),
        ("volume", -1, {"candles-volume": 2}),
        ("volume", 0, {}),
    ],
)
def test_broken_amounts_are_found(column: str, value: int, expected: dict[str, int]) -> None:
    bars = swing(20)
    getattr(bars, column)[[3, 4]] = value
    assert broken(bars.table()) == expected


def test_broken_times_are_found() -> None:
    table = swing(20).table()
    assert broken(table) == {}
    assert broken(table, TIMES_MS[[0, 1, 1, *range(3, 20)]]) == {"candles-duplicate": 1}
    assert broken(table, TIMES_MS[[0, 2, 1, *range(3, 20)]]) == {"candles-unsorted": 1}
    assert broken(table, TIMES_MS + np.where(TIMES_MS[5] == TIMES_MS, 1, 0)) == {"candles-off-grid": 1}


def test_codes_are_those_of_the_refusals() -> None:
    page = (Path(__file__).parents[3] / "docs/errors.md").read_text(encoding="utf-8")
    assert not [found.code for found in check(swing(20).table(), TIMES_MS, BAR_MS) if f"| `{found.code}` |" not in page]
