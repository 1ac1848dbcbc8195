"""Group `returns`: how far the price moved, and where the bar closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.features.windows import lag, ratio

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

WINDOWS = (1, 2, 3, 6, 12, 24, 48, 96)


def log_return(close: Array, n_bars: int) -> Array:
    """log(close / close `n_bars` earlier); NaN where either bar is missing. Shape (n_symbols, n_bars)."""
    log_close = np.log(close)
    return log_close - lag(log_close, n_bars)


def build_returns(market: Market) -> dict[str, Array]:
    """Log returns over several spans, the bar's body and the place of its close between low and high."""
    features = {f"return_{k}": log_return(market.close, k) for k in WINDOWS}
    features["body_1"] = market.close / market.open - 1
    features["close_position_1"] = ratio(market.close - market.low, market.high - market.low)
    return features
