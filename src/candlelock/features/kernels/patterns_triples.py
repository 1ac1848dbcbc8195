"""Candlestick patterns of three candles, `x2`, `x1` and then `x0`, with TA-Lib's conditions.

References: Nison, Japanese Candlestick Charting Techniques; Morris, Candlestick Charting Explained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts.compiled import compiled
from candlelock.features.kernels import patterns_layout as at
from candlelock.features.kernels.patterns_bars import bar, mark

if TYPE_CHECKING:
    from candlelock.features.market import Array


@compiled
def write_stars(b: Array, end: int) -> None:
    """A long body, a small one beyond it, and one of the other colour back past three tenths of the first.

    Evening (-1) and morning star (1), also with a doji; abandoned baby: the doji's whole candle stands apart.
    """
    for i in range(at.LAG, end):
        x2, x1, x0 = bar(b, i - 2), bar(b, i - 1), bar(b, i)
        falls = x2.long & x2.white & x0.long & x0.black & (x0.close < x2.close - x2.body * 0.3)
        rises = x2.long & x2.black & x0.long & x0.white & (x0.close > x2.close + x2.body * 0.3)
        evening, morning = falls & (x1.bottom > x2.top), rises & (x1.top < x2.bottom)
        mark(b, i + at.EVENING_STAR, evening & x1.small, -1.0)
        mark(b, i + at.EVENING_DOJI_STAR, evening & x1.doji, -1.0)
        mark(b, i + at.MORNING_STAR, morning & x1.small, 1.0)
        mark(b, i + at.MORNING_DOJI_STAR, morning & x1.doji, 1.0)
        is_above = falls & (x1.low > x2.high) & (x0.high < x1.low)
        is_below = rises & (x1.high < x2.low) & (x0.low > x1.high)
        mark(b, i + at.ABANDONED_BABY, x1.doji & (is_above | is_below), x0.colour)


@compiled
def write_confirmed(b: Array, end: int) -> None:
    """A pair and a close that confirms it: three inside (a harami), three outside (an engulfing)."""
    for i in range(at.LAG, end):
        x2, x1, x0 = bar(b, i - 2), bar(b, i - 1), bar(b, i)
        is_inside = x2.long & x1.small & (x1.top < x2.top) & (x1.bottom > x2.bottom)
        past_open = (x0.black & (x0.close < x2.open)) if x2.white else (x0.white & (x0.close > x2.open))
        mark(b, i + at.THREE_INSIDE, is_inside & past_open, -x2.colour)
        engulfs = (x1.colour != x2.colour) & (x1.top > x2.top) & (x1.bottom < x2.bottom)
        goes_on = (x0.close > x1.close) if x1.white else (x0.close < x1.close)
        mark(b, i + at.THREE_OUTSIDE, engulfs & goes_on, x1.colour)


@compiled
def write_soldiers(b: Array, end: int) -> None:
    """Three whites, each opening in the body before or near it and closing higher.

    Three white soldiers (1): strong to the end; advance block (-1): weakening; stalled pattern (-1): a short one on top
    of two long ones.
    """
    for i in range(at.LAG, end):
        x2, x1, x0 = bar(b, i - 2), bar(b, i - 1), bar(b, i)
        climbs = x2.white & x1.white & x0.white & (x0.close > x1.close) & (x1.close > x2.close)
        second = climbs & (x1.open > x2.open) & (x1.open <= x2.close + x2.near)
        steps = second & (x0.open > x1.open) & (x0.open <= x1.close + x1.near)
        bald = x2.shaven_top & x1.shaven_top & x0.shaven_top
        is_strong = x0.long & (x1.body > x2.body - x2.far) & (x0.body > x1.body - x1.far)
        mark(b, i + at.THREE_WHITE_SOLDIERS, steps & bald & is_strong, 1.0)
        much_smaller = (x1.body < x2.body - x2.far) & (x0.body < x1.body + x1.near)
        last_smaller = x0.body < x1.body - x1.far
        shrinks = (x0.body < x1.body) & (x1.body < x2.body) & ((x0.upper > x0.shade) | (x1.upper > x1.shade))
        is_capped = (x0.body < x1.body) & (x0.upper > x0.body)
        weakens = much_smaller | last_smaller | shrinks | is_capped
        mark(b, i + at.ADVANCE_BLOCK, steps & x2.long & (x2.upper < x2.shade) & weakens, -1.0)
        rides = x0.open >= x1.close - x0.body - x1.near
        mark(b, i + at.STALLED_PATTERN, second & x2.long & x1.long & x1.shaven_top & x0.short & rides, -1.0)


@compiled
def write_crows(b: Array, end: int) -> None:
    """Three black crows after a white candle, each from within the body before; identical: each from the close before.

    Two crows and upside gap two crows: two blacks above a long white, the second closing within it or still above. All
    are -1.
    """
    for i in range(at.LAG, end):
        x3, x2, x1, x0 = bar(b, i - 3), bar(b, i - 2), bar(b, i - 1), bar(b, i)
        low_closes = x2.shaven_bottom & x1.shaven_bottom & x0.shaven_bottom
        falls = x2.black & x1.black & x0.black & low_closes & (x2.close > x1.close) & (x1.close > x0.close)
        from_within = (x1.open < x2.open) & (x1.open > x2.close) & (x0.open < x1.open) & (x0.open > x1.close)
        mark(b, i + at.THREE_BLACK_CROWS, falls & from_within & x3.white & (x3.high > x2.close), -1.0)
        first_same = (x1.open <= x2.close + x2.equal) & (x1.open >= x2.close - x2.equal)
        last_same = (x0.open <= x1.close + x1.equal) & (x0.open >= x1.close - x1.equal)
        mark(b, i + at.IDENTICAL_THREE_CROWS, falls & first_same & last_same, -1.0)
        above = x2.white & x2.long & x1.black & (x1.bottom > x2.top) & x0.black
        fills = (x0.open < x1.open) & (x0.open > x1.close) & (x0.close > x2.open) & (x0.close < x2.close)
        mark(b, i + at.TWO_CROWS, above & fills, -1.0)
        engulfs = (x0.open > x1.open) & (x0.close < x1.close) & (x0.close > x2.close)
        mark(b, i + at.UPSIDE_GAP_TWO_CROWS, above & x1.small & engulfs, -1.0)


@compiled
def write_gaps(b: Array, end: int) -> None:
    """Two bodies with a gap between them, and a third; the sign is the gap's direction.

    Gap three methods: two of one colour, then one of the other that fills the gap; Tasuki: one that only enters it.
    Side by side: two whites alike beyond the gap.
    """
    for i in range(at.LAG, end):
        x2, x1, x0 = bar(b, i - 2), bar(b, i - 1), bar(b, i)
        gap_up, gap_down = x1.bottom > x2.top, x1.top < x2.bottom
        turns = x1.colour != x0.colour
        opens_in = (x0.open < x1.top) & (x0.open > x1.bottom)
        fills = opens_in & (x0.close < x2.top) & (x0.close > x2.bottom)
        goes_on = (x2.colour == x1.colour) & (gap_up if x2.white else gap_down)
        mark(b, i + at.GAP_THREE_METHODS, turns & fills & goes_on, x2.colour)
        up_in = x1.white & gap_up & (x0.close < x1.open) & (x0.close > x2.top)
        down_in = x1.black & gap_down & (x0.close > x1.open) & (x0.close < x2.bottom)
        is_like = abs(x1.body - x0.body) < x1.near
        mark(b, i + at.TASUKI_GAP, turns & opens_in & is_like & (up_in | down_in), x1.colour)
        both_up, both_down = gap_up & (x0.bottom > x2.top), gap_down & (x0.top < x2.bottom)
        same_size = (x0.body >= x1.body - x1.near) & (x0.body <= x1.body + x1.near)
        same_open = (x0.open >= x1.open - x1.equal) & (x0.open <= x1.open + x1.equal)
        side = 1.0 if both_up else -1.0
        is_pair = x1.white & x0.white & same_size & same_open & (both_up | both_down)
        mark(b, i + at.GAP_SIDE_BY_SIDE_WHITE, is_pair, side)


@compiled
def write_bottoms(b: Array, end: int) -> None:
    """Bottoms (1): three stars in the south and unique three river, where a fall runs dry; stick sandwich.

    Tristar: three dojis, the second beyond the others, above (-1) or below (1).
    """
    for i in range(at.LAG, end):
        x2, x1, x0 = bar(b, i - 2), bar(b, i - 1), bar(b, i)
        blacks = x2.black & x2.long & x1.black
        first = blacks & x0.black & (x2.lower > x2.body)
        second = (x1.body < x2.body) & (x1.open > x2.close) & (x1.open <= x2.high) & (x1.lower > x1.tiny)
        higher_low = (x1.low < x2.close) & (x1.low >= x2.low)
        third = x0.short & x0.shaven_top & x0.shaven_bottom & (x0.low > x1.low) & (x0.high < x1.high)
        mark(b, i + at.THREE_STARS_IN_SOUTH, first & second & higher_low & third, 1.0)
        new_low = blacks & (x1.close > x2.close) & (x1.open <= x2.open) & (x1.low < x2.low)
        mark(b, i + at.UNIQUE_THREE_RIVER, new_low & x0.short & x0.white & (x0.open > x1.low), 1.0)
        same_close = (x0.close <= x2.close + x2.equal) & (x0.close >= x2.close - x2.equal)
        is_filled = x2.black & x1.white & x0.black & (x1.low > x2.close)
        mark(b, i + at.STICK_SANDWICH, is_filled & same_close, 1.0)
        dojis = x2.doji & (x1.body <= x2.tiny) & (x0.body <= x2.tiny)  # TA-Lib measures all three by the first's mean
        tops = (x1.bottom > x2.top) & (x0.top < x1.top)
        bottoms = (x1.top < x2.bottom) & (x0.bottom > x1.bottom)
        side = -1.0 if tops else 1.0
        mark(b, i + at.TRISTAR, dojis & (tops | bottoms), side)
