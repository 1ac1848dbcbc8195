"""Group `momentum`: how stretched the price is against its recent past."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.features.returns import log_return
from candlelock.features.windows import position_in_range, ratio, rolling_sum, zscore

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def build_momentum(market: Market) -> dict[str, Array]:
    """Z-scores of the close, Cutler's RSI (plain sums, so that its memory is exactly its window) and stochastic %K."""
    features = {f"price_zscore_{k}": zscore(market.close, k) for k in (6, 24, 96)}
    move = log_return(market.close, 1)
    rise = np.maximum(move, 0.0)
    features["rsi_14"] = 100 * ratio(rolling_sum(rise, 14), rolling_sum(np.abs(move), 14))
    features["stochastic_k_14"] = 100 * position_in_range(market.close, market.high, market.low, 14)
    return features
