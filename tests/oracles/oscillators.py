"""Group `oscillators` as the textbook has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.oracles.momentum import relative_strength
from tests.oracles.textbook import (
    bars_since_highest,
    ema,
    highest,
    lag,
    lowest,
    mean,
    ratio,
    share_of,
    total,
    true_range,
)

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def expected_oscillators(market: Market) -> dict[str, Array]:
    opened, high, low, close = market.open, market.high, market.low, market.close
    strength = relative_strength(close, 14)
    top, bottom = highest(strength, 14), lowest(strength, 14)
    stands = (highest(close, 14) == lowest(close, 14)) | (top - bottom <= 1e-12 * top)
    stochastic = 100 * ratio(strength - bottom, np.where(stands, 0.0, top - bottom))
    triple = ema(ema(ema(close, 15), 15), 15)
    up = 100 * (14 - bars_since_highest(high, 15)) / 14
    down = 100 * (14 - bars_since_highest(-low, 15)) / 14
    pressure = close - np.minimum(low, lag(close, 1))
    parts = {k: ratio(total(pressure, k), total(true_range(market), k)) for k in (7, 14, 28)}
    middle = (high + low) / 2
    return {
        "stochastic_rsi_14": stochastic,
        "stochastic_rsi_d_14_3": mean(stochastic, 3),
        "ultimate_oscillator_7_14_28": 100 * (4 * parts[7] + 2 * parts[14] + parts[28]) / 7,
        "trix_15": 100 * (triple - lag(triple, 1)) / lag(triple, 1),
        "aroon_up_14": up,
        "aroon_down_14": down,
        "aroon_oscillator_14": up - down,
        "balance_of_power_14": mean(share_of(close - opened, high - low), 14),
        "awesome_oscillator_5_34": (mean(middle, 5) - mean(middle, 34)) / close,
        "detrended_price_20": (lag(close, 20 // 2 + 1) - mean(close, 20)) / close,
    }
