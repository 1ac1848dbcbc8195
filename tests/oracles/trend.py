"""Group `trend` as the textbook has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.oracles import operators
from tests.oracles.textbook import (
    bars_since_highest,
    correlation,
    ema,
    highest,
    lag,
    lowest,
    mean,
    place,
    ratio,
    slope,
    total,
    true_range,
    wilder,
)

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

RANGES = (12, 24, 48, 96, 192, 672)


def expected_trend(market: Market) -> dict[str, Array]:
    high, low, close = market.high, market.low, market.close
    average, fading = {k: mean(close, k) for k in (14, 50, 200)}, {k: ema(close, k) for k in (12, 14, 26, 50, 200)}
    bars = np.broadcast_to(np.arange(close.shape[1], dtype=float), close.shape)
    size = np.abs(close - lag(close, 1))
    crossed = average[14] - average[50]
    crossed = np.where(np.abs(crossed) <= 1e-12 * average[50], 0 * crossed, crossed)
    features = {f"range_position_{k}": place(close, lowest(low, k), highest(high, k)) for k in RANGES}
    features |= {f"sma_distance_{k}": close / average[k] - 1 for k in average}
    features |= {f"ema_distance_{k}": close / fading[k] - 1 for k in (14, 50, 200)}
    features |= {f"efficiency_ratio_{k}": ratio(np.abs(close - lag(close, k)), total(size, k)) for k in (12, 48)}
    features |= {f"regression_slope_{k}": slope(np.log(close), bars, k) for k in (24, 96)}
    features |= {f"regression_fit_{k}": correlation(np.log(close), bars, k) for k in (24, 96)}
    features |= {f"bars_since_high_{k}": bars_since_highest(high, k) for k in (24, 96, 192)}
    features |= {f"bars_since_low_{k}": bars_since_highest(-low, k) for k in (24, 96, 192)}
    return (
        features
        | _directional_movement(market)
        | _ichimoku(market)
        | {
            "sma_cross_14_50": average[14] / average[50] - 1,
            "sma_cross_50_200": average[50] / average[200] - 1,
            "ema_cross_12_26": fading[12] / fading[26] - 1,
            "ema_cross_50_200": fading[50] / fading[200] - 1,
            "bars_since_cross_14_50": np.array([operators.run_length(row, 96) for row in crossed]),
            "parabolic_sar_distance": close / _parabolic_sar(market) - 1,
            "drawdown_96": close / highest(high, 96) - 1,
            "drawup_96": close / lowest(low, 96) - 1,
        }
    )


def _parabolic_sar(market: Market) -> Array:
    first = int(market.open_time_ms[0]) // market.bar_ms
    rows = zip(np.rint(market.high * 1e9), np.rint(market.low * 1e9), strict=True)
    return np.array([operators.parabolic_sar(high, low, 128, first) / 1e9 for high, low in rows])


def _directional_movement(market: Market) -> dict[str, Array]:
    """Wilder's rules bar by bar: the larger outside move counts, the other side gets none, a tie neither."""
    high, low = np.rint(market.high * 1e9), np.rint(market.low * 1e9)  # whole units, so that a tie is a tie
    rise, fall = (high - lag(high, 1)) / 1e9, (lag(low, 1) - low) / 1e9
    plus = np.where((rise > 0) & (rise > fall), rise, 0 * rise * fall)
    minus = np.where((fall > 0) & (fall > rise), fall, 0 * rise * fall)
    span = wilder(true_range(market), 14)
    up, down = 100 * ratio(wilder(plus, 14), span), 100 * ratio(wilder(minus, 14), span)
    index = 100 * ratio(np.abs(up - down), up + down)
    return {"plus_di_14": up, "minus_di_14": down, "dx_14": index, "adx_14": wilder(index, 14)}


def _ichimoku(market: Market) -> dict[str, Array]:
    close = market.close
    turning, base, slow = ((highest(market.high, k) + lowest(market.low, k)) / 2 for k in (9, 26, 52))
    span_a, span_b = lag((turning + base) / 2, 26), lag(slow, 26)
    return {
        "ichimoku_turning_distance": close / turning - 1,
        "ichimoku_base_distance": close / base - 1,
        "ichimoku_cross": turning / base - 1,
        "ichimoku_span_a_distance": close / span_a - 1,
        "ichimoku_span_b_distance": close / span_b - 1,
        "ichimoku_cloud_width": (span_a - span_b) / close,
        "ichimoku_lagging_distance": close / lag(close, 26) - 1,
    }
