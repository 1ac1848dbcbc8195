"""Group `volatility` as the textbook and the papers have it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tests.oracles import operators
from tests.oracles.textbook import (
    ema,
    highest,
    lag,
    log_return,
    lowest,
    mean,
    place,
    ratio,
    std,
    total,
    true_range,
    wilder,
    zscore,
)

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

DAY_MS = 86_400_000


def expected_volatility(market: Market) -> dict[str, Array]:
    move, day = log_return(market.close), DAY_MS // market.bar_ms
    spread = {k: std(move, k) for k in (6, 24, 96)}
    usual = np.array([operators.same_time_mean(row, 7, day) for row in np.abs(move)])
    span = (market.high - market.low) / market.close
    features = {f"volatility_{k}": spread[k] for k in spread}
    features |= {f"volatility_{n}d": std(move, n * day) for n in (7, 14, 30)}
    features |= {
        f"volatility_ratio_{short}_{long}": ratio(std(move, short), std(move, long))
        for short, long in ((3, 24), (6, 96), (24, 96), (24, 288), (24, 672), (96, 672))
    }
    for k in (6, 24, 96):
        closes = mean(move**2, k)
        features[f"parkinson_ratio_{k}"] = ratio(mean(_parkinson(market), k), closes)
        features[f"garman_klass_ratio_{k}"] = ratio(mean(_garman_klass(market), k), closes)
    return (
        features
        | _range_estimators(market)
        | _bands(market)
        | _asymmetry(move)
        | {
            "volatility_ratio_6_96": ratio(spread[6], spread[96]),
            "volatility_ratio_24_96": ratio(spread[24], spread[96]),
            "volatility_of_volatility_24_96": ratio(std(spread[24], 96), spread[96]),
            "range_1": span,
            "range_zscore_24": zscore(span, 24),
            "volatility_time_ratio_7d": ratio(np.abs(move), usual),
        }
    )


def _parkinson(market: Market) -> Array:
    return np.log(market.high / market.low) ** 2 / (4 * math.log(2))


def _garman_klass(market: Market) -> Array:
    return np.log(market.high / market.low) ** 2 / 2 - (2 * math.log(2) - 1) * np.log(market.close / market.open) ** 2


def _range_estimators(market: Market) -> dict[str, Array]:
    opened, high, low, close = (np.log(x) for x in (market.open, market.high, market.low, market.close))
    u, d, c = high - opened, low - opened, close - opened
    rogers = mean(u * (u - c) + d * (d - c), 24)
    span, atr = true_range(market), wilder(true_range(market), 14)
    reach = highest(market.high, 14) - lowest(market.low, 14)
    return {
        "parkinson_24": np.sqrt(mean(_parkinson(market), 24)),
        "garman_klass_24": np.sqrt(np.maximum(mean(_garman_klass(market), 24), 0)),
        "rogers_satchell_24": np.sqrt(np.maximum(rogers, 0)),
        "atr_percent_14": 100 * atr / market.close,
        "true_range_ratio_14": ratio(span, atr),
        "choppiness_14": 100 * np.log10(ratio(total(span, 14), reach)) / math.log10(14),
    }


def _bands(market: Market) -> dict[str, Array]:
    close = market.close
    middle, spread = mean(close, 20), std(close, 20)
    upper, lower = middle + 2 * spread, middle - 2 * spread
    centre, reach = ema(close, 20), wilder(true_range(market), 10)
    return {
        "bollinger_upper_distance_20": close / upper - 1,
        "bollinger_lower_distance_20": ratio(close, lower) - 1,
        "bollinger_width_20": np.where(spread == 0, 0.0, (upper - lower) / middle),
        "bollinger_position_20": np.where(spread == 0, np.nan, place(close, lower, upper)),
        "keltner_width_20": 4 * reach / centre,
        "keltner_position_20": place(close, centre - 2 * reach, centre + 2 * reach),
        "squeeze_20": ratio(spread, reach),
    }


def _asymmetry(move: Array) -> dict[str, Array]:
    realised = total(move**2, 48)
    up, down = (total(np.where(side, move**2, 0 * move), 48) for side in (move > 0, move < 0))
    bipower = total(np.abs(move) * np.abs(lag(move, 1)), 48) / (2 / math.pi)
    return {
        "semivariance_balance_48": ratio(up - down, realised),
        "jump_share_48": np.maximum(1 - ratio(bipower, realised), 0),
    }
