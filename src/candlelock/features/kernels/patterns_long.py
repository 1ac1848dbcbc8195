"""Candlestick patterns of four and five candles, `x4` to `x0`, and the hikkakes, with TA-Lib's conditions.

References: Morris, Candlestick Charting Explained; Chesler, Trading False Moves with the Hikkake Pattern (2004).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts.compiled import compiled
from candlelock.features.kernels import patterns_layout as at
from candlelock.features.kernels.patterns_bars import bar, get, mark, put

if TYPE_CHECKING:
    from candlelock.features.market import Array


@compiled
def write_fours(b: Array, end: int) -> None:
    """Three-line strike: a candle takes back three; concealing baby swallow: four blacks, the last around the third."""
    for i in range(at.LAG, end):
        x3, x2, x1, x0 = bar(b, i - 3), bar(b, i - 2), bar(b, i - 1), bar(b, i)
        turns = (x3.colour == x2.colour) & (x2.colour == x1.colour) & (x0.colour != x1.colour)
        near_3 = (x2.open >= x3.bottom - x3.near) & (x2.open <= x3.top + x3.near)
        near_2 = (x1.open >= x2.bottom - x2.near) & (x1.open <= x2.top + x2.near)
        climbs = (x1.close > x2.close) & (x2.close > x3.close) & (x0.open > x1.close) & (x0.close < x3.open)
        falls = (x1.close < x2.close) & (x2.close < x3.close) & (x0.open < x1.close) & (x0.close > x3.open)
        strikes = climbs if x1.white else falls
        mark(b, i + at.THREE_LINE_STRIKE, turns & near_3 & near_2 & strikes, x1.colour)
        blacks = x3.black & x2.black & x1.black & x0.black
        bald = x3.shaven_top & x3.shaven_bottom & x2.shaven_top & x2.shaven_bottom
        third = (x1.top < x2.bottom) & (x1.upper > x1.tiny) & (x1.high > x2.close)
        mark(b, i + at.CONCEALING_BABY_SWALLOW, blacks & bald & third & (x0.high > x1.high) & (x0.low < x1.low), 1.0)


@compiled
def write_fives(b: Array, end: int) -> None:
    """Breakaway: a run with a gap, then one back into the gap. Ladder bottom: four blacks, a wick up, a white above."""
    for i in range(at.LAG, end):
        x4, x3, x2, x1, x0 = bar(b, i - 4), bar(b, i - 3), bar(b, i - 2), bar(b, i - 1), bar(b, i)
        runs = x4.long & (x4.colour == x3.colour) & (x3.colour == x1.colour) & (x1.colour != x0.colour)
        falls = (x3.top < x4.bottom) & (x2.high < x3.high) & (x2.low < x3.low) & (x1.high < x2.high) & (x1.low < x2.low)
        rises = (x3.bottom > x4.top) & (x2.high > x3.high) & (x2.low > x3.low) & (x1.high > x2.high) & (x1.low > x2.low)
        back_up = (x0.close > x3.open) & (x0.close < x4.close)
        back_down = (x0.close < x3.open) & (x0.close > x4.close)
        breaks = (falls & back_up) if x4.black else (rises & back_down)
        mark(b, i + at.BREAKAWAY, runs & breaks, x0.colour)
        blacks = x4.black & x3.black & x2.black & x1.black
        steps = (x4.open > x3.open) & (x3.open > x2.open) & (x4.close > x3.close) & (x3.close > x2.close)
        turns = (x1.upper > x1.tiny) & x0.white & (x0.open > x1.open) & (x0.close > x1.high)
        mark(b, i + at.LADDER_BOTTOM, blacks & steps & turns, 1.0)


@compiled
def write_rests(b: Array, end: int) -> None:
    """A long body, three small ones against it, and one that goes on.

    Rising and falling three methods: within the first's range; mat hold: after a gap up, held above half its body.
    """
    for i in range(at.LAG, end):
        x4, x3, x2, x1, x0 = bar(b, i - 4), bar(b, i - 3), bar(b, i - 2), bar(b, i - 1), bar(b, i)
        small = x4.long & x3.short & x2.short & x1.short
        floor = x4.close - x4.body * 0.5
        gaps = x4.white & x3.black & x0.white & (x3.bottom > x4.top)
        sinks = (x2.top < x3.open) & (x1.top < x2.top)
        is_held = (x2.bottom < x4.close) & (x1.bottom < x4.close) & (x2.bottom > floor) & (x1.bottom > floor)
        tops = (x0.close > x3.high) & (x0.close > x2.high) & (x0.close > x1.high)
        mark(b, i + at.MAT_HOLD, small & gaps & sinks & is_held & (x0.open > x1.close) & tops, 1.0)
        sign = x4.colour
        turns = (x3.colour != sign) & (x2.colour != sign) & (x1.colour != sign) & (x0.colour == sign)
        high_enough = (x3.top > x4.low) & (x2.top > x4.low) & (x1.top > x4.low)
        low_enough = (x3.bottom < x4.high) & (x2.bottom < x4.high) & (x1.bottom < x4.high)
        against = (x2.close * sign < x3.close * sign) & (x1.close * sign < x2.close * sign)
        goes_on = x0.long & (x0.open * sign > x1.close * sign) & (x0.close * sign > x4.close * sign)
        is_kept = turns & high_enough & low_enough & against
        mark(b, i + at.RISE_FALL_THREE_METHODS, small & is_kept & goes_on, sign)


@compiled
def write_hikkakes(b: Array, end: int) -> None:
    """Hikkake: an inside bar, then a bar with both ends to one side of it; the sign is the other side's (the trap).

    Doubled where one of the next three bars, before any other trap, is the first to close beyond the inside bar.
    Modified: two nested inside bars, the first closing near its low (high). TA-Lib carries the latest trap from bar to
    bar, but never for longer than three: looking back on the last three bars gives the same values.
    """
    for i in range(at.LAG - 3, end):
        x3, x2, x1, x0 = bar(b, i - 3), bar(b, i - 2), bar(b, i - 1), bar(b, i)
        is_inside = (x1.high < x2.high) & (x1.low > x2.low)
        is_nested = is_inside & (x2.high < x3.high) & (x2.low > x3.low)
        down = (x0.high < x1.high) & (x0.low < x1.low)
        up = (x0.high > x1.high) & (x0.low > x1.low)
        side = 1.0 if down else -1.0
        mark(b, i + at.TRAP, is_inside & (down | up), side)
        ends_far = (down & (x2.close <= x2.low + x2.near)) | (up & (x2.close >= x2.high - x2.near))
        mark(b, i + at.MOD_TRAP, is_nested & ends_far, side)
    for i in range(at.LAG, end):
        put(b, i + at.HIKKAKE, _sprung(b, i, at.TRAP))
        put(b, i + at.HIKKAKE_MOD, _sprung(b, i, at.MOD_TRAP))


@compiled
def _sprung(b: Array, i: int, trap: int) -> float:
    """This bar's trap, or twice the latest of the three bars before where this close is the first to spring it."""
    now, one, two, three = get(b, i + trap), get(b, i + trap - 1), get(b, i + trap - 2), get(b, i + trap - 3)
    by_one = 2.0 * one if _springs(b, i, 1, one) else 0.0
    is_open = not _springs(b, i - 1, 1, two)
    by_two = 2.0 * two if is_open & _springs(b, i, 2, two) else 0.0
    is_open = not (_springs(b, i - 2, 1, three) | _springs(b, i - 1, 2, three))
    by_three = 2.0 * three if is_open & _springs(b, i, 3, three) else 0.0
    late = by_two if two != 0.0 else by_three
    after = by_one if one != 0.0 else late
    return now if now != 0.0 else after


@compiled
def _springs(b: Array, i: int, age: int, trap: float) -> bool:
    """Does the bar at `i` close beyond the inside bar of the trap set `age` bars before it?"""
    close = get(b, i + at.CLOSE)
    above, below = close > get(b, i + at.HIGH - age - 1), close < get(b, i + at.LOW - age - 1)
    return above if trap > 0.0 else below
