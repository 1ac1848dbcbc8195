"""Group `trend`: where the price stands in its longer ranges and against its average."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.windows import position_in_range, rolling_mean

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def build_trend(market: Market) -> dict[str, Array]:
    """Position between the lowest low and the highest high, and the distance from a long simple average."""
    features = {
        f"range_position_{k}": position_in_range(market.close, market.high, market.low, k) for k in (48, 192, 672)
    }
    features["sma_distance_200"] = market.close / rolling_mean(market.close, 200) - 1
    return features
