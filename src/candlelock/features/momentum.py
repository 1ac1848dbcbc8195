"""Group `momentum`: how stretched the price is against its recent past."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.operators import (
    absolute,
    change,
    ema,
    lag,
    larger,
    mean_deviation,
    position_in_range,
    wilder,
    window_mean,
    window_sum,
    zscore,
)

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node


def relative_strength(bars: Bars, period: int) -> Node:
    """Wilder's relative strength index, 0 to 100; NaN while the price stands still (TA-Lib gives 0)."""
    step = change(bars.close, 1)
    return 100.0 * (wilder(larger(step, 0.0), period) / wilder(absolute(step), period))


def cutler_strength(move: Node, period: int) -> Node:
    """Cutler's relative strength index of returns: simple sums in place of Wilder's averages; 0 to 100."""
    return 100.0 * window_sum(larger(move, 0.0), period) / window_sum(absolute(move), period)


def declare_momentum(bars: Bars) -> dict[str, Node]:
    """Z-scores of the close, relative strength, stochastic, CCI, MACD, rates of change; long anchors in days."""
    close, move, typical = bars.close, bars.log_return(), bars.typical_price()
    fast = position_in_range(close, bars.high, bars.low, 14)
    macd = ema(close, 12) - ema(close, 26)
    features = {f"price_zscore_{k}": zscore(close, k) for k in (6, 24, 96)}
    features |= {f"rsi_{k}": relative_strength(bars, k) for k in (7, 14, 28)}
    features |= {f"rate_of_change_{k}": 100.0 * (close / lag(close, k) - 1.0) for k in (10, 20)}
    features |= {
        f"cci_{k}": (typical - window_mean(typical, k)) / (0.015 * mean_deviation(typical, k)) for k in (14, 20)
    }
    features |= {f"momentum_{n}d": bars.log_return(bars.days(n)) for n in (7, 14, 30)}
    strength = ema(ema(change(close, 1), 25), 13) / ema(ema(absolute(change(close, 1)), 25), 13)
    return features | {
        "cutler_rsi_14": cutler_strength(move, 14),
        "stochastic_k_14": 100.0 * fast,
        "stochastic_d_14_3": 100.0 * window_mean(fast, 3),
        "stochastic_slow_d_14_3_3": 100.0 * window_mean(window_mean(fast, 3), 3),
        "williams_r_14": 100.0 * fast - 100.0,
        "macd_12_26": macd / close,
        "macd_signal_12_26_9": ema(macd, 9) / close,
        "macd_histogram_12_26_9": (macd - ema(macd, 9)) / close,
        "true_strength_25_13": 100.0 * strength,
    }
