"""How the values of a feature are spread, symbol by symbol, in the tables that were built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from candlelock.artifacts import documents
from candlelock.contracts import files
from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.snapshot_documents import Manifest

if TYPE_CHECKING:
    from pathlib import Path

QUANTILES = (0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0)


@dataclass(frozen=True)
class Spread:
    """A feature's values of one symbol. Quantiles are null when there is no value."""

    symbol: str
    n_rows: int
    n_null: int
    mean: float | None
    quantiles: dict[str, float | None]


def read_spreads(root: Path, name: str) -> list[Spread]:
    """The spread of a built feature over each symbol; empty when it is not among the tables below `root`.

    Raises InputError when a table cannot be read.
    """
    if not (root / files.MANIFEST).is_file():
        return []
    manifest = documents.read(root / files.MANIFEST, Manifest)
    found = [(entry.symbol, _read_column(root / files.FEATURES / entry.file, name)) for entry in manifest.symbols]
    return [_spread(symbol, values) for symbol, values in found if values is not None]


def _read_column(path: Path, name: str) -> pa.ChunkedArray | None:
    if not path.is_file():
        return None
    try:
        table = pq.ParquetFile(path)
        return table.read([name])[name] if name in table.schema_arrow.names else None
    except (pa.ArrowException, OSError) as error:
        found = f"{type(error).__name__}: {error}".splitlines()[0]
        help_line = "rebuild it with `dvc repro features`"
        raise InputError(Problem("table-unreadable", str(path), found, "a parquet file", help_line)) from None


def _spread(symbol: str, column: pa.ChunkedArray) -> Spread:
    values = column.drop_null().to_numpy()
    cuts = np.quantile(values, QUANTILES).tolist() if len(values) else [None] * len(QUANTILES)
    names = [f"{100 * cut:g}%" for cut in QUANTILES]
    mean = float(values.mean()) if len(values) else None
    return Spread(symbol, len(column), column.null_count, mean, dict(zip(names, cuts, strict=True)))
