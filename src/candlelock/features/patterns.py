"""Group `patterns`: the 61 candlestick patterns of TA-Lib; 1 bullish, -1 bearish, 0 none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.expression import Node
from candlelock.features.kernels.patterns import PATTERN_NAMES

if TYPE_CHECKING:
    from candlelock.features.bars import Bars


def declare_patterns(bars: Bars) -> dict[str, Node]:
    """Every pattern, from one pass over the bars."""
    inputs = (bars.open, bars.high, bars.low, bars.close)
    return {f"pattern_{name}": Node("patterns", inputs, output=i) for i, name in enumerate(PATTERN_NAMES)}
