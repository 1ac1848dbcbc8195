"""Group `microstructure`: price impact, implied spreads and the volume profile, estimated from bars."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from candlelock.features.operators import (
    absolute,
    control_distance,
    lag,
    larger,
    log,
    sign,
    smaller,
    sqrt,
    volume_above,
    window_covariance,
    window_mean,
    window_slope,
    zscore,
)

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

PROFILE_BINS = 12


def declare_microstructure(bars: Bars) -> dict[str, Node]:
    """Kyle's lambda, Amihud's illiquidity, the spreads of Roll and of Corwin and Schultz, and the volume profile."""
    move, value = bars.log_return(), bars.close * bars.volume
    signed = sign(move) * value
    impact = window_slope(move, signed, 48)
    illiquid = absolute(move) / value
    roll = 2.0 * sqrt(larger(-window_covariance(move, lag(move, 1), 48), 0.0))
    typical = bars.typical_price()
    return {
        "kyle_lambda_48": impact * window_mean(value, 48),
        "amihud_ratio_12_96": window_mean(illiquid, 12) / window_mean(illiquid, 96),
        "amihud_zscore_96": zscore(illiquid, 96),
        "roll_spread_48": roll,
        "corwin_schultz_24": window_mean(_corwin_schultz(bars), 24),
        "volume_above_48": volume_above(typical, bars.volume, 48, PROFILE_BINS),
        "control_distance_48": control_distance(typical, bars.volume, 48, PROFILE_BINS),
    }


def _corwin_schultz(bars: Bars) -> Node:
    """log(ask / bid) from the ranges of two bars apart and together; below 0 counts as 0."""
    span = log(bars.high / bars.low)
    both = log(larger(bars.high, lag(bars.high, 1)) / smaller(bars.low, lag(bars.low, 1)))
    beta, gamma = span * span + lag(span * span, 1), both * both
    k = 3 - 2 * math.sqrt(2)
    alpha = (math.sqrt(2) - 1) / k * sqrt(beta) - sqrt(gamma / k)
    return larger(alpha, 0.0)
