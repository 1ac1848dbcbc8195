"""Scales, ticks and paths."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from candlelock.page.chart import Scale, axis, column, day_ticks, dot, frame, line, thin, widen
from candlelock.page.wording import number

VALUES = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-3)


@given(st.lists(VALUES, min_size=1))
def test_widened_range_holds_every_value_and_is_never_flat(values: list[float]) -> None:
    low, high = widen(values)
    assert low < high
    assert all(low <= value <= high for value in values)


@given(VALUES, st.floats(min_value=1e-3, max_value=1e9), st.integers(min_value=3, max_value=9))
def test_ticks_are_round_and_lie_on_the_axis(low: float, length: float, at_most: int) -> None:
    scale = Scale(low, low + length, 400, 20)
    shown = axis(scale, "", number, at_most)
    places = [tick.at for tick in shown.ticks]
    assert 1 <= len(places) <= at_most + 1
    assert places == sorted(places, reverse=True)
    slack = 1e-6 + 1e-12 * abs(low) / length  # what float64 leaves of a short axis far from zero
    assert all(20 - slack <= place <= 400 + slack for place in places)


def test_ticks_of_known_ranges() -> None:
    labels = [tick.label for tick in axis(Scale(0.2519, 0.7481, 0, 1), "", number).ticks]
    assert labels == ["0.3", "0.4", "0.5", "0.6", "0.7"]
    labels = [tick.label for tick in axis(Scale(-0.137, 0.0, 0, 1), "", number, 3).ticks]
    assert labels == ["−0.1", "−0.05", "0"]


def test_frame_turns_values_upside_down_inside_the_margins() -> None:
    x, y = frame((0, 10), (-1, 1), (500, 300), 40)
    assert (x(0), x(10)) == (54, 470)
    assert (y(-1), y(1)) == (260, 30)
    assert x(5) == 262


def test_line_leaves_out_points_that_fall_together() -> None:
    assert line([(0, 0), (0.04, 0.01), (1, 2), (1, 2.01), (3, 4)]) == "M0.0,0.0L1.0,2.0L3.0,4.0"


def test_marks_of_one_place() -> None:
    assert dot(1.25, 2) == "M1.2,2.0h0"
    assert column(10, 100, 20, 4) == "M8.0,100.0v-20.0h4.0v20.0Z"


@given(st.integers(min_value=1, max_value=400), st.integers(min_value=1, max_value=20))
def test_thinning_keeps_the_first_and_no_more_than_asked(n: int, at_most: int) -> None:
    kept = thin(range(n), at_most)
    assert kept[0] == 0
    assert len(kept) <= at_most
    assert n > at_most or len(kept) == n


def test_days_are_named_by_the_first_of_the_month_where_there_are_some() -> None:
    days = [date(2024, 1, 15) + timedelta(days=i) for i in range(90)]
    scale = Scale(days[0].toordinal(), days[-1].toordinal(), 0, 89)
    ticks = day_ticks(scale, days)
    assert [tick.label for tick in ticks] == ["2024-02-01", "2024-03-01", "2024-04-01"]
    assert [round(tick.at, 9) for tick in ticks] == [17, 46, 77]
    labels = [tick.label for tick in day_ticks(scale, days[:30])]
    assert labels == [f"2024-01-{day}" for day in (15, 19, 23, 27, 31)] + ["2024-02-04", "2024-02-08", "2024-02-12"]
