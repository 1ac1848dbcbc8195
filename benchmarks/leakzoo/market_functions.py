"""Functions of the whole market, from arrays (n_symbols, n_bars) to one; the first symbol leads. NumPy alone.

`m` has `open`, `high`, `low`, `close` and `volume`. Of each: what it is, whether anybody would list it (leaks
only), its look-back, and the function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

Array = npt.NDArray[np.float64]


class Bars(Protocol):
    """What a function reads."""

    open: Array
    high: Array
    low: Array
    close: Array
    volume: Array


def _lag(values: Array, n_bars: int) -> Array:
    """Values `n_bars` earlier, or later if negative; NaN where there are none."""
    out = np.full_like(values, np.nan)
    n = min(abs(n_bars), values.shape[1])
    if n_bars >= 0:
        out[:, n:] = values[:, : values.shape[1] - n]
    else:
        out[:, : values.shape[1] - n] = values[:, n:]
    return out


def _move(market: Bars) -> Array:
    return np.asarray(np.log(market.close) - _lag(np.log(market.close), 1))


def _mean(values: Array) -> Array:
    """Mean over the symbols that have a value, in every row; NaN where none has."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    return np.ascontiguousarray(np.broadcast_to(total, values.shape))


def _first(values: Array) -> Array:
    return np.ascontiguousarray(np.broadcast_to(values[:1], values.shape))


def _windowed(values: Array, n: int) -> Array:
    padded = np.concatenate([np.full((len(values), n - 1), np.nan), values], axis=1)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, n, axis=1).mean(axis=2))


def _rank(values: Array) -> Array:
    return np.asarray((values[None] < values[:, None]).sum(axis=1) + 0.0 * values)


LEAKS: dict[str, tuple[str, bool, int, Callable[[Bars], Array]]] = {
    "other_assets_later_bar": ("the next return of the first symbol", True, 1, lambda m: _lag(_first(_move(m)), -1)),
    "market_mean_later": ("the market's mean return, a bar early", False, 1, lambda m: _lag(_mean(_move(m)), -1)),
    "rank_by_next_return": ("rank among the symbols by the next return", False, 1, lambda m: _rank(_lag(_move(m), -1))),
    "breadth_centred": (
        "share of rising symbols, by a centred window",
        False,
        6,
        lambda m: _lag(_windowed(_mean((_move(m) > 0).astype(float)), 7), -3),
    ),
    "other_asset_next_open": (
        "the first symbol's next open over its close",
        False,
        0,
        lambda m: _first(_lag(m.open, -1) / m.close),
    ),
    "spread_to_last_ratio": (
        "price ratio to the first symbol over that of the last row",
        False,
        0,
        lambda m: m.close / _first(m.close) / (m.close / _first(m.close))[:, -1:],
    ),
}
CLEAN: dict[str, tuple[str, int, Callable[[Bars], Array]]] = {
    "clean_other_asset": ("the first symbol's last return", 1, lambda m: _first(_move(m))),
    "clean_other_asset_lagged": ("the first symbol's return before", 2, lambda m: _lag(_first(_move(m)), 1)),
    "clean_market_mean": ("the market's mean return", 1, lambda m: _mean(_move(m))),
    "clean_cross_rank": ("rank among the symbols by the last return", 1, lambda m: _rank(_move(m))),
    "clean_breadth": (
        "share of rising symbols",
        1,
        lambda m: _mean(np.where(np.isnan(_move(m)), np.nan, _move(m) > 0)),
    ),
    "clean_relative_strength": (
        "return of a day less the first symbol's",
        24,
        lambda m: np.log(m.close / _lag(m.close, 24)) - _first(np.log(m.close / _lag(m.close, 24))),
    ),
    "clean_ratio_mean": (
        "price ratio to the first symbol over its rolling mean",
        11,
        lambda m: m.close / _first(m.close) / _windowed(m.close / _first(m.close), 12),
    ),
    "clean_volume_share": (
        "the symbol's share of the market's volume",
        0,
        lambda m: m.volume / (m.volume + _mean(m.volume)),
    ),
}
