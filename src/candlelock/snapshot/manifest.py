"""The manifest of a snapshot: what is in it, under a name that depends on nothing but the candles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from candlelock.artifacts import documents, merkle
from candlelock.artifacts.hashing import sha256_file, sha256_json
from candlelock.contracts.documents import utc_text
from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.snapshot_documents import CandleColumn, Manifest, SymbolFile
from candlelock.snapshot.gaps import list_gaps
from candlelock.snapshot.raw_candles import TIME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from candlelock.contracts.snapshot_documents import Source

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
    entries = [_entry(folder, symbol, tables[symbol], timeframe, source) for symbol in sorted(tables)]
    return Manifest(snapshot_id=identify(timeframe, entries), timeframe=timeframe, source=source, symbols=entries)


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
    expected = identify(manifest.timeframe, manifest.symbols)
    if manifest.snapshot_id != expected:
        place = f"{folder / NAME} snapshot_id"
        problems.append(
            Problem("snapshot-id", place, manifest.snapshot_id, f"{expected}, which follows from its entries", HELP)
        )
    raise_if(problems)
    return manifest


def identity(timeframe: str, entries: Sequence[SymbolFile]) -> dict[str, Any]:
    """What a snapshot is, as the JSON whose SHA-256 names it: no source, no file, no order of symbols."""
    return {
        "timeframe": timeframe,
        "symbols": {
            entry.symbol: {
                "columns": {column.name: column.scale for column in entry.columns},
                "merkle_root": entry.merkle_root,
                "n_rows": entry.n_rows,
            }
            for entry in entries
        },
    }


def identify(timeframe: str, entries: Sequence[SymbolFile]) -> str:
    """The snapshot's id."""
    return sha256_json(identity(timeframe, entries))


def refuse_other_rows(entry: SymbolFile, table: pa.Table, path: Path) -> None:
    """InputError when a table's rows do not give the root in the manifest: then the id does not name them."""
    found = merkle.root(table)
    if (found, table.num_rows, _columns(table)) != (entry.merkle_root, entry.n_rows, entry.columns):
        expected = f"Merkle root {entry.merkle_root} of {entry.n_rows} rows"
        raise InputError(Problem("snapshot-rows", str(path), f"{found} of {table.num_rows}", expected, HELP))


def _entry(folder: Path, symbol: str, table: pa.Table, timeframe: str, source: Source) -> SymbolFile:
    times_ms = open_time_ms(table)
    gaps = list_gaps(times_ms, bar_seconds(timeframe) * 1_000, source.asked)
    return SymbolFile(
        symbol=symbol,
        file=file_name(symbol),
        sha256=sha256_file(folder / file_name(symbol)),
        merkle_root=merkle.root(table),
        columns=_columns(table),
        n_rows=table.num_rows,
        first_open_utc=utc_text(int(times_ms[0])),
        last_open_utc=utc_text(int(times_ms[-1])),
        n_missing_bars=sum(gap.n_bars for gap in gaps),
        gaps=gaps,
    )


def _columns(table: pa.Table) -> list[CandleColumn]:
    return [
        CandleColumn(name=field.name, scale=field.type.scale if pa.types.is_decimal(field.type) else None)
        for field in table.schema
    ]


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
