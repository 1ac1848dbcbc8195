"""Group `venues`: a symbol against the same base currency elsewhere, such as a perpetual beside its spot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.operators import change, log, venues_mean, zscore

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node


def declare_venues(bars: Bars) -> dict[str, Node]:
    """The gap between own price and the other venues' mean, how unusual it is, and how it moved."""
    gap = log(bars.close) - venues_mean(log(bars.close))
    return {
        "venue_gap": gap,
        "venue_gap_zscore_96": zscore(gap, 96),
        "venue_gap_change_1": change(gap, 1),
        "venue_gap_change_6": change(gap, 6),
    }
