"""Candlestick patterns of two candles, `x1` and then `x0`, with TA-Lib's conditions.

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
def write_hammers(b: Array, end: int) -> None:
    """A short body with one long shadow, where it stands to the candle before.

    Hammer and inverted hammer at a low (1), hanging man and shooting star at a high (-1).
    """
    for i in range(at.LAG, end):
        x1, x0 = bar(b, i - 1), bar(b, i)
        hangs = x0.short & x0.shaven_top & (x0.lower > x0.body)
        stands = x0.short & x0.shaven_bottom & (x0.upper > x0.body)
        mark(b, i + at.HAMMER, hangs & (x0.bottom <= x1.low + x1.near), 1.0)
        mark(b, i + at.HANGING_MAN, hangs & (x0.bottom >= x1.high - x1.near), -1.0)
        mark(b, i + at.INVERTED_HAMMER, stands & (x0.top < x1.bottom), 1.0)
        mark(b, i + at.SHOOTING_STAR, stands & (x0.bottom > x1.top), -1.0)


@compiled
def write_harami(b: Array, end: int) -> None:
    """Harami: a long body, then a small one within it (0.8 for 1 where they share an end), against the first's colour.

    Harami cross: with a doji; homing pigeon: both black. Doji star: a doji away from a long body, in its direction.
    """
    for i in range(at.LAG, end):
        x1, x0 = bar(b, i - 1), bar(b, i)
        is_inside = (x0.top < x1.top) & (x0.bottom > x1.bottom)
        touches = (x0.top <= x1.top) & (x0.bottom >= x1.bottom)
        size = 1.0 if is_inside else 0.8
        mark(b, i + at.HARAMI, x1.long & x0.small & touches, -x1.colour * size)
        mark(b, i + at.HARAMI_CROSS, x1.long & x0.doji & touches, -x1.colour * size)
        is_within = (x0.open < x1.open) & (x0.close > x1.close)
        mark(b, i + at.HOMING_PIGEON, x1.black & x0.black & x1.long & x0.small & is_within, 1.0)
        is_away = (x1.white & (x0.bottom > x1.top)) | (x1.black & (x0.top < x1.bottom))
        mark(b, i + at.DOJI_STAR, x1.long & x0.doji & is_away, -x1.colour)


@compiled
def write_engulfing(b: Array, end: int) -> None:
    """Engulfing: a body around the one before, of the other colour; 0.8 for 1 where they share an end."""
    for i in range(at.LAG, end):
        x1, x0 = bar(b, i - 1), bar(b, i)
        engulfs = ((x0.top >= x1.top) & (x0.bottom < x1.bottom)) | ((x0.top > x1.top) & (x0.bottom <= x1.bottom))
        size = 1.0 if (x0.open != x1.close) & (x0.close != x1.open) else 0.8
        mark(b, i + at.ENGULFING, (x0.colour != x1.colour) & engulfs, x0.colour * size)


@compiled
def write_necks(b: Array, end: int) -> None:
    """A long black body, then a white one from below its low: how far up does it close?

    On-neck: at the low; in-neck: at the close; thrusting: up to the middle of the body (all -1); piercing: above it
    (1). Dark cloud cover: the mirror of piercing (-1).
    """
    for i in range(at.LAG, end):
        x1, x0 = bar(b, i - 1), bar(b, i)
        falls = x1.black & x1.long & x0.white & (x0.open < x1.low)
        middle = x1.close + x1.body * 0.5
        is_at_low = (x0.close <= x1.low + x1.equal) & (x0.close >= x1.low - x1.equal)
        mark(b, i + at.ON_NECK, falls & is_at_low, -1.0)
        mark(b, i + at.IN_NECK, falls & (x0.close <= x1.close + x1.equal) & (x0.close >= x1.close), -1.0)
        mark(b, i + at.THRUSTING, falls & (x0.close > x1.close + x1.equal) & (x0.close <= middle), -1.0)
        mark(b, i + at.PIERCING, falls & x0.long & (x0.close < x1.open) & (x0.close > middle), 1.0)
        rises = x1.white & x1.long & x0.black & (x0.open > x1.high)
        is_deep = (x0.close > x1.open) & (x0.close < x1.close - x1.body * 0.5)
        mark(b, i + at.DARK_CLOUD_COVER, rises & is_deep, -1.0)


@compiled
def write_meetings(b: Array, end: int) -> None:
    """Counterattack: long bodies of two colours, one close; separating lines: two colours, one open, a belt-hold.

    Matching low: two blacks, one close. Kicking: two marubozus of two colours with a gap between, signed by the second
    or, by length, by the longer.
    """
    for i in range(at.LAG, end):
        x1, x0 = bar(b, i - 1), bar(b, i)
        turns = x1.colour != x0.colour
        same_close = (x0.close <= x1.close + x1.equal) & (x0.close >= x1.close - x1.equal)
        same_open = (x0.open <= x1.open + x1.equal) & (x0.open >= x1.open - x1.equal)
        shaven_start = x0.shaven_bottom if x0.white else x0.shaven_top
        mark(b, i + at.COUNTERATTACK, turns & x1.long & x0.long & same_close, x0.colour)
        mark(b, i + at.SEPARATING_LINES, turns & x0.long & same_open & shaven_start, x0.colour)
        mark(b, i + at.MATCHING_LOW, x1.black & x0.black & same_close, 1.0)
        bald = x1.shaven_top & x1.shaven_bottom & x0.shaven_top & x0.shaven_bottom
        gaps = (x0.low > x1.high) if x1.black else (x0.high < x1.low)
        kicks = turns & x1.long & x0.long & bald & gaps
        longer = x0.colour if x0.body > x1.body else x1.colour
        mark(b, i + at.KICKING, kicks, x0.colour)
        mark(b, i + at.KICKING_BY_LENGTH, kicks, longer)
