"""Group `cross_asset` as the textbook has it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tests.oracles.textbook import correlation, lag, log_return, ratio, slope, std, total, zscore

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

DAY_MS = 86_400_000


def others_of(x: Array, row: int) -> tuple[Array, Array]:
    """The other symbols' values, and how many are present at each bar where this one is."""
    others = np.delete(x, row, axis=0)
    return others, np.where(np.isnan(x[row]), 0, (~np.isnan(others)).sum(axis=0)).astype(float)


def others_mean(x: Array) -> Array:
    parts = [others_of(x, row) for row in range(len(x))]
    return np.array([ratio(np.nansum(others, axis=0), n) for others, n in parts])


def rank_among(x: Array) -> Array:
    """Share of the others below, equal ones half."""
    parts = [(x[row], *others_of(x, row)) for row in range(len(x))]
    below = [((others < own).sum(axis=0) + 0.5 * (others == own).sum(axis=0), n) for own, others, n in parts]
    return np.array([ratio(share, n) for share, n in below])


def expected_cross_asset(market: Market) -> dict[str, Array]:
    close, features = market.close, {}
    for k in (1, 2, 3, 6, 12, 24, 48):
        move = log_return(close, k)
        features[f"market_return_{k}"] = _where_candle(mean_of_all(move), close)
        features[f"excess_return_{k}"] = move - mean_of_all(move)
    for k in (1, 12, 48):
        features[f"dispersion_{k}"] = _deviation(log_return(close, k))
    for k in (1, 6, 12, 48):
        features[f"return_rank_{k}"] = rank_among(log_return(close, k))
    return features | _co_movement(market) | _relative(market)


def mean_of_all(x: Array) -> Array:
    """Also for a symbol that has no value itself, when two others have."""
    n = (~np.isnan(x)).sum(axis=0)
    return np.tile(np.where(n >= 2, np.nansum(x, axis=0) / np.maximum(n, 1), np.nan), (len(x), 1))


def _deviation(x: Array) -> Array:
    n = (~np.isnan(x)).sum(axis=0)
    squares = np.nansum((x - mean_of_all(x)) ** 2, axis=0) / np.maximum(n, 1)
    return np.where(np.isnan(x), np.nan, np.where(n >= 2, np.sqrt(squares), np.nan))


def _where_candle(x: Array, close: Array) -> Array:
    return np.where(np.isnan(close), np.nan, x)


def _co_movement(market: Market) -> dict[str, Array]:
    move, day = log_return(market.close), DAY_MS // market.bar_ms
    others, spread = others_mean(move), std(move, 24)
    beta = slope(move, others, 96)
    rest = move - beta * others
    features = {}
    for window in (96, 288):
        own_beta = slope(move, others, window)
        usual = std(move - own_beta * others, window)
        features |= {f"beta_{window}": own_beta, f"correlation_{window}": correlation(move, others, window)}
        for k in (1, 3, 12, 48):
            left = log_return(market.close, k) - own_beta * others_mean(log_return(market.close, k))
            features[f"residual_zscore_{k}_{window}"] = ratio(left, math.sqrt(k) * usual)
    return features | {
        "correlation_7d": correlation(move, others, 7 * day),
        "correlation_14d": correlation(move, others, 14 * day),
        "residual_return_1": rest,
        "residual_return_12": total(rest, 12),
        "residual_return_48": total(rest, 48),
        "lead_correlation_96": correlation(move, lag(others, 1), 96),
        "others_return_1_lag_1": ratio(lag(others, 1), spread),
        "others_return_1_lag_2": ratio(lag(others, 2), spread),
    }


def _relative(market: Market) -> dict[str, Array]:
    close, move = market.close, log_return(market.close)
    spread, excess, unusual = std(move, 24), move - mean_of_all(move), zscore(market.volume, 24)
    usual = mean_of_all(spread)
    features = {f"excess_zscore_{k}": ratio(total(excess, k), math.sqrt(k) * std(excess, 96)) for k in (1, 12, 48)}
    return features | {
        "market_volatility_24": _where_candle(usual, close),
        "relative_volatility_24": ratio(spread, usual) - 1,
        "excess_volume_24": unusual - mean_of_all(unusual),
        "market_volume_24": _where_candle(mean_of_all(unusual), close),
        "scaled_market_return_1": ratio(mean_of_all(move), usual),
        "scaled_market_return_12": ratio(mean_of_all(log_return(close, 12)), usual),
    }
