"""Labels and the time at which each becomes known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = npt.NDArray[np.float64]


class Candles(Protocol):
    """Closes of all symbols on one regular grid, shape (n_symbols, n_bars), NaN where there is no candle."""

    @property
    def symbols(self) -> Sequence[str]: ...
    @property
    def bar_ms(self) -> int: ...
    @property
    def open_time_ms(self) -> npt.NDArray[np.int64]: ...
    @property
    def close(self) -> Array: ...


def label_direction(candles: Candles, horizon_bars: int, min_history_bars: int) -> pd.DataFrame:
    """One row per candle from `min_history_bars` after the symbol's first, sorted by symbol and time.

    `is_up` is 1.0 or 0.0, and NaN where it is unknown: the data end before the horizon, the window spans a missing
    candle, or the close is unchanged. `label_end_ms` closes the last bar the label looks at, known or not.
    """
    close, opens, bar_ms = candles.close, candles.open_time_ms, candles.bar_ms
    log_close = np.log(close)
    past = log_close - _shift(log_close, horizon_bars)
    future = np.where(_is_gapless(close, horizon_bars), _shift(log_close, -horizon_bars) - log_close, np.nan)
    age = np.arange(close.shape[1]) - np.argmax(~np.isnan(close), axis=1)[:, None]
    row, bar = np.nonzero(~np.isnan(close) & (age >= min_history_bars))
    ahead = future[row, bar]
    frame = pd.DataFrame(
        {
            "symbol": pd.Series(candles.symbols, dtype="str").take(row).array,
            "open_time_ms": opens[bar],
            "decision_time_ms": opens[bar] + bar_ms,
            "label_end_ms": opens[bar] + (horizon_bars + 1) * bar_ms,
            "is_up": np.where(np.isnan(ahead) | (ahead == 0), np.nan, ahead > 0),
            "past_return": past[row, bar],
            "future_return": ahead,
        }
    )
    return frame.sort_values(["symbol", "open_time_ms"], ignore_index=True)


def _shift(x: Array, n_bars: int) -> Array:
    """Values `n_bars` earlier (positive) or later (negative), NaN beyond the ends. Same shape."""
    out = np.full_like(x, np.nan)
    width = x.shape[-1]
    if abs(n_bars) < width:
        source = slice(0, width - n_bars) if n_bars >= 0 else slice(-n_bars, width)
        target = slice(n_bars, width) if n_bars >= 0 else slice(0, width + n_bars)
        out[..., target] = x[..., source]
    return out


def _is_gapless(close: Array, horizon_bars: int) -> npt.NDArray[np.bool_]:
    """True where this bar and the next `horizon_bars` all have a candle."""
    n_missing = np.cumsum(np.isnan(close), axis=1, dtype=np.float64)
    ahead = _shift(n_missing, -horizon_bars)
    return np.asarray(ahead == n_missing)
