"""Group `volume`: how unusual the traded amount is, and which way it leaned.

Levels that only add up (on-balance volume, accumulation/distribution, price-volume trend) mean nothing without a fixed
origin; they appear as their change over a window, per volume traded in it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from candlelock.features.operators import (
    absolute,
    change,
    decayed_sum,
    difference,
    ema,
    is_above,
    lag,
    log,
    part_of,
    same_time_mean,
    sign,
    where_known,
    window_correlation,
    window_mean,
    window_rank,
    window_std,
    window_sum,
    zscore,
)

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

PROFILE_DAYS = 7


def signed_volume(bars: Bars, window: int) -> Node:
    """Volume of rising bars less that of falling ones, per volume traded over the window; -1 to 1."""
    move = bars.log_return()
    return window_sum(sign(move) * bars.volume, window) / window_sum(where_known(bars.volume, move), window)


def declare_volume(bars: Bars) -> dict[str, Node]:
    """Volume against its own past, against the time of day, against the price, and by the side that it took."""
    volume, move = bars.volume, bars.log_return()
    features = {f"volume_zscore_{k}": zscore(volume, k) for k in (6, 24, 96)}
    traded = where_known(volume, move)
    features |= {f"signed_volume_{k}": signed_volume(bars, k) for k in (12, 24, 48, 96)}
    features |= {f"price_volume_trend_{k}": window_sum(move * volume, k) / window_sum(traded, k) for k in (12, 48)}
    typical = bars.typical_price()
    for k in (12, 48, 96):
        vwap = window_sum(typical * volume, k) / window_sum(volume, k)
        features[f"vwap_distance_{k}"] = bars.close / vwap - 1.0
        features[f"scaled_vwap_distance_{k}"] = log(bars.close / vwap) / (math.sqrt(k) * window_std(move, 96))
    usual = same_time_mean(volume, PROFILE_DAYS, bars.day_bars)
    return (
        features
        | _flows(bars)
        | {
            "volume_change_1": log(volume / lag(volume, 1)),
            "volume_ratio_20": volume / window_mean(volume, 20),
            "volume_ratio_6_96": window_mean(volume, 6) / window_mean(volume, 96),
            "volume_rank_48": window_rank(volume, 48),
            "volume_time_ratio_7d": log(volume / usual),
            "volume_return_correlation_48": window_correlation(volume, move, 48),
            "volume_size_correlation_48": window_correlation(volume, absolute(move), 48),
            "volume_price_correlation_24": window_correlation(volume, bars.close, 24),
        }
    )


def _flows(bars: Bars) -> dict[str, Node]:
    volume, typical = bars.volume, bars.typical_price()
    place = part_of((bars.close - bars.low) - (bars.high - bars.close), bars.high - bars.low)
    # a bar without a range has no side: it adds nothing to the flow, but its volume counts
    flow = place * volume
    raw = typical * volume
    step = difference(typical, lag(typical, 1))
    up, down = window_sum(raw * is_above(step, 0.0), 14), window_sum(raw * is_above(-step, 0.0), 14)
    q_3, q_10 = 1 - 2 / 4, 1 - 2 / 11
    oscillator = q_10 * decayed_sum(flow, 10) - q_3 * decayed_sum(flow, 3)
    force = change(bars.close, 1) * volume
    return {
        "chaikin_money_flow_20": window_sum(flow, 20) / window_sum(volume, 20),
        "chaikin_oscillator_3_10": oscillator / window_mean(volume, 10),
        "money_flow_index_14": 100.0 * up / (up + down),
        "force_index_13": ema(force, 13) / (ema(volume, 13) * bars.close),
    }
