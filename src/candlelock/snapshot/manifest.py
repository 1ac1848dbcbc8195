"""The manifest of a snapshot: what is in it, under a name that depends on nothing but the candles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.artifacts import documents
from candlelock.artifacts.hashing import logical_hash, sha256_file, sha256_json
from candlelock.contracts.documents import Manifest, SymbolFile, utc_text
from candlelock.contracts.errors import Problem, raise_if
from candlelock.contracts.params import bar_seconds
from candlelock.snapshot.gaps import list_gaps
from candlelock.snapshot.raw_candles import TIME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from candlelock.contracts.documents import Source

NAME = "manifest.json"
HELP = "`dvc checkout` brings the stored snapshot back; `dvc repro` builds it anew"


def file_name(symbol: str) -> str:
    """The parquet file of a symbol."""
    return f"{symbol.replace('/', '-')}.parquet"


def open_time_ms(table: pa.Table) -> npt.NDArray[np.int64]:
    """Open times of a candle table as int64 milliseconds since 1970 UTC."""
    return np.asarray(table[TIME].cast(pa.int64()), dtype=np.int64)


def describe(folder: Path, tables: Mapping[str, pa.Table], timeframe: str, source: Source) -> Manifest:
    """The manifest of candle tables that stand in `folder`, each in its `file_name`."""
    entries = [_entry(folder, symbol, tables[symbol], timeframe) for symbol in sorted(tables)]
    return Manifest(snapshot_id=_identify(timeframe, entries), timeframe=timeframe, source=source, symbols=entries)


def verify(folder: Path) -> Manifest:
    """The manifest of a published folder whose files are all there, are the only ones and have the hashes it names.

    Raises InputError with one problem per file, and one for an id that does not follow from the manifest.
    """
    manifest = documents.read(folder / NAME, Manifest)
    listed = {entry.file: entry.sha256 for entry in manifest.symbols}
    present = {path.name for path in folder.iterdir()} - {NAME}
    problems = [_missing(folder / name) for name in sorted(listed.keys() - present)]
    problems += [_extra(folder / name) for name in sorted(present - listed.keys())]
    for name in sorted(listed.keys() & present):
        found = sha256_file(folder / name)
        if found != listed[name]:
            problems.append(
                Problem("snapshot-changed", str(folder / name), f"sha256 {found}", f"sha256 {listed[name]}", HELP)
            )
    expected = _identify(manifest.timeframe, manifest.symbols)
    if manifest.snapshot_id != expected:
        place = f"{folder / NAME} snapshot_id"
        problems.append(
            Problem("snapshot-id", place, manifest.snapshot_id, f"{expected}, which follows from its entries", HELP)
        )
    raise_if(problems)
    return manifest


def _identify(timeframe: str, entries: list[SymbolFile]) -> str:
    candles = {entry.symbol: entry.logical_hash for entry in entries}
    return sha256_json({"timeframe": timeframe, "candles": candles})


def _entry(folder: Path, symbol: str, table: pa.Table, timeframe: str) -> SymbolFile:
    times_ms = open_time_ms(table)
    gaps = list_gaps(times_ms, bar_seconds(timeframe) * 1_000)
    return SymbolFile(
        symbol=symbol,
        file=file_name(symbol),
        sha256=sha256_file(folder / file_name(symbol)),
        logical_hash=logical_hash(table),
        n_rows=table.num_rows,
        first_open_utc=utc_text(int(times_ms[0])),
        last_open_utc=utc_text(int(times_ms[-1])),
        n_missing_bars=sum(gap.n_bars for gap in gaps),
        gaps=gaps,
    )


def _missing(path: Path) -> Problem:
    return Problem("snapshot-missing", str(path), "no file", "the file its manifest names", HELP)


def _extra(path: Path) -> Problem:
    return Problem(
        "snapshot-extra",
        str(path),
        "a file its manifest does not name",
        "only the manifest's files",
        f"remove it, or: {HELP}",
    )
