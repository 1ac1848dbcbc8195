"""Group `trend`: where the price stands in its longer ranges, against its averages, and how straight it got there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.operators import (
    absolute,
    bars_since_max,
    bars_since_min,
    change,
    difference,
    ema,
    is_above,
    lag,
    larger,
    log,
    parabolic_sar,
    position_in_range,
    run_length,
    wilder,
    window_correlation,
    window_max,
    window_mean,
    window_min,
    window_slope,
    window_sum,
)
from candlelock.features.volatility import true_range

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

SAR_WINDOW = 128  # after so many bars all but one value in a few thousand are those of a recursion without an end


def declare_trend(bars: Bars) -> dict[str, Node]:
    """Averages and crossovers, directional movement, parabolic stop, Ichimoku, ranges, regression, efficiency."""
    close, high, low = bars.close, bars.high, bars.low
    sma = {k: window_mean(close, k) for k in (14, 50, 200)}
    average = {k: ema(close, k) for k in (12, 14, 26, 50, 200)}
    features = {f"range_position_{k}": position_in_range(close, high, low, k) for k in (12, 24, 48, 96, 192, 672)}
    features |= {f"sma_distance_{k}": close / sma[k] - 1.0 for k in sma}
    features |= {f"ema_distance_{k}": close / average[k] - 1.0 for k in (14, 50, 200)}
    for k in (24, 96, 192):
        features[f"bars_since_high_{k}"] = bars_since_max(high, k)
        features[f"bars_since_low_{k}"] = bars_since_min(low, k)
    for k in (12, 48):
        features[f"efficiency_ratio_{k}"] = absolute(change(close, k)) / window_sum(absolute(change(close, 1)), k)
    for k in (24, 96):
        time = bars.column("open_time") / float(bars.bar_ms)
        features[f"regression_slope_{k}"] = window_slope(log(close), time, k)
        features[f"regression_fit_{k}"] = window_correlation(log(close), time, k)
    return (
        features
        | _directional_movement(bars)
        | _ichimoku(bars)
        | {
            "sma_cross_14_50": sma[14] / sma[50] - 1.0,
            "sma_cross_50_200": sma[50] / sma[200] - 1.0,
            "ema_cross_12_26": average[12] / average[26] - 1.0,
            "ema_cross_50_200": average[50] / average[200] - 1.0,
            "bars_since_cross_14_50": run_length(difference(sma[14], sma[50]), 96),
            "parabolic_sar_distance": close / parabolic_sar(high, low, SAR_WINDOW) - 1.0,
            "drawdown_96": close / window_max(high, 96) - 1.0,
            "drawup_96": close / window_min(low, 96) - 1.0,
        }
    )


def _directional_movement(bars: Bars) -> dict[str, Node]:
    rise, fall = change(bars.high, 1), -change(bars.low, 1)
    middle = bars.high + bars.low  # rises where the high rose by more than the low fell
    tilt = difference(middle, lag(middle, 1))
    plus, minus = larger(rise, 0.0) * is_above(tilt, 0.0), larger(fall, 0.0) * is_above(-tilt, 0.0)
    span = wilder(true_range(bars), 14)
    plus_di, minus_di = 100.0 * wilder(plus, 14) / span, 100.0 * wilder(minus, 14) / span
    dx = 100.0 * absolute(plus_di - minus_di) / (plus_di + minus_di)
    return {
        "plus_di_14": plus_di,
        "minus_di_14": minus_di,
        "dx_14": dx,
        "adx_14": wilder(dx, 14),
    }


def _ichimoku(bars: Bars) -> dict[str, Node]:
    """The cloud at a bar was drawn 26 bars before; the lagging line is the close against that of 26 before."""

    def middle(window: int) -> Node:
        return (window_max(bars.high, window) + window_min(bars.low, window)) / 2.0

    turning, base = middle(9), middle(26)
    span_a, span_b = lag((turning + base) / 2.0, 26), lag(middle(52), 26)
    return {
        "ichimoku_turning_distance": bars.close / turning - 1.0,
        "ichimoku_base_distance": bars.close / base - 1.0,
        "ichimoku_cross": turning / base - 1.0,
        "ichimoku_span_a_distance": bars.close / span_a - 1.0,
        "ichimoku_span_b_distance": bars.close / span_b - 1.0,
        "ichimoku_cloud_width": (span_a - span_b) / bars.close,
        "ichimoku_lagging_distance": bars.close / lag(bars.close, 26) - 1.0,
    }
