from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlelock.snapshot.exchange.coverage import Look, confirm, join, plan_looks, times_of
from candlelock.snapshot.exchange.faults import DisagreementError
from candlelock.snapshot.exchange.span import Span

MINUTE = 60_000


def table(*bars: int, close: str = "1") -> pa.Table:
    times = pa.array([bar * MINUTE for bar in bars], pa.int64())
    return pa.table({"open_time_utc": times, "close": pa.array([f"{close}.{bar}" for bar in bars], pa.string())})


def run(first: int, end: int) -> Span:
    return Span(first * MINUTE, end * MINUTE, MINUTE)


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(1, 20), st.randoms(use_true_random=False))
def test_pieces_join_to_the_whole_however_they_are_cut(bars: set[int], n: int, random: object) -> None:
    whole = table(*sorted(bars))
    pieces = [whole.slice(at, n + 3) for at in range(0, len(whole), n)]
    random.shuffle(pieces)  # type: ignore[attr-defined]
    assert join(pieces).combine_chunks().equals(whole)


def test_a_candle_that_differs_between_pieces_is_named() -> None:
    with pytest.raises(DisagreementError, match=r"00:02:00Z: close 1\.2, and in another answer close 9\.2") as it:
        join([table(0, 1, 2), table(2, 3, close="9")])
    assert it.value.time_ms == 2 * MINUTE


def test_a_look_starts_before_a_gap_and_serves_those_within_reach() -> None:
    known = times_of(table(0, 1, 4, 5, 6, 8, 20))
    runs = [run(2, 4), run(7, 8), run(9, 20), run(21, 30)]
    looks = plan_looks(known, runs, n_rows=4, n_leading=10)
    assert [(look.start_ms // MINUTE, look.runs) for look in looks] == [
        (0, (run(2, 4),)),
        (4, (run(7, 8),)),
        (5, (run(9, 20),)),
        (6, (run(21, 30),)),
    ]
    assert plan_looks(known, runs, n_rows=100, n_leading=10) == [
        Look(0, (run(2, 4), run(7, 8), run(9, 20))),
        Look(0, (run(21, 30),)),
    ]


def test_a_gap_at_the_start_is_looked_at_from_where_it_starts() -> None:
    assert plan_looks(times_of(table(5, 6)), [run(0, 5)], 10, 10) == [Look(-MINUTE, (run(0, 5),))]
    assert plan_looks(np.array([], dtype=np.int64), [run(0, 9)], 10, 10) == [Look(-MINUTE, (run(0, 9),))]


def test_where_few_candles_are_before_a_gap_the_next_look_starts_later() -> None:
    known = times_of(table(0, 1, 4, 5))
    assert plan_looks(known, [run(2, 4)], 10, 10, n_skipped=1) == [Look(MINUTE, (run(2, 4),))]
    assert plan_looks(known[1:], [run(2, 4)], 10, 10, n_skipped=1) == [Look(2 * MINUTE, (run(2, 4),))]
    assert plan_looks(known, [run(2, 4)], 10, 1, n_skipped=1) == [Look(MINUTE, (run(2, 4),))]
    assert plan_looks(known, [run(6, 9)], 10, 2, n_skipped=1) == [Look(4 * MINUTE, (run(6, 9),))]


def test_the_same_candles_around_a_gap_confirm_it() -> None:
    known = table(0, 1, 4, 5, 6)
    look = Look(MINUTE, (run(2, 4),))
    assert confirm(look, table(1, 4, 5), known) == ({run(2, 4)}, None)


def test_a_short_answer_from_the_last_candle_confirms_that_none_follows() -> None:
    look = Look(6 * MINUTE, (run(7, 10),))
    assert confirm(look, table(6), table(0, 5, 6)) == ({run(7, 10)}, None)


def test_a_short_answer_that_goes_on_after_the_gap_confirms_it() -> None:
    look = Look(MINUTE, (run(2, 4),))
    assert confirm(look, table(1, 4, 5, 6), table(0, 1, 4, 5, 6)) == ({run(2, 4)}, None)


def test_a_candle_in_the_gap_is_news() -> None:
    assert confirm(Look(MINUTE, (run(2, 4),)), table(1, 2, 4), table(0, 1, 4)) == (set(), run(2, 3))


@pytest.mark.parametrize("page", [table(), table(4, 5), table(1, 5), table(1)])
def test_an_answer_without_the_known_candles_around_is_a_disagreement(page: pa.Table) -> None:
    with pytest.raises(DisagreementError, match="not there"):
        confirm(Look(MINUTE, (run(2, 4),)), page, table(0, 1, 4, 5))


def test_an_answer_with_another_value_is_a_disagreement() -> None:
    with pytest.raises(DisagreementError):
        confirm(Look(MINUTE, (run(2, 4),)), table(1, 4, 5, close="9"), table(0, 1, 4, 5))


def test_two_answers_without_a_candle_confirm_that_there_is_none() -> None:
    assert confirm(Look(0, (run(0, 9),)), table(), table()) == ({run(0, 9)}, None)


def test_news_that_comes_again_is_confirmed_without_the_candle_after_it() -> None:
    known = table(0, 1, 2, 3, 8)
    assert confirm(Look(0, (run(2, 4),)), table(0, 1, 2, 3), known) == ({run(2, 4)}, None)
