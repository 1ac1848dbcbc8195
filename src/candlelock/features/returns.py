"""Group `returns`: how far the price moved, and the shape of the bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.operators import (
    is_above,
    lag,
    larger,
    part_of,
    run_length,
    sign,
    smaller,
    window_mean,
    window_std,
)

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

WINDOWS = (1, 2, 3, 6, 12, 24, 48, 96)


def declare_returns(bars: Bars) -> dict[str, Node]:
    """Log returns over several spans, the last ones in units of volatility, and body, shadows and gap of the bar."""
    span, move = bars.high - bars.low, bars.log_return()
    upper, lower = _shadows(bars)
    volatility = window_std(move, 24)
    features = {f"return_{k}": bars.log_return(k) for k in WINDOWS}
    features |= {f"scaled_return_{k}": bars.log_return(k) / volatility for k in (1, 3, 6, 12)}
    features |= {f"scaled_return_1_lag_{k}": lag(move, k) / volatility for k in (1, 2, 3, 4)}
    return (
        features
        | _scaled_shape(bars)
        | {
            "simple_return_1": bars.close / lag(bars.close, 1) - 1.0,
            "gap_1": bars.open / lag(bars.close, 1) - 1.0,
            "body_1": bars.close / bars.open - 1.0,
            "body_share_1": (bars.close - bars.open) / span,
            "close_position_1": (bars.close - bars.low) / span,
            "upper_shadow_1": upper / bars.close,
            "lower_shadow_1": lower / bars.close,
            "shadow_balance_12": window_mean(part_of(lower - upper, span), 12),
            "run_length_12": run_length(sign(move), 12),
            "up_share_12": window_mean(is_above(move, 0.0), 12),
            "up_share_48": window_mean(is_above(move, 0.0), 48),
        }
    )


def _shadows(bars: Bars) -> tuple[Node, Node]:
    """Upper and lower shadow, as prices."""
    return bars.high - larger(bars.open, bars.close), smaller(bars.open, bars.close) - bars.low


def _scaled_shape(bars: Bars) -> dict[str, Node]:
    """Body, range, gap and shadows in units of the volatility of 96 bars, as a price."""
    unit = bars.close * window_std(bars.log_return(), 96)
    upper, lower = (shadow / unit for shadow in _shadows(bars))
    balance, gap = lower - upper, (bars.open - lag(bars.close, 1)) / unit
    features = {f"scaled_shadow_balance_{k}": window_mean(balance, k) for k in (3, 12, 48)}
    features |= {f"scaled_shadow_balance_1_lag_{k}": lag(balance, k) for k in (1, 2)}
    features |= {f"scaled_gap_{k}": window_mean(gap, k) for k in (3, 12, 48)}
    return features | {
        "scaled_body_1": (bars.close - bars.open) / unit,
        "scaled_range_1": (bars.high - bars.low) / unit,
        "scaled_gap_1": gap,
        "scaled_upper_shadow_1": upper,
        "scaled_lower_shadow_1": lower,
        "scaled_shadow_balance_1": balance,
    }
