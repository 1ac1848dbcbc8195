"""Reading a published snapshot back, verified: exact decimals for the back-test, float64 for features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from candlelock.artifacts import tables
from candlelock.contracts.tables import CANDLES
from candlelock.snapshot import manifest as manifests
from candlelock.snapshot.decimals import to_float64
from candlelock.snapshot.raw_candles import AMOUNTS

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from candlelock.contracts.snapshot_documents import Manifest


def read_exact(folder: Path) -> tuple[Manifest, dict[str, pa.Table]]:
    """The manifest and symbol -> candle table (contracts.tables.CANDLES, decimals as printed), sorted by symbol.

    Raises InputError when the folder is not what its manifest says.
    """
    manifest = manifests.verify(folder)
    candles = {entry.symbol: tables.read(folder / entry.file, CANDLES) for entry in manifest.symbols}
    for entry in manifest.symbols:
        manifests.refuse_other_rows(entry, candles[entry.symbol], folder / entry.file)
    return manifest, candles


def read(folder: Path) -> tuple[Manifest, dict[str, pd.DataFrame]]:
    """The same as frames: int64 `open_time_ms` and float64 open, high, low, close, volume, nearest to the decimals.

    Rows are the source's candles in time order, without NaN; bars the source lacks have no row.
    """
    manifest, candles = read_exact(folder)
    return manifest, {symbol: _frame(table) for symbol, table in candles.items()}


def _frame(table: pa.Table) -> pd.DataFrame:
    amounts = {name: to_float64(table[name]) for name in AMOUNTS}
    return pd.DataFrame({"open_time_ms": manifests.open_time_ms(table), **amounts})
