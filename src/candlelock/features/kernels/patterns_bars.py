"""What the candlestick patterns compare: one candle's parts, and how they stand to the candles before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from candlelock.artifacts.compiled import compiled
from candlelock.features.kernels import patterns_layout as at

if TYPE_CHECKING:
    from candlelock.features.market import Array


class Bar(NamedTuple):
    """One candle. Sizes are in units of price; means are over the bars before it. In brackets: TA-Lib's settings."""

    open: float
    high: float
    low: float
    close: float
    colour: float  # 1 white: close at or above open; -1 black
    white: bool
    black: bool
    body: float  # between open and close
    top: float  # upper end of the body
    bottom: float  # lower end of the body
    upper: float  # upper shadow
    lower: float  # lower shadow
    long: bool  # body above the mean body of 10 bars (BodyLong)
    short: bool  # body below it (BodyShort)
    small: bool  # body not above it
    doji: bool  # body not above a tenth of the mean range of 10 bars (BodyDoji)
    shaven_top: bool  # upper shadow below a tenth of the mean range of 10 bars (ShadowVeryShort)
    shaven_bottom: bool  # lower shadow below it
    tiny: float  # a tenth of the mean range of 10 bars
    shade: float  # mean shadow of 10 bars (ShadowShort)
    near: float  # 0.2 of the mean range of 5 bars (Near)
    far: float  # 0.6 of it (Far)
    equal: float  # 0.05 of it (Equal)


@compiled
def get(b: Array, place: int) -> float:
    """The number at `place`, which is never negative: asking whether it is would keep loops to one bar at a time."""
    return float(b[np.uint64(place)])


@compiled
def put(b: Array, place: int, value: float) -> None:
    """Write at `place`; as `get`."""
    b[np.uint64(place)] = value


@compiled
def mark(b: Array, place: int, is_there: bool, value: float) -> None:
    """Write `value` where the pattern is there, 0 elsewhere."""
    b[np.uint64(place)] = value if is_there else 0.0


@compiled
def bar(b: Array, i: int) -> Bar:
    """The candle at place `i` of the scratch array. What a caller leaves aside costs nothing once compiled."""
    body, usual, tiny = get(b, i + at.BODY), get(b, i + at.USUAL), get(b, i + at.TINY)
    colour, upper, lower = get(b, i + at.COLOUR), get(b, i + at.UPPER), get(b, i + at.LOWER)
    return Bar(
        get(b, i + at.OPEN), get(b, i + at.HIGH), get(b, i + at.LOW), get(b, i + at.CLOSE),
        colour, colour > 0.0, colour < 0.0,
        body, get(b, i + at.TOP), get(b, i + at.BOTTOM), upper, lower,
        body > usual, body < usual, body <= usual, body <= tiny, upper < tiny, lower < tiny,
        tiny, get(b, i + at.SHADE), get(b, i + at.NEAR), get(b, i + at.FAR), get(b, i + at.EQUAL),
    )  # fmt: skip


@compiled
def measure_bars(b: Array, end: int) -> None:
    """From open, high, low, close at the places before `end`: each candle's parts, and the means over bars before it.

    The sum of ten bars is that of the older five plus that of the younger five: its bits depend on these ten alone.
    """
    for i in range(end):
        opened, high, low, close = get(b, i + at.OPEN), get(b, i + at.HIGH), get(b, i + at.LOW), get(b, i + at.CLOSE)
        is_white = close >= opened
        top = close if is_white else opened
        bottom = opened if is_white else close
        colour = 1.0 if is_white else -1.0
        put(b, i + at.COLOUR, colour)
        put(b, i + at.BODY, top - bottom)
        put(b, i + at.TOP, top)
        put(b, i + at.BOTTOM, bottom)
        put(b, i + at.UPPER, high - top)
        put(b, i + at.LOWER, bottom - low)
        put(b, i + at.RANGE, high - low)
        put(b, i + at.SHADOWS, (high - top) + (bottom - low))
    for i in range(5, end):
        mean_range = _sum_5(b, i + at.RANGE) / 5.0
        put(b, i + at.NEAR, 0.2 * mean_range)
        put(b, i + at.FAR, 0.6 * mean_range)
        put(b, i + at.EQUAL, 0.05 * mean_range)
        put(b, i + at.BODY_5, _sum_5(b, i + at.BODY))
        put(b, i + at.RANGE_5, _sum_5(b, i + at.RANGE))
        put(b, i + at.SHADOWS_5, _sum_5(b, i + at.SHADOWS))
    for i in range(10, end):
        put(b, i + at.USUAL, _mean_10(b, i + at.BODY_5))
        put(b, i + at.TINY, 0.1 * _mean_10(b, i + at.RANGE_5))
        put(b, i + at.SHADE, _mean_10(b, i + at.SHADOWS_5) / 2.0)


@compiled
def _sum_5(b: Array, place: int) -> float:
    """Of the five bars before `place`, oldest first."""
    return get(b, place - 5) + get(b, place - 4) + get(b, place - 3) + get(b, place - 2) + get(b, place - 1)


@compiled
def _mean_10(b: Array, place: int) -> float:
    """From a column of sums of five."""
    return (get(b, place - 5) + get(b, place)) / 10.0
