"""Decimals as text, and pages as slices of it."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlelock.simulator.market import decimal_texts, render


@given(st.lists(st.integers(0, 10**18 - 1), max_size=6), st.integers(0, 18), st.integers(0, 8), st.integers(0, 3))
def test_decimals_are_printed_digit_by_digit(mantissas: list[int], scale: int, decimals: int, skip: int) -> None:
    values = [Decimal(each).scaleb(-scale) for each in mantissas]
    texts = decimal_texts(pa.array(values, pa.decimal128(18, scale)).slice(skip), decimals).to_pylist()
    n_decimals = max(scale, decimals)
    assert texts == [f"{value:.{n_decimals}f}" for value in values[skip:]]


@pytest.mark.parametrize(("first", "stop", "page"), [(0, 0, b""), (0, 1, b"[7,1]"), (1, 3, b"[8,1],[9,1]")])
def test_a_page_is_a_run_of_rows(first: int, stop: int, page: bytes) -> None:
    assert render([pa.array(["7", "8", "9"]), ",1"]).page(first, stop) == page
