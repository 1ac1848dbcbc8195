"""Labels that are values: what the horizon brings, measured in the volatility of the past.

Measured so, a quiet market and a lively one, a small coin and a large one ask the same question, and one model can
learn from all of them. Everything is of shape (n_symbols, n_bars), NaN where unknown.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from candlelock.split.grid import shift, window_sum
from candlelock.split.volatility import past_volatility

Array = npt.NDArray[np.float64]


def scale_returns(
    log_close: Array, past: Array, future: Array, horizon_bars: int, volatility_bars: int
) -> tuple[Array, Array]:
    """Log returns over the horizon to come and over the one behind, in past volatilities of such a move."""
    sigma = past_volatility(log_close, volatility_bars, horizon_bars)
    return future / sigma, past / sigma


def change_volatility(log_close: Array, horizon_bars: int, volatility_bars: int) -> tuple[Array, Array]:
    """Natural logarithm of the volatility over the horizon to come against the past one; and of that over the last one.

    The volatility over a horizon is the root mean square of its one-bar log returns, all of which must be known; past
    volatility is that of `split.volatility`. NaN where one of the two is unknown or no bar of the horizon moved. The
    logarithm makes what is skewed to the right nearly normal (Andersen, Bollerslev, Diebold and Labys 2001).
    """
    past = past_volatility(log_close, volatility_bars, 1)
    moves = log_close - shift(log_close, 1)
    mean_square = window_sum(np.nan_to_num(moves) ** 2, horizon_bars) / horizon_bars
    is_whole = window_sum(np.isnan(moves).astype(np.float64), horizon_bars) == 0
    behind = np.log(np.sqrt(mean_square), out=np.full_like(past, np.nan), where=is_whole & (mean_square > 0))
    base = np.log(past)
    return shift(behind, -horizon_bars) - base, behind - base
