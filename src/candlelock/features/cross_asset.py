"""Group `cross_asset`: the symbol against the others, from bars that closed at the same time.

A bar of another symbol that has the same open time closes at the same time, so nothing here is later than the close.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from candlelock.features.operators import (
    cross_deviation,
    cross_mean,
    cross_rank,
    lag,
    others_mean,
    where_known,
    window_correlation,
    window_slope,
    window_std,
    window_sum,
    zscore,
)

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

WINDOWS = (1, 2, 3, 6, 12, 24, 48)


def declare_cross_asset(bars: Bars) -> dict[str, Node]:
    """Returns of all symbols together, own in excess of them, ranks, dispersion, beta, correlation and lead."""
    features: dict[str, Node] = {}
    for k in WINDOWS:
        move = bars.log_return(k)
        mean = cross_mean(move)
        features[f"market_return_{k}"] = where_known(mean, bars.close)
        features[f"excess_return_{k}"] = move - mean
    for k in (1, 12, 48):
        features[f"dispersion_{k}"] = cross_deviation(bars.log_return(k))
    for k in (1, 6, 12, 48):
        features[f"return_rank_{k}"] = cross_rank(bars.log_return(k))
    return features | _co_movement(bars) | _residuals(bars) | _relative(bars)


def _co_movement(bars: Bars) -> dict[str, Node]:
    move = bars.log_return()
    others = others_mean(move)
    beta = window_slope(move, others, 96)
    residual = move - beta * others
    earlier = lag(others, 1)
    return {
        "beta_96": beta,
        "correlation_96": window_correlation(move, others, 96),
        "correlation_7d": window_correlation(move, others, bars.days(7)),
        "correlation_14d": window_correlation(move, others, bars.days(14)),
        "residual_return_1": residual,
        "residual_return_12": window_sum(residual, 12),
        "residual_return_48": window_sum(residual, 48),
        "lead_correlation_96": window_correlation(move, earlier, 96),
        "others_return_1_lag_1": earlier / window_std(move, 24),
        "others_return_1_lag_2": lag(others, 2) / window_std(move, 24),
    }


def _residuals(bars: Bars) -> dict[str, Node]:
    """A return less beta times the others' return, in units of what is usually left of one bar's."""
    features: dict[str, Node] = {}
    move = bars.log_return()
    others = others_mean(move)
    for window in (96, 288):
        beta = window_slope(move, others, window)
        usual = window_std(move - beta * others, window)
        for k in (1, 3, 12, 48):
            left = bars.log_return(k) - beta * others_mean(bars.log_return(k))
            features[f"residual_zscore_{k}_{window}"] = left / (math.sqrt(k) * usual)
    return features | {
        "beta_288": window_slope(move, others, 288),
        "correlation_288": window_correlation(move, others, 288),
    }


def _relative(bars: Bars) -> dict[str, Node]:
    move, volatility = bars.log_return(), window_std(bars.log_return(), 24)
    excess = move - cross_mean(move)
    unusual = zscore(bars.volume, 24)
    market = cross_mean(volatility)
    features = {
        f"excess_zscore_{k}": window_sum(excess, k) / (math.sqrt(k) * window_std(excess, 96)) for k in (1, 12, 48)
    }
    return features | {
        "market_volatility_24": where_known(market, bars.close),
        "relative_volatility_24": volatility / market - 1.0,
        "excess_volume_24": unusual - cross_mean(unusual),
        "market_volume_24": where_known(cross_mean(unusual), bars.close),
        "scaled_market_return_1": where_known(cross_mean(move) / market, bars.close),
        "scaled_market_return_12": where_known(cross_mean(bars.log_return(12)) / market, bars.close),
    }
