"""Candles of all symbols on one regular time grid: what every feature group reads.

Does not belong here: reading files, features, labels.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

Array = npt.NDArray[np.float64]
CANDLE_FIELDS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Market:
    """Candles of `n_symbols` symbols over `n_bars` consecutive bars.

    Prices and volume have the shape (n_symbols, n_bars), float64, NaN where the exchange has no candle.
    `open_time_ms` has the shape (n_bars,), int64 milliseconds since 1970 UTC, and advances by `bar_ms` without a gap.
    `extras`: optional columns of the candles (contracts.tables.EXTRA_COLUMNS) that any symbol has, by name, shaped like
    the prices; NaN also where a symbol lacks the column.
    """

    symbols: tuple[str, ...]
    bar_ms: int
    open_time_ms: npt.NDArray[np.int64]
    open: Array
    high: Array
    low: Array
    close: Array
    volume: Array
    extras: Mapping[str, Array] = field(default_factory=dict)

    @property
    def has_bar(self) -> npt.NDArray[np.bool_]:
        """True where the exchange has a candle; shape (n_symbols, n_bars)."""
        return ~np.isnan(self.close)

    def columns(self) -> dict[str, Array]:
        """Every column by name, extras included; shape (n_symbols, n_bars) each."""
        return {**{name: getattr(self, name) for name in CANDLE_FIELDS}, **self.extras}

    def until(self, open_time_ms: int) -> Market:
        """The market as it was known when the bar that opens at `open_time_ms` had closed; later bars do not exist."""
        n_bars = int(np.searchsorted(self.open_time_ms, open_time_ms, side="right"))
        fields = {name: getattr(self, name)[:, :n_bars].copy() for name in CANDLE_FIELDS}
        extras = {name: values[:, :n_bars].copy() for name, values in self.extras.items()}
        return Market(self.symbols, self.bar_ms, self.open_time_ms[:n_bars].copy(), **fields, extras=extras)


def align(candles: Mapping[str, pd.DataFrame], bar_ms: int) -> Market:
    """Put each symbol's candles on the common grid from the first to the last open time of all; gaps become NaN.

    `candles`: symbol -> frame with int64 `open_time_ms` on the grid, ascending and unique, and the five candle fields
    as float64; further columns, float64, become extras. Symbols keep the mapping's order.
    """
    times = {symbol: frame["open_time_ms"].to_numpy(np.int64) for symbol, frame in candles.items()}
    first = min(int(t[0]) for t in times.values())
    last = max(int(t[-1]) for t in times.values())
    grid = np.arange(first, last + bar_ms, bar_ms, dtype=np.int64)
    named = dict.fromkeys(name for frame in candles.values() for name in frame.columns if name != "open_time_ms")
    grids = {name: np.full((len(candles), len(grid)), np.nan) for name in (*CANDLE_FIELDS, *named)}
    for row, (symbol, frame) in enumerate(candles.items()):
        at = (times[symbol] - first) // bar_ms
        for name in frame.columns.intersection(list(grids)):
            grids[name][row, at] = frame[name].to_numpy(np.float64)
    fields = {name: grids.pop(name) for name in CANDLE_FIELDS}
    return Market(tuple(candles), bar_ms, grid, **fields, extras=grids)


def first_bars(market: Market) -> npt.NDArray[np.int64]:
    """Number of each symbol's first bar; the number of bars where it has none."""
    has_bar = market.has_bar
    return np.asarray(np.where(has_bar.any(axis=1), has_bar.argmax(axis=1), has_bar.shape[1]), dtype=np.int64)


def with_books(market: Market, books: Mapping[str, pa.Table]) -> Market:
    """The market with the columns of order-book bars as extras `book_<column>`; NaN where there is no recording.

    `books`: symbol -> table of `contracts.book_tables`, one row a bar. Its flags are left out: they know what is later.
    """
    extras = dict(market.extras)
    for symbol, table in books.items():
        if symbol not in market.symbols:
            continue
        times = table["open_time_utc"].cast(pa.int64()).to_numpy()
        at = (times - market.open_time_ms[0]) // market.bar_ms
        inside = (at >= 0) & (at < len(market.open_time_ms))
        row = market.symbols.index(symbol)
        for name in table.column_names:
            if name == "open_time_utc" or pa.types.is_boolean(table[name].type):
                continue
            values = extras.setdefault(f"book_{name}", np.full_like(market.close, np.nan))
            values[row, at[inside]] = table[name].cast(pa.float64()).to_numpy()[inside]
    return replace(market, extras=extras)
