"""Group `volume` as the textbook has it; on-balance volume and its like as the change of the running level."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tests.oracles import operators
from tests.oracles.textbook import (
    correlation,
    ema,
    known,
    lag,
    log_return,
    mean,
    rank,
    ratio,
    share_of,
    std,
    total,
    typical_price,
    zscore,
)

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

DAY_MS = 86_400_000


def expected_volume(market: Market) -> dict[str, Array]:
    close, volume, typical = market.close, market.volume, typical_price(market)
    move = log_return(close)
    traded = np.where(np.isnan(move), np.nan, volume)
    features = {f"volume_zscore_{k}": zscore(volume, k) for k in (6, 24, 96)}
    features |= {
        f"signed_volume_{k}": ratio(_change_of_level(np.sign(move) * volume, k), total(traded, k))
        for k in (12, 24, 48, 96)
    }
    features |= {
        f"price_volume_trend_{k}": ratio(_change_of_level(move * volume, k), total(traded, k)) for k in (12, 48)
    }
    for k in (12, 48, 96):
        vwap = ratio(total(typical * volume, k), total(volume, k))
        features[f"vwap_distance_{k}"] = close / vwap - 1
        features[f"scaled_vwap_distance_{k}"] = ratio(np.log(close / vwap), math.sqrt(k) * std(move, 96))
    usual = np.array([operators.same_time_mean(row, 7, DAY_MS // market.bar_ms) for row in volume])
    with np.errstate(divide="ignore"):
        changes = np.log(ratio(volume, lag(volume, 1))), np.log(ratio(volume, usual))
    return (
        features
        | _flows(market)
        | {
            "volume_change_1": np.where(np.isinf(changes[0]), np.nan, changes[0]),
            "volume_time_ratio_7d": np.where(np.isinf(changes[1]), np.nan, changes[1]),
            "volume_ratio_20": ratio(volume, mean(volume, 20)),
            "volume_ratio_6_96": ratio(mean(volume, 6), mean(volume, 96)),
            "volume_rank_48": rank(volume, 48),
            "volume_return_correlation_48": correlation(volume, move, 48),
            "volume_size_correlation_48": correlation(volume, np.abs(move), 48),
            "volume_price_correlation_24": correlation(volume, close, 24),
        }
    )


def _change_of_level(steps: Array, window: int) -> Array:
    """How far the running level of all steps moved over the window; unknown steps leave it where it is."""
    level = np.cumsum(np.nan_to_num(steps), axis=1)
    before = np.concatenate([np.zeros((len(steps), window)), level[:, :-window]], axis=1)
    return known(steps, window, level - before)


def _flows(market: Market) -> dict[str, Array]:
    high, low, close, volume = market.high, market.low, market.close, market.volume
    typical, span = typical_price(market), market.high - market.low
    flow = share_of(2 * close - high - low, span) * volume
    line = np.cumsum(np.nan_to_num(flow), axis=1)  # accumulation/distribution
    gap = _known_with(ema(line, 3) - ema(line, 10), ema(flow, 10), ema(flow, 3))
    step = np.full_like(typical, np.nan)  # in whole units, for equal typical prices differ by rounding
    step[:, 1:] = np.diff(np.rint(typical * 3e9), axis=1)
    rising, falling = (np.where(np.isnan(step), np.nan, typical * volume * side) for side in (step > 0, step < 0))
    force = (close - lag(close, 1)) * volume
    both = total(rising, 14) + total(falling, 14)
    return {
        "chaikin_money_flow_20": ratio(total(flow, 20), total(volume, 20)),
        "chaikin_oscillator_3_10": ratio(gap, mean(volume, 10)),
        "money_flow_index_14": 100 - 100 * ratio(total(falling, 14), both),
        "force_index_13": ratio(ema(force, 13), ema(volume, 13) * close),
    }


def _known_with(x: Array, *others: Array) -> Array:
    return np.where(np.any(np.isnan(others), axis=0), np.nan, x)
