"""Group `momentum` as the textbook has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.oracles.textbook import (
    ema,
    highest,
    lag,
    log_return,
    lowest,
    mean,
    mean_deviation,
    place,
    ratio,
    total,
    typical_price,
    wilder,
    zscore,
)

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

DAY_MS = 86_400_000


def relative_strength(close: Array, period: int) -> Array:
    """100 - 100 / (1 + mean gain / mean loss)."""
    step = close - lag(close, 1)
    gain, loss = (
        wilder(np.where(np.isnan(step), step, np.maximum(step, 0)), period),
        wilder(-np.minimum(step, 0), period),
    )
    strength = np.where((loss == 0) & (gain > 0), 100.0, 100 - 100 / (1 + ratio(gain, loss)))
    return np.where((gain == 0) & (loss == 0), np.nan, strength)


def expected_momentum(market: Market) -> dict[str, Array]:
    high, low, close, typical = market.high, market.low, market.close, typical_price(market)
    move, step = log_return(close), close - lag(close, 1)
    fast = 100 * place(close, lowest(low, 14), highest(high, 14))
    line = ema(close, 12) - ema(close, 26)
    days = {n: n * DAY_MS // market.bar_ms for n in (7, 14, 30)}
    rises, falls = total(np.where(move > 0, move, 0 * move), 14), total(np.where(move < 0, -move, 0 * move), 14)
    features = {f"price_zscore_{k}": zscore(close, k) for k in (6, 24, 96)}
    features |= {f"rsi_{k}": relative_strength(close, k) for k in (7, 14, 28)}
    features |= {f"rate_of_change_{k}": 100 * (close - lag(close, k)) / lag(close, k) for k in (10, 20)}
    features |= {f"cci_{k}": ratio(typical - mean(typical, k), mean_deviation(typical, k)) / 0.015 for k in (14, 20)}
    features |= {f"momentum_{n}d": log_return(close, days[n]) for n in days}
    return features | {
        "cutler_rsi_14": 100 * ratio(rises, rises + falls),
        "stochastic_k_14": fast,
        "stochastic_d_14_3": mean(fast, 3),
        "stochastic_slow_d_14_3_3": mean(mean(fast, 3), 3),
        "williams_r_14": -100 * place(close, highest(high, 14), lowest(low, 14)),
        "macd_12_26": line / close,
        "macd_signal_12_26_9": ema(line, 9) / close,
        "macd_histogram_12_26_9": (line - ema(line, 9)) / close,
        "true_strength_25_13": 100 * ratio(ema(ema(step, 25), 13), ema(ema(np.abs(step), 25), 13)),
    }
