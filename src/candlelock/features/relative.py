"""Group `relative`: the symbol's own reading of an indicator, the mean of the others', and the difference.

Returns count in units of each symbol's own volatility, so that a calm symbol and a wild one can be compared.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from candlelock.features.momentum import cutler_strength
from candlelock.features.operators import (
    cross_mean,
    log,
    others_mean,
    path_zscore,
    position_in_range,
    window_mean,
    window_std,
    zscore,
)
from candlelock.features.volume import signed_volume

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

SPANS = (1, 2, 3, 6, 12, 24, 48)
PATHS = (12, 24, 48, 96, 192, 672)
USUAL = 96  # bars that say what is usual for a symbol
USUAL_VOLUME = 288


def declare_relative(bars: Bars) -> dict[str, Node]:
    """Scaled returns, oscillators, volume and its side against the others; the path of the excess return."""
    features: dict[str, Node] = {}
    for name, own in _readings(bars).items():
        others = others_mean(own)
        features[f"others_{name}"] = others
        features[f"excess_{name}"] = own - others
    move = bars.log_return()
    excess = move - cross_mean(move)
    return features | {f"excess_path_zscore_{k}": path_zscore(excess, k) for k in PATHS}


def _readings(bars: Bars) -> dict[str, Node]:
    move, log_close = bars.log_return(), log(bars.close)
    volatility = window_std(move, USUAL)
    readings = {f"scaled_return_{k}": bars.log_return(k) / (math.sqrt(k) * volatility) for k in SPANS}
    readings |= {f"price_zscore_{k}": zscore(log_close, k) for k in (6, 24, 96)}
    readings |= {f"range_position_{k}": position_in_range(bars.close, bars.high, bars.low, k) for k in (48, 192)}
    usual = window_mean(bars.volume, USUAL_VOLUME)
    readings |= {f"volume_level_{k}": log(window_mean(bars.volume, k) / usual) for k in (1, 6, 24)}
    readings |= {f"signed_volume_{k}": signed_volume(bars, k) for k in (3, 12, 48)}
    return readings | {
        "close_position_1": (bars.close - bars.low) / (bars.high - bars.low),
        "cutler_rsi_14": cutler_strength(move, 14),
    }
