"""Candle tables and their manifests in memory, with defects where a test wants them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.contracts.documents import utc_text
from candlelock.contracts.snapshot_documents import CandleColumn, Manifest, Source, SymbolFile
from candlelock.contracts.tables import TIME
from candlelock.snapshot.gaps import list_gaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from candlelock.contracts.snapshot_documents import AskedRange

BAR_MS = 1_800_000
FIRST_MS = 1_704_067_200_000  # 2024-01-01
SWING = (10_000, 10_100)


@dataclass
class Bars:
    """Half-hour bars from 2024-01-01 that open at the close before and close at 100.00 and 101.00 in turn, volume 1.

    Prices are integers, in hundredths. Change the arrays, then take the table.
    """

    bars: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray

    def freeze(self, first: int, n_bars: int) -> None:
        """Hold all prices at the close before."""
        at = slice(first, first + n_bars)
        for values in (self.open, self.high, self.low, self.close):
            values[at] = self.close[first - 1]
        if first + n_bars < len(self.bars):
            self.open[first + n_bars] = self.close[first - 1]
            self._widen()

    def jump(self, row: int, close: int) -> None:
        """Another close of one bar; the next one opens there."""
        self.close[row] = close
        self.open[row + 1 : row + 2] = close
        self._widen()

    def _widen(self) -> None:
        self.high = np.maximum(self.high, np.maximum(self.open, self.close))
        self.low = np.minimum(self.low, np.minimum(self.open, self.close))

    def table(self, without: Iterable[int] = ()) -> pa.Table:
        """As contracts.tables.CANDLES, but for the bars to leave out."""
        kept = np.setdiff1d(np.arange(len(self.bars)), list(without))
        prices = {name: _decimals(getattr(self, name)[kept], 2) for name in ("open", "high", "low", "close")}
        times = pa.array(FIRST_MS + self.bars[kept] * BAR_MS, pa.int64()).cast(TIME)
        return pa.table({"open_time_utc": times, **prices, "volume": _decimals(self.volume[kept], 0)})


def swing(n_bars: int) -> Bars:
    """The bars without a defect."""
    rows = np.arange(n_bars)
    close = np.where(rows % 2, *SWING[::-1]).astype(np.int64)
    opened = np.where(rows % 2, *SWING).astype(np.int64)
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    return Bars(rows, opened, high, low, close, np.ones(n_bars, dtype=np.int64))


def describe(tables: Mapping[str, pa.Table], asked: AskedRange | None = None) -> Manifest:
    """A manifest of the tables, in the given order; hashes are made up."""
    source = Source(kind="exchange" if asked else "files", name="test", address=None, asked=asked, files={})
    entries = [_entry(symbol, table, asked) for symbol, table in tables.items()]
    return Manifest(snapshot_id="5" * 64, timeframe="30m", source=source, symbols=entries)


def _entry(symbol: str, table: pa.Table, asked: AskedRange | None) -> SymbolFile:
    times_ms = np.asarray(table["open_time_utc"].cast(pa.int64()), dtype=np.int64)
    gaps = list_gaps(times_ms, BAR_MS, asked)
    return SymbolFile(
        symbol=symbol,
        file=f"{symbol.replace('/', '-')}.parquet",
        sha256="1" * 64,
        merkle_root="2" * 64,
        columns=[CandleColumn(name=name, scale=None) for name in table.column_names],
        n_rows=table.num_rows,
        first_open_utc=utc_text(int(times_ms[0])),
        last_open_utc=utc_text(int(times_ms[-1])),
        n_missing_bars=sum(gap.n_bars for gap in gaps),
        gaps=gaps,
    )


def _decimals(values: np.ndarray, scale: int) -> pa.Array:
    return pa.array([Decimal(int(value)).scaleb(-scale) for value in values], pa.decimal128(18, scale))
