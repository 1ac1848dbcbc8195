"""Random markets for tests of features: walks with gaps, late starts and early ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.features.market import CANDLE_FIELDS, Market

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.features.market import Array

HOUR_MS = 3_600_000
FIRST_MS = 420_000 * HOUR_MS


def walk(seed: int, n_symbols: int, n_bars: int, gap_share: float = 0.0, latest_start: int = 0) -> Market:
    """Sound candles of S0, S1 …; `gap_share` of the bars missing, first candles up to `latest_start` bars late."""
    random = np.random.default_rng(seed)
    shape = (n_symbols, n_bars)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, shape), axis=1))
    opened = close * np.exp(random.normal(0, 0.004, shape))
    spread = np.exp(np.abs(random.normal(0, 0.003, shape)))
    fields = {
        "open": opened,
        "high": np.maximum(opened, close) * spread,
        "low": np.minimum(opened, close) / spread,
        "close": close,
        "volume": random.lognormal(3, 1, shape),
    }
    is_missing = random.random(shape) < gap_share
    for row, start in enumerate(random.integers(0, latest_start + 1, n_symbols)):
        is_missing[row, :start] = True
        is_missing[row, start] = False
    times = FIRST_MS + HOUR_MS * np.arange(n_bars, dtype=np.int64)
    present = {name: np.where(is_missing, np.nan, values) for name, values in fields.items()}
    return Market(tuple(f"S{row}" for row in range(n_symbols)), HOUR_MS, times, **present)


def of_closes(*closes: list[float], volume: list[float] | None = None, first_ms: int = FIRST_MS) -> Market:
    """Bars that open, peak, bottom and close at one price; NaN is a missing bar. Volume 1 unless given."""
    close = np.array(closes, dtype=np.float64)
    traded = np.ones_like(close) if volume is None else np.broadcast_to(np.array(volume, dtype=np.float64), close.shape)
    times = first_ms + HOUR_MS * np.arange(close.shape[1], dtype=np.int64)
    names = tuple(f"S{row}" for row in range(len(closes)))
    return Market(names, HOUR_MS, times, close, close, close, close, np.where(np.isnan(close), np.nan, traded))


def between(market: Market, first: int, end: int) -> Market:
    """Bars `first` up to, not including, `end`."""
    fields = {name: getattr(market, name)[:, first:end].copy() for name in CANDLE_FIELDS}
    extras = {name: values[:, first:end].copy() for name, values in market.extras.items()}
    return Market(market.symbols, market.bar_ms, market.open_time_ms[first:end].copy(), **fields, extras=extras)


def changed(market: Market, **fields: Array) -> Market:
    """The market with other values in some of its fields."""
    kept = {name: getattr(market, name) for name in CANDLE_FIELDS}
    return Market(market.symbols, market.bar_ms, market.open_time_ms, **(kept | fields), extras=market.extras)


def of_symbols(market: Market, rows: Sequence[int]) -> Market:
    """The market of some of its symbols, in that order."""
    order = list(rows)
    fields = {name: getattr(market, name)[order] for name in CANDLE_FIELDS}
    extras = {name: values[order] for name, values in market.extras.items()}
    return Market(tuple(market.symbols[i] for i in order), market.bar_ms, market.open_time_ms, **fields, extras=extras)
