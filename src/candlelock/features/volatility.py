"""Group `volatility`: how much the price moves, whichever way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from candlelock.features.operators import (
    absolute,
    ema,
    lag,
    larger,
    log,
    same_time_mean,
    smaller,
    sqrt,
    wilder,
    window_max,
    window_mean,
    window_min,
    window_std,
    window_sum,
    zscore,
)

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

PROFILE_DAYS = 7


def true_range(bars: Bars) -> Node:
    """Wilder's true range: the bar's range, widened to the close before it."""
    before = lag(bars.close, 1)
    return larger(bars.high, before) - smaller(bars.low, before)


def parkinson_variance(bars: Bars, window: int) -> Node:
    """Parkinson's (1980) estimate of one bar's variance from high and low."""
    span = log(bars.high / bars.low)
    return window_mean(span * span, window) * (1 / (4 * math.log(2)))


def garman_klass_variance(bars: Bars, window: int) -> Node:
    """Garman and Klass's (1980) estimate of one bar's variance from range and body."""
    span, body = log(bars.high / bars.low), log(bars.close / bars.open)
    return window_mean(0.5 * (span * span) - (2 * math.log(2) - 1) * (body * body), window)


def declare_volatility(bars: Bars) -> dict[str, Node]:
    """Standard deviations of returns, short against long and over days; range estimators; bands; time of day."""
    close, move = bars.close, bars.log_return()
    volatility = {k: window_std(move, k) for k in (6, 24, 96)}
    features = {f"volatility_{k}": volatility[k] for k in volatility}
    features |= {f"volatility_{n}d": window_std(move, bars.days(n)) for n in (7, 14, 30)}
    usual = same_time_mean(absolute(move), PROFILE_DAYS, bars.day_bars)
    return (
        features
        | _range_estimators(bars)
        | _bands(bars)
        | _asymmetry(bars)
        | _ratios(bars)
        | {
            "volatility_ratio_6_96": volatility[6] / volatility[96],
            "volatility_ratio_24_96": volatility[24] / volatility[96],
            "volatility_of_volatility_24_96": window_std(volatility[24], 96) / volatility[96],
            "range_1": (bars.high - bars.low) / close,
            "range_zscore_24": zscore((bars.high - bars.low) / close, 24),
            "volatility_time_ratio_7d": absolute(move) / usual,
        }
    )


def _range_estimators(bars: Bars) -> dict[str, Node]:
    """Estimates of the standard deviation of one bar's return from its range, over 24 bars."""
    body, up, down = (log(price / bars.open) for price in (bars.close, bars.high, bars.low))
    rogers = window_mean(up * (up - body) + down * (down - body), 24)
    span_14, atr = true_range(bars), wilder(true_range(bars), 14)
    reach = window_max(bars.high, 14) - window_min(bars.low, 14)
    return {
        "parkinson_24": sqrt(parkinson_variance(bars, 24)),
        "garman_klass_24": sqrt(larger(garman_klass_variance(bars, 24), 0.0)),
        "rogers_satchell_24": sqrt(larger(rogers, 0.0)),
        "atr_percent_14": 100.0 * atr / bars.close,
        "true_range_ratio_14": span_14 / atr,
        "choppiness_14": (100.0 / math.log(14)) * log(window_sum(span_14, 14) / reach),
    }


def _ratios(bars: Bars) -> dict[str, Node]:
    """Volatility over one span against another, and variance from ranges against that from closes."""
    move = bars.log_return()
    features = {
        f"volatility_ratio_{short}_{long}": window_std(move, short) / window_std(move, long)
        for short, long in ((3, 24), (24, 288), (24, 672), (96, 672))
    }
    for k in (6, 24, 96):
        closes = window_mean(move * move, k)
        features[f"parkinson_ratio_{k}"] = parkinson_variance(bars, k) / closes
        features[f"garman_klass_ratio_{k}"] = garman_klass_variance(bars, k) / closes
    return features


def _bands(bars: Bars) -> dict[str, Node]:
    middle, spread = window_mean(bars.close, 20), window_std(bars.close, 20)
    centre, reach = ema(bars.close, 20), wilder(true_range(bars), 10)
    return {
        "bollinger_upper_distance_20": bars.close / (middle + 2.0 * spread) - 1.0,
        "bollinger_lower_distance_20": bars.close / (middle - 2.0 * spread) - 1.0,
        "bollinger_width_20": 4.0 * spread / middle,
        "bollinger_position_20": (bars.close - middle) / (4.0 * spread) + 0.5,
        "keltner_width_20": 4.0 * reach / centre,
        "keltner_position_20": (bars.close - centre) / (4.0 * reach) + 0.5,
        "squeeze_20": spread / reach,
    }


def _asymmetry(bars: Bars) -> dict[str, Node]:
    move = bars.log_return()
    up, down = larger(move, 0.0), smaller(move, 0.0)
    ups, downs, squares = (window_sum(x * x, 48) for x in (up, down, move))
    size = absolute(move)
    bipower = (math.pi / 2) * window_sum(size * lag(size, 1), 48)
    return {
        "semivariance_balance_48": (ups - downs) / squares,
        "jump_share_48": larger((squares - bipower) / squares, 0.0),
    }
