"""Group `timeframes`: the same questions on bars of 4, 12 and 48 bars, each answered once that bar has closed.

Higher bars are cut at multiples counted from 1970 UTC: on 30-minute candles, 2 hours, 6 hours and days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.bars import hold
from candlelock.features.momentum import cutler_strength
from candlelock.features.operators import (
    lag,
    log,
    position_in_range,
    window_mean,
    window_std,
    zscore,
)

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

MULTIPLES = (4, 12, 48)
SPANS = 20  # in a window over sliding spans


def declare_timeframes(bars: Bars) -> dict[str, Node]:
    """Return, volatility, relative strength, z-scores and place in the range of higher bars."""
    features: dict[str, Node] = {}
    for n in MULTIPLES:
        higher = bars.higher(n)
        answers = _answer(higher) | {"open_distance": bars.close / hold(higher.close) - 1.0}
        features |= {f"x{n}_{name}": hold(x) if x.clock > 1 else x for name, x in answers.items()}
        features |= {f"span_{n}_{name}": x for name, x in _answer_sliding(bars, n).items()}
    return features


def _answer_sliding(bars: Bars, n: int) -> dict[str, Node]:
    """The same on spans of `n` bars that end with this one, wherever higher bars are cut."""
    move, log_close = bars.log_return(n), log(bars.close)
    usual = window_std(move, SPANS * n)
    return {
        "scaled_return": move / usual,
        "scaled_return_lag_1": lag(move, n) / usual,
        "scaled_return_lag_2": lag(move, 2 * n) / usual,
        "price_zscore": zscore(log_close, SPANS * n),
        "range_position": position_in_range(bars.close, bars.high, bars.low, SPANS * n),
    }


def _answer(bars: Bars) -> dict[str, Node]:
    move = bars.log_return()
    return {
        "return_1": move,
        "return_3": bars.log_return(3),
        "volatility_12": window_std(move, 12),
        "rsi_14": cutler_strength(move, 14),
        "price_zscore_12": zscore(bars.close, 12),
        "volume_ratio_12": bars.volume / window_mean(bars.volume, 12),
        "range_position_12": position_in_range(bars.close, bars.high, bars.low, 12),
    }
