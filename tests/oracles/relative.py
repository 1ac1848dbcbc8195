"""Group `relative` as its registry entries describe it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tests.oracles.cross_asset import mean_of_all, others_mean
from tests.oracles.textbook import highest, log_return, lowest, mean, path_zscore, place, ratio, std, total, zscore

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def expected_relative(market: Market) -> dict[str, Array]:
    features = {}
    for name, own in _readings(market).items():
        features[f"others_{name}"] = others_mean(own)
        features[f"excess_{name}"] = own - others_mean(own)
    excess = log_return(market.close) - mean_of_all(log_return(market.close))
    return features | {f"excess_path_zscore_{k}": path_zscore(excess, k) for k in (12, 24, 48, 96, 192, 672)}


def _readings(market: Market) -> dict[str, Array]:
    high, low, close, volume = market.high, market.low, market.close, market.volume
    move = log_return(close)
    rises, falls = (total(np.where(side, np.abs(move), 0 * move), 14) for side in (move > 0, move < 0))
    traded = np.where(np.isnan(move), np.nan, volume)
    readings = {
        f"scaled_return_{k}": ratio(log_return(close, k), math.sqrt(k) * std(move, 96))
        for k in (1, 2, 3, 6, 12, 24, 48)
    }
    readings |= {f"price_zscore_{k}": zscore(np.log(close), k) for k in (6, 24, 96)}
    readings |= {f"range_position_{k}": place(close, lowest(low, k), highest(high, k)) for k in (48, 192)}
    with np.errstate(divide="ignore"):
        levels = {k: np.log(ratio(mean(volume, k), mean(volume, 288))) for k in (1, 6, 24)}
    readings |= {f"volume_level_{k}": np.where(np.isinf(x), np.nan, x) for k, x in levels.items()}
    readings |= {f"signed_volume_{k}": ratio(total(np.sign(move) * volume, k), total(traded, k)) for k in (3, 12, 48)}
    return readings | {
        "close_position_1": place(close, low, high),
        "cutler_rsi_14": 100 * ratio(rises, rises + falls),
    }
