"""Reading a published snapshot back, verified: exact decimals for the back-test, float64 for features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from candlelock.artifacts import tables
from candlelock.contracts.tables import candles_schema
from candlelock.snapshot import manifest as manifests
from candlelock.snapshot.decimals import to_float64
from candlelock.snapshot.raw_candles import TIME

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from candlelock.contracts.snapshot_documents import Manifest, SymbolFile
    from candlelock.contracts.tables import TableSchema


def read_exact(folder: Path) -> tuple[Manifest, dict[str, pa.Table]]:
    """The manifest and symbol -> candle table (contracts.tables.candles_schema, decimals as printed), sorted by symbol.

    Raises InputError when the folder is not what its manifest says.
    """
    manifest = manifests.verify(folder)
    candles = {entry.symbol: tables.read(folder / entry.file, _schema(entry)) for entry in manifest.symbols}
    manifests.refuse_other_rows(folder, manifest, candles)
    return manifest, candles


def read(folder: Path) -> tuple[Manifest, dict[str, pd.DataFrame]]:
    """The same as frames: int64 `open_time_ms` and float64 open, high, low, close, volume, nearest to the decimals.

    Extra columns (contracts.tables.EXTRA_COLUMNS) follow as float64 where the symbol has them. Rows are the source's
    candles in time order, without NaN; bars the source lacks have no row.
    """
    manifest, candles = read_exact(folder)
    return manifest, {symbol: to_frame(table) for symbol, table in candles.items()}


def _schema(entry: SymbolFile) -> TableSchema:
    return candles_schema([column.name for column in entry.columns])


def to_frame(table: pa.Table) -> pd.DataFrame:
    """One symbol's candles as `read` gives them."""
    numbers = {name: _floats(table[name]) for name in table.column_names if name != TIME}
    return pd.DataFrame({"open_time_ms": manifests.open_time_ms(table), **numbers})


def _floats(values: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return to_float64(values) if pa.types.is_decimal(values.type) else values.to_numpy().astype(np.float64)
