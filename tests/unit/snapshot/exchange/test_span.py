from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from candlelock.snapshot.exchange.span import Span, ceil_to, floor_to

MINUTE = 60_000


def test_pages_of_a_range_share_one_bar() -> None:
    pages = Span(0, 10 * MINUTE, MINUTE).pages(4)
    assert [(page.start_ms // MINUTE, page.end_ms // MINUTE) for page in pages] == [(0, 4), (3, 7), (6, 10)]


def test_a_range_that_fits_one_page_still_comes_in_two() -> None:
    pages = Span(0, 10 * MINUTE, MINUTE).pages(1000)
    assert [(page.start_ms // MINUTE, page.end_ms // MINUTE) for page in pages] == [(0, 6), (5, 10)]


@given(st.integers(2, 400), st.integers(1, 50), st.integers(0, 99), st.sampled_from([1, 5, 60]))
def test_pages_cover_the_range_and_overlap_by_a_bar(n_bars: int, n_rows: int, first: int, minutes: int) -> None:
    bar = minutes * MINUTE
    span = Span(first * bar, (first + n_bars) * bar, bar)
    pages = span.pages(n_rows)
    assert len(pages) >= 2 or n_bars == 2
    assert (pages[0].start_ms, pages[-1].end_ms) == (span.start_ms, span.end_ms)
    assert all(page.n_bars <= max(2, n_rows) for page in pages)
    assert all(left.end_ms - right.start_ms == bar for left, right in pairwise(pages))


@given(st.integers(2, 400), st.integers(1, 50))
def test_two_readings_ask_for_every_bar_in_two_different_pages(n_bars: int, n_rows: int) -> None:
    span = Span(0, n_bars * MINUTE, MINUTE)
    assert span.readings(n_rows, 1) == span.pages(n_rows)
    pages = span.readings(n_rows, 2)
    assert len(set(pages)) == len(pages)
    n_asked = np.zeros(n_bars, dtype=int)
    for page in pages:
        n_asked[page.start_ms // MINUTE : page.end_ms // MINUTE] += 1
    assert n_asked.min() >= 2


def test_two_readings_of_a_range_within_one_page_are_two() -> None:
    n_bars = [page.n_bars for page in Span(0, 1200 * MINUTE, MINUTE).readings(1000, 2)]
    assert n_bars == [601, 600, 400, 400, 400, 3]


@given(st.integers(1, 60), st.sets(st.integers(0, 59)))
def test_what_is_missing_and_what_is_there_are_the_whole(n_bars: int, there: set[int]) -> None:
    span = Span(7 * MINUTE, (7 + n_bars) * MINUTE, MINUTE)
    times = np.array(sorted(7 * MINUTE + bar * MINUTE for bar in there if bar < n_bars), dtype=np.int64)
    runs = span.missing(times)
    missing = {time for run in runs for time in range(run.start_ms, run.end_ms, MINUTE)}
    assert missing | set(times.tolist()) == set(range(span.start_ms, span.end_ms, MINUTE))
    assert not missing & set(times.tolist())
    assert all(left.end_ms < right.start_ms for left, right in pairwise(runs))


@given(st.sets(st.integers(0, 30)), st.integers(0, 30), st.integers(1, 9))
def test_a_span_holds_the_times_from_its_start_and_before_its_end(there: set[int], start: int, n_bars: int) -> None:
    times = np.array(sorted(there), dtype=np.int64)
    assert Span(start, start + n_bars, 1).holds_any(times) == bool(there & set(range(start, start + n_bars)))


@given(st.integers(0, 10**13), st.integers(1, 10**6))
def test_the_grid_times_around_a_time(time_ms: int, bar_ms: int) -> None:
    below, above = floor_to(time_ms, bar_ms), ceil_to(time_ms, bar_ms)
    assert below % bar_ms == above % bar_ms == 0
    assert below <= time_ms <= above
    assert above - below == (0 if time_ms % bar_ms == 0 else bar_ms)
