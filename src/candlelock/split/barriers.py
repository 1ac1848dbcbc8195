"""Triple-barrier labels: which of two barriers the price touches first, before time is up.

Source: López de Prado 2018, Advances in Financial Machine Learning, chapter 3. As there, barriers are as wide as past
volatility says; unlike there, the path is that of highs and lows, and a row that touches neither is left unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.split.grid import shift
from candlelock.split.volatility import past_volatility

if TYPE_CHECKING:
    from candlelock.contracts.head_params import TripleBarrierParams

Array = npt.NDArray[np.float64]


def touch_barriers(
    high: Array, low: Array, close: Array, params: TripleBarrierParams
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Labels and how many bars each looks ahead; everything of shape (n_symbols, n_bars), candles NaN where missing.

    1.0 where the upper barrier is touched first, 0.0 where the lower one is, and where one bar touches both: a bar does
    not tell which came first, and the worse is assumed. NaN where the volatility is unknown, or a candle is missing or
    the data end before a touch, or neither is touched within the horizon. A label looks ahead to the bar that touches;
    an unknown one to the end of the horizon.
    """
    log_high, log_low, log_close = np.log(high), np.log(low), np.log(close)
    sigma = past_volatility(log_close, params.volatility_bars, params.horizon_bars)
    upper, lower = log_close + params.take_profit_sigmas * sigma, log_close - params.stop_loss_sigmas * sigma
    is_up, n_ahead = np.full(close.shape, np.nan), np.full(close.shape, params.horizon_bars)
    is_open = ~np.isnan(sigma)
    for step in range(1, params.horizon_bars + 1):
        top, bottom = shift(log_high, -step), shift(log_low, -step)
        falls = is_open & (bottom <= lower)
        rises = is_open & (top >= upper) & ~falls
        is_up[falls], is_up[rises] = 0.0, 1.0
        n_ahead[falls | rises] = step
        is_open &= ~(falls | rises | np.isnan(bottom))
        if not is_open.any():
            break
    return is_up, n_ahead
