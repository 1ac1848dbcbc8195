"""Group `microstructure` as the papers have it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tests.oracles import operators
from tests.oracles.textbook import co_moments, lag, log_return, mean, ratio, slope, typical_price, zscore

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def expected_microstructure(market: Market) -> dict[str, Array]:
    move, value = log_return(market.close), market.close * market.volume
    illiquid = ratio(np.abs(move), value)
    covariance, _, _ = co_moments(move, lag(move, 1), 48)
    typical = typical_price(market)
    profiles = [operators.profile(*rows, 48, 12) for rows in zip(typical, market.volume, strict=True)]
    return {
        "kyle_lambda_48": slope(move, np.sign(move) * value, 48) * mean(value, 48),
        "amihud_ratio_12_96": ratio(mean(illiquid, 12), mean(illiquid, 96)),
        "amihud_zscore_96": zscore(illiquid, 96),
        "roll_spread_48": 2 * np.sqrt(np.maximum(-covariance, 0)),
        "corwin_schultz_24": mean(_corwin_schultz(market), 24),
        "volume_above_48": np.array([above for above, _ in profiles]),
        "control_distance_48": np.array([distance for _, distance in profiles]),
    }


def _corwin_schultz(market: Market) -> Array:
    """Equations 14 and 18 of Corwin and Schultz (2012): the spread of bars t - 1 and t; a negative one counts as 0."""
    high, low = market.high, market.low
    beta = np.log(high / low) ** 2 + np.log(lag(high, 1) / lag(low, 1)) ** 2
    gamma = np.log(np.maximum(high, lag(high, 1)) / np.minimum(low, lag(low, 1))) ** 2
    divisor = 3 - 2 * math.sqrt(2)
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / divisor - np.sqrt(gamma / divisor)
    return np.maximum(alpha, 0)
