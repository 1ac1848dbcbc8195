"""Candlestick patterns of one candle, with TA-Lib's conditions (Nison, Japanese Candlestick Charting Techniques)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts.compiled import compiled
from candlelock.features.kernels import patterns_layout as at
from candlelock.features.kernels.patterns_bars import bar, mark

if TYPE_CHECKING:
    from candlelock.features.market import Array


@compiled
def write_dojis(b: Array, end: int) -> None:
    """Doji: next to no body. Dragonfly and gravestone: at the top, at the bottom of its candle.

    Takuri: at the top, with a lower shadow twice the body; long-legged: a shadow longer than the body; rickshaw man:
    both are, and the body is near the middle of the candle. All 1.
    """
    for i in range(at.LAG, end):
        x = bar(b, i)
        middle = x.low + (x.high - x.low) / 2.0
        is_central = (x.bottom <= middle + x.near) & (x.top >= middle - x.near)
        hangs, has_legs = x.doji & x.shaven_top, (x.lower > x.body) & (x.upper > x.body)
        mark(b, i + at.DOJI, x.doji, 1.0)
        mark(b, i + at.DRAGONFLY_DOJI, hangs & (x.lower > x.tiny), 1.0)
        mark(b, i + at.TAKURI, hangs & (x.lower > 2.0 * x.body), 1.0)
        mark(b, i + at.GRAVESTONE_DOJI, x.doji & x.shaven_bottom & (x.upper > x.tiny), 1.0)
        mark(b, i + at.LONG_LEGGED_DOJI, x.doji & ((x.lower > x.body) | (x.upper > x.body)), 1.0)
        mark(b, i + at.RICKSHAW_MAN, x.doji & has_legs & is_central, 1.0)


@compiled
def write_lines(b: Array, end: int) -> None:
    """Candles named by body and shadows; the sign is the colour.

    Long body: marubozu (no shadows), closing marubozu (closes at its end), belt-hold (opens at its end), long line.
    Short body: short line, spinning top (both shadows longer than the body), high-wave (twice as long).
    """
    for i in range(at.LAG, end):
        x = bar(b, i)
        shaven_end = x.shaven_top if x.white else x.shaven_bottom
        shaven_start = x.shaven_bottom if x.white else x.shaven_top
        is_calm = (x.upper < x.shade) & (x.lower < x.shade)
        mark(b, i + at.MARUBOZU, x.long & x.shaven_top & x.shaven_bottom, x.colour)
        mark(b, i + at.CLOSING_MARUBOZU, x.long & shaven_end, x.colour)
        mark(b, i + at.BELT_HOLD, x.long & shaven_start, x.colour)
        mark(b, i + at.LONG_LINE, x.long & is_calm, x.colour)
        mark(b, i + at.SHORT_LINE, x.short & is_calm, x.colour)
        mark(b, i + at.SPINNING_TOP, x.short & (x.upper > x.body) & (x.lower > x.body), x.colour)
        wide = (x.upper > 2.0 * x.body) & (x.lower > 2.0 * x.body)
        mark(b, i + at.HIGH_WAVE, x.short & wide, x.colour)
