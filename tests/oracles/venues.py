"""Group `venues` as the textbook has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.oracles.operators import across
from tests.oracles.textbook import lag, zscore

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def expected_venues(market: Market) -> dict[str, Array]:
    """The base currency is what stands before the slash."""
    bases = [symbol.split("/")[0] for symbol in market.symbols]
    elsewhere = across(np.log(market.close), lambda own, others: others.mean(), [bases.index(base) for base in bases])
    gap = np.log(market.close) - elsewhere
    return {
        "venue_gap": gap,
        "venue_gap_zscore_96": zscore(gap, 96),
        "venue_gap_change_1": gap - lag(gap, 1),
        "venue_gap_change_6": gap - lag(gap, 6),
    }
