"""Publishing a snapshot: all candles checked before anything is written, the folder replaced as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, tables
from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.tables import CANDLES
from candlelock.snapshot import manifest
from candlelock.snapshot.validation import candle_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from candlelock.contracts.snapshot_documents import Manifest, Source
    from candlelock.contracts.stage_params import SnapshotParams
    from candlelock.snapshot.raw_candles import RawCandles


def publish(folder: Path, candles: Mapping[str, RawCandles], source: Source, params: SnapshotParams) -> Manifest:
    """Write one parquet per symbol and then the manifest; `folder` becomes exactly that, or stays as it was.

    Raises InputError with every problem of every symbol.
    """
    checked = _check(candles, params)
    with atomic.replacing_folder(folder) as fresh:
        for symbol, table in checked.items():
            tables.write(fresh / manifest.file_name(symbol), table, CANDLES)
        document = manifest.describe(fresh, checked, params.timeframe, source)
        documents.write(fresh / manifest.NAME, document)
    return document


def _check(candles: Mapping[str, RawCandles], params: SnapshotParams) -> dict[str, pa.Table]:
    checked: dict[str, pa.Table] = {}
    problems: list[Problem] = []
    for symbol, raw in candles.items():
        try:
            checked[symbol] = candle_table(raw, bar_seconds(params.timeframe) * 1_000, params.min_rows)
        except InputError as error:
            problems.extend(error.problems)
    raise_if(problems)
    return checked
