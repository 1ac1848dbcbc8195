from __future__ import annotations

import pyarrow as pa
import pytest

from candlelock.snapshot.text_values import cast_or_null, trim


@pytest.mark.parametrize("bad", [[], [0], [6], [0, 1, 2, 3, 4, 5, 6], [2, 5]])
def test_only_what_does_not_fit_is_null(bad: list[int]) -> None:
    texts = pa.array(["x" if row in bad else str(row) for row in range(7)])
    expected = [None if row in bad else row for row in range(7)]
    assert cast_or_null(texts, pa.int64()).to_pylist() == expected
    assert cast_or_null(texts.slice(2, 4), pa.int64()).to_pylist() == expected[2:6]


def test_nothing_is_cast_to_nothing() -> None:
    assert cast_or_null(pa.array([], pa.string()), pa.int64()).to_pylist() == []


def test_blanks_and_a_plus_before_a_number_go() -> None:
    texts = pa.array([" 1\t", "+1", "+.5", "++1", "+x", "1 +", None, ""])
    assert trim(texts).to_pylist() == ["1", "1", ".5", "++1", "+x", "1 +", None, ""]
