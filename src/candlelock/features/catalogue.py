"""Every built-in feature: the groups, and the expressions they declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.bars import bars_of
from candlelock.features.calendar import declare_time
from candlelock.features.cross_asset import declare_cross_asset
from candlelock.features.microstructure import declare_microstructure
from candlelock.features.momentum import declare_momentum
from candlelock.features.order_book import declare_order_book
from candlelock.features.oscillators import declare_oscillators
from candlelock.features.patterns import declare_patterns
from candlelock.features.relative import declare_relative
from candlelock.features.returns import declare_returns
from candlelock.features.statistical import declare_statistical
from candlelock.features.taker import declare_taker
from candlelock.features.timeframes import declare_timeframes
from candlelock.features.trend import declare_trend
from candlelock.features.venues import declare_venues
from candlelock.features.volatility import declare_volatility
from candlelock.features.volume import declare_volume

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

GROUPS: dict[str, Callable[[Bars], dict[str, Node]]] = {
    "returns": declare_returns,
    "volume": declare_volume,
    "momentum": declare_momentum,
    "oscillators": declare_oscillators,
    "trend": declare_trend,
    "volatility": declare_volatility,
    "patterns": declare_patterns,
    "time": declare_time,
    "cross_asset": declare_cross_asset,
    "relative": declare_relative,
    "statistical": declare_statistical,
    "microstructure": declare_microstructure,
    "taker": declare_taker,
    "order_book": declare_order_book,
    "timeframes": declare_timeframes,
    "venues": declare_venues,
}


def declare(group: str, bar_ms: int) -> dict[str, Node]:
    """The expressions of a group over bars of `bar_ms` milliseconds, by feature name."""
    return GROUPS[group](bars_of(bar_ms))
