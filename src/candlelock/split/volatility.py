"""The volatility that barriers and dead zones are measured in: of the past alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from candlelock.split.grid import shift, window_sum

Array = npt.NDArray[np.float64]


def past_volatility(log_close: Array, n_bars: int, horizon_bars: int) -> Array:
    """Volatility of a log return over `horizon_bars`, as it is known at each bar's close. Shape (n_symbols, n_bars).

    The root mean square of the one-bar log returns of this bar and the `n_bars` - 1 before it, times the root of
    `horizon_bars`: as for a walk without drift whose steps are independent. Returns into and out of a missing bar are
    left out. NaN without a candle, where half of the returns or more are missing, and where all of them are zero.
    Source: RiskMetrics Technical Document, 4th ed. 1996, 5.2 (mean zero, root-of-time rule), with equal weights.
    """
    moves = log_close - shift(log_close, 1)
    is_known = ~np.isnan(moves)
    n_known = window_sum(is_known.astype(np.float64), n_bars)
    squares = window_sum(np.where(is_known, moves, 0.0) ** 2, n_bars)
    is_usable = ~np.isnan(log_close) & (2 * n_known > n_bars) & (squares > 0)
    variance = np.divide(squares, n_known, out=np.full_like(squares, np.nan), where=is_usable)
    return np.asarray(np.sqrt(horizon_bars * variance))
