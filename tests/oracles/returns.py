"""Group `returns` as the textbook has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.oracles import operators
from tests.oracles.textbook import lag, log_return, mean, place, ratio, share_of, std

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def expected_returns(market: Market) -> dict[str, Array]:
    opened, high, low, close = market.open, market.high, market.low, market.close
    move, upper, lower = log_return(close), high - np.fmax(opened, close), np.fmin(opened, close) - low
    volatility = std(move, 24)
    rose = np.where(np.isnan(move), np.nan, (move > 0).astype(float))
    features = {f"return_{k}": log_return(close, k) for k in (1, 2, 3, 6, 12, 24, 48, 96)}
    features |= {f"scaled_return_{k}": ratio(log_return(close, k), volatility) for k in (1, 3, 6, 12)}
    features |= {f"scaled_return_1_lag_{k}": ratio(lag(move, k), volatility) for k in (1, 2, 3, 4)}
    in_units = {
        "scaled_body_1": close - opened,
        "scaled_range_1": high - low,
        "scaled_gap_1": opened - lag(close, 1),
        "scaled_upper_shadow_1": upper,
        "scaled_lower_shadow_1": lower,
        "scaled_shadow_balance_1": lower - upper,
    }
    features |= {name: ratio(x / close, std(move, 96)) for name, x in in_units.items()}
    balance, gap = features["scaled_shadow_balance_1"], features["scaled_gap_1"]
    features |= {f"scaled_shadow_balance_1_lag_{k}": lag(balance, k) for k in (1, 2)}
    features |= {f"scaled_shadow_balance_{k}": mean(balance, k) for k in (3, 12, 48)}
    features |= {f"scaled_gap_{k}": mean(gap, k) for k in (3, 12, 48)}
    return features | {
        "simple_return_1": (close - lag(close, 1)) / lag(close, 1),
        "gap_1": (opened - lag(close, 1)) / lag(close, 1),
        "body_1": (close - opened) / opened,
        "body_share_1": ratio(close - opened, high - low),
        "close_position_1": place(close, low, high),
        "upper_shadow_1": upper / close,
        "lower_shadow_1": lower / close,
        "shadow_balance_12": mean(share_of(lower - upper, high - low), 12),
        "run_length_12": np.array([operators.run_length(row, 12) for row in np.sign(move)]),
        "up_share_12": mean(rose, 12),
        "up_share_48": mean(rose, 48),
    }
