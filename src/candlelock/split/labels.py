"""Labels of the kinds a head may ask for, and the time at which each becomes known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from candlelock.contracts.head_params import (
    DirectionParams,
    FutureReturnParams,
    FutureVolatilityParams,
    TripleBarrierParams,
)
from candlelock.split.barriers import touch_barriers
from candlelock.split.grid import is_gapless, shift
from candlelock.split.values import change_volatility, scale_returns
from candlelock.split.volatility import past_volatility

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.contracts.head_params import HeadParams

Array = npt.NDArray[np.float64]


class Candles(Protocol):
    """Prices of all symbols on one regular grid, shape (n_symbols, n_bars), NaN where there is no candle."""

    @property
    def symbols(self) -> Sequence[str]: ...
    @property
    def bar_ms(self) -> int: ...
    @property
    def open_time_ms(self) -> npt.NDArray[np.int64]: ...
    @property
    def high(self) -> Array: ...
    @property
    def low(self) -> Array: ...
    @property
    def close(self) -> Array: ...


def label(candles: Candles, params: HeadParams, min_history_bars: int) -> pd.DataFrame:
    """One row per candle of the head's symbols from `min_history_bars` after the first, sorted by symbol and time.

    `is_up` is 1.0 or 0.0 as the head's kind has it. `share_above`: of the horizon's closes, how many are above this
    one, where the head learns that. `value` is the label of a head of values, `past_value` the same of the horizon
    behind. All are NaN where unknown, and the last three for other heads. `label_end_ms` closes the last bar the label
    looks at; of an unknown one, the last of the horizon. `past_return` and `future_return` are log returns of the close
    over the whole horizon, whatever the kind: NaN without the earlier candle, or with one missing ahead.
    """
    close, log_close, bar_ms = candles.close, np.log(candles.close), candles.bar_ms
    past = log_close - shift(log_close, params.horizon_bars)
    future = _future_return(log_close, params.horizon_bars)
    n_ahead = np.full(close.shape, params.horizon_bars)
    value, past_value = np.full((2, *close.shape), np.nan)
    if isinstance(params, TripleBarrierParams):
        is_up, n_ahead = touch_barriers(candles.high, candles.low, close, params)
    elif isinstance(params, FutureReturnParams | FutureVolatilityParams):
        value, past_value = _values(log_close, past, future, params)
        is_up = np.where(np.isnan(value) | (value == 0), np.nan, value > 0)
    else:
        is_up = _direction(log_close, future, params)
    row, bar = np.nonzero(_is_asked(candles, params, min_history_bars))
    decided = candles.open_time_ms[bar] + bar_ms
    frame = pd.DataFrame(
        {
            "symbol": pd.Series(candles.symbols, dtype="str").take(row).array,
            "open_time_ms": candles.open_time_ms[bar],
            "decision_time_ms": decided,
            "label_end_ms": decided + n_ahead[row, bar] * bar_ms,
            "is_up": is_up[row, bar],
            "share_above": _share_above(close, is_up, params)[row, bar],
            "value": value[row, bar],
            "past_value": past_value[row, bar],
            "past_return": past[row, bar],
            "future_return": future[row, bar],
        }
    )
    return frame.sort_values(["symbol", "open_time_ms"], ignore_index=True)


def _is_asked(candles: Candles, params: HeadParams, min_history_bars: int) -> npt.NDArray[np.bool_]:
    """Which candles become rows: those of the head's symbols, so many bars after the first."""
    has_candle = ~np.isnan(candles.close)
    age = np.arange(has_candle.shape[1]) - np.argmax(has_candle, axis=1)[:, None]
    is_own = np.array([params.symbols is None or symbol in params.symbols for symbol in candles.symbols])
    return np.asarray(is_own[:, None] & has_candle & (age >= min_history_bars))


def _future_return(log_close: Array, horizon_bars: int) -> Array:
    """Log return over the next `horizon_bars`, NaN unless all of them have a candle."""
    return np.where(is_gapless(log_close, horizon_bars), shift(log_close, -horizon_bars) - log_close, np.nan)


def _values(
    log_close: Array, past: Array, future: Array, params: FutureReturnParams | FutureVolatilityParams
) -> tuple[Array, Array]:
    """Labels of a head of values and the same of the horizon behind, both of the shape of `log_close`."""
    if isinstance(params, FutureVolatilityParams):
        return change_volatility(log_close, params.horizon_bars, params.volatility_bars)
    return scale_returns(log_close, past, future, params.horizon_bars, params.volatility_bars)


def _direction(log_close: Array, future: Array, params: DirectionParams) -> Array:
    """1.0 or 0.0 by the sign of the `future` return; NaN where that is unknown, zero or within the dead zone.

    With a dead zone the label is also unknown where the past volatility is.
    """
    is_told = ~np.isnan(future) & (future != 0)
    if params.dead_zone_sigmas > 0:
        sigma = past_volatility(log_close, params.volatility_bars, params.horizon_bars)
        is_told &= np.abs(future) >= params.dead_zone_sigmas * sigma
    return np.where(is_told, future > 0, np.nan)


def _share_above(close: Array, is_up: Array, params: HeadParams) -> Array:
    """Share of the horizon's closes that are above this one, equal ones half; NaN unless the head learns it."""
    if not isinstance(params, DirectionParams) or params.learns == "end":
        return np.full_like(close, np.nan)
    n_above = np.zeros_like(close)
    for step in range(1, params.horizon_bars + 1):
        later = shift(close, -step)
        n_above += (later > close) + 0.5 * (later == close)
    return np.where(np.isnan(is_up), np.nan, n_above / params.horizon_bars)
