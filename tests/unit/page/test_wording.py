"""Numbers as words: rounding, signs, units, dashes."""

from __future__ import annotations

import pytest

from candlelock.contracts.documents import Interval
from candlelock.page import wording


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (wording.percent(0.56304), "56.30%"),
        (wording.percent(-0.001), "−0.10%"),
        (wording.change(0.0312), "+3.12%"),
        (wording.change(-0.2961), "−29.61%"),
        (wording.points(1.9), "+1.90 pp"),
        (wording.points(-0.42), "−0.42 pp"),
        (wording.score(0.59021), "0.5902"),
        (wording.ratio(-1.8749), "−1.87"),
        (wording.money(1234567.891), "1,234,567.89"),
        (wording.count(92340), "92,340"),
        (wording.number(0.0083), "0.0083"),
        (wording.number(1236.0), "1,236"),
        (wording.number(-0.00001), "−1e-05"),
        (wording.latency(0.0123), "12.3 µs"),
        (wording.latency(0.9999), "999.9 µs"),
        (wording.latency(1.0), "1.00 ms"),
        (wording.minute("2019-10-01T00:30:00Z"), "2019-10-01 00:30"),
        (wording.words("always_up"), "always up"),
    ],
)
def test_figure_is_written_as_the_pages_promise(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize(
    "show", [wording.number, wording.percent, wording.change, wording.points, wording.score, wording.ratio]
)
def test_figure_that_does_not_exist_is_a_dash(show: object) -> None:
    assert callable(show)
    assert show(None) == wording.DASH


def test_interval_is_written_like_its_figure() -> None:
    assert wording.between(Interval(value=0.5, low=0.49, high=0.512), wording.percent) == "[49.00%, 51.20%]"
    assert wording.between(None, wording.percent) == wording.DASH
