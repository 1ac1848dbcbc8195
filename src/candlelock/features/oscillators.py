"""Group `oscillators`: bounded and centred readings of momentum over several spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.momentum import relative_strength
from candlelock.features.operators import (
    bars_since_max,
    bars_since_min,
    difference,
    ema,
    is_above,
    lag,
    larger,
    part_of,
    smaller,
    window_max,
    window_mean,
    window_min,
    window_std,
    window_sum,
)

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

AROON = 14


def declare_oscillators(bars: Bars) -> dict[str, Node]:
    """Stochastic RSI, ultimate oscillator, TRIX, Aroon, balance of power, awesome oscillator, detrended price."""
    close, high, low = bars.close, bars.high, bars.low
    strength = relative_strength(bars, 14)
    highest, lowest = window_max(strength, 14), window_min(strength, 14)
    moved = is_above(window_std(close, 14), 0.0)  # while the price stands, the strength moves by rounding alone
    stochastic = (strength - lowest) / (difference(highest, lowest) * moved)
    triple = ema(ema(ema(close, 15), 15), 15)
    up = 100.0 - (100.0 / AROON) * bars_since_max(high, AROON + 1)
    down = 100.0 - (100.0 / AROON) * bars_since_min(low, AROON + 1)
    middle = (high + low) / 2.0
    return {
        "stochastic_rsi_14": 100.0 * stochastic,
        "stochastic_rsi_d_14_3": 100.0 * window_mean(stochastic, 3),
        "ultimate_oscillator_7_14_28": _ultimate(bars),
        "trix_15": 100.0 * (triple / lag(triple, 1) - 1.0),
        "aroon_up_14": up,
        "aroon_down_14": down,
        "aroon_oscillator_14": up - down,
        "balance_of_power_14": window_mean(part_of(close - bars.open, high - low), 14),
        "awesome_oscillator_5_34": (window_mean(middle, 5) - window_mean(middle, 34)) / close,
        "detrended_price_20": (lag(close, 11) - window_mean(close, 20)) / close,
    }


def _ultimate(bars: Bars) -> Node:
    before = lag(bars.close, 1)
    true_low = smaller(bars.low, before)
    pressure, span = bars.close - true_low, larger(bars.high, before) - true_low
    shares = [window_sum(pressure, k) / window_sum(span, k) for k in (7, 14, 28)]
    return (100.0 / 7.0) * (4.0 * shares[0] + 2.0 * shares[1] + shares[2])
