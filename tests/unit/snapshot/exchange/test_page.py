from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from candlelock.snapshot.exchange.faults import BadAnswerError
from candlelock.snapshot.exchange.page import check_page
from candlelock.snapshot.exchange.span import Span

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE = 60_000
T = 1_704_067_200_000
PAGE = Span(T, T + 10 * MINUTE, MINUTE)


def table(*bars: int, **changes: list[Any]) -> pa.Table:
    n = len(bars)
    columns = {"open": ["1.0"] * n, "high": ["1.2"] * n, "low": ["0.9"] * n, "close": ["1.1"] * n, "volume": ["3"] * n}
    times = pa.array([T + bar * MINUTE for bar in bars], pa.int64())
    return pa.table(
        {"open_time_utc": times, **{name: pa.array(v, pa.string()) for name, v in (columns | changes).items()}}
    )


def test_candles_of_the_page_pass_as_they_are() -> None:
    good = table(0, 1, 2, 9)
    assert check_page(good, PAGE, is_bounded=True).equals(good)


def test_what_an_unbounded_answer_holds_beyond_the_page_is_cut() -> None:
    assert check_page(table(8, 9, 10, 11), PAGE, is_bounded=False).equals(table(8, 9))


def test_no_candle_and_a_pair_around_a_gap_are_no_fault() -> None:
    assert check_page(table(), PAGE, is_bounded=True).num_rows == 0
    assert check_page(table(0, 9), PAGE, is_bounded=True).num_rows == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: table(0, 2, 1), "older"),
        (lambda: table(0, 1, 1), "twice"),
        (lambda: table(-1, 0), "before"),
        (lambda: table(9, 10), "beyond"),
        (lambda: table(0, 1, open=["1", "nan"]), "nan"),
        (lambda: table(0, 1, high=["1.2", "inf"]), "inf"),
        (lambda: table(0, 1, low=["0.9", "1.15"]), "low"),
        (lambda: table(0, 1, high=["1.2", "1.05"]), "high"),
        (lambda: table(0, 1, volume=["3", "-1"]), "volume"),
        (lambda: table(0, low=["0"]), "price"),
        (lambda: table(0, close=[""]), "number"),
        (lambda: table(0, close=["１.1"]), "number"),
        (lambda: table(0, close=["1e999"]), "number"),
    ],
)
def test_a_broken_candle_is_a_bad_answer(make: Callable[[], pa.Table], words: str) -> None:
    with pytest.raises(BadAnswerError, match=words):
        check_page(make(), PAGE, is_bounded=True)


def test_a_time_off_the_grid_is_a_bad_answer() -> None:
    seconds = table(0).set_column(0, "open_time_utc", pa.array([T // 1000]))
    with pytest.raises(BadAnswerError, match="does not open a bar"):
        check_page(seconds, PAGE, is_bounded=True)
