"""Group `volatility`: how much the price moves, whichever way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.returns import log_return
from candlelock.features.windows import ratio, rolling_std

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def build_volatility(market: Market) -> dict[str, Array]:
    """Standard deviations of one-bar log returns, short against long, and the bar's own range."""
    move = log_return(market.close, 1)
    features = {f"volatility_{k}": rolling_std(move, k) for k in (6, 24, 96)}
    features["volatility_ratio_6_96"] = ratio(features["volatility_6"], features["volatility_96"])
    features["range_1"] = (market.high - market.low) / market.close
    return features
