"""The manifest of a snapshot: what is in it, under a name that depends on nothing but the candles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.artifacts import documents, merkle
from candlelock.artifacts.hashing import sha256_file, sha256_json
from candlelock.contracts.documents import utc_text
from candlelock.contracts.errors import Problem, raise_if
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.snapshot_documents import CandleColumn, Manifest, SymbolFile
from candlelock.contracts.version_documents import Identity, SymbolIdentity
from candlelock.snapshot.gaps import list_gaps
from candlelock.snapshot.raw_candles import TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from candlelock.contracts.snapshot_documents import Source

NAME = "manifest.json"
RECORD = "version.json"
HELP = "`dvc checkout` brings the stored snapshot back; `dvc repro` builds it anew"
HELP_NO_FILE = "put a copy there; DVC links files when its cache.type is symlink: `dvc config cache.type copy`"


def file_name(symbol: str) -> str:
    """The parquet file of a symbol."""
    return f"{symbol.replace('/', '-')}.parquet"


def open_time_ms(table: pa.Table) -> npt.NDArray[np.int64]:
    """Open times of a candle table as int64 milliseconds since 1970 UTC."""
    return np.asarray(table[TIME].cast(pa.int64()), dtype=np.int64)


def describe(entries: Iterable[SymbolFile], timeframe: str, source: Source) -> Manifest:
    """The manifest of symbols as of `describe_file`, in any order."""
    ordered = sorted(entries, key=lambda entry: entry.symbol)
    return Manifest(snapshot_id=identify(timeframe, ordered), timeframe=timeframe, source=source, symbols=ordered)


def describe_file(folder: Path, symbol: str, table: pa.Table, timeframe: str, source: Source) -> SymbolFile:
    """The entry of a candle table that stands in `folder`, in its `file_name`."""
    return _entry(symbol, sha256_file(folder / file_name(symbol)), table, timeframe, source)


def verify(folder: Path) -> Manifest:
    """The manifest of a published folder whose files are all there, are the only ones and have the hashes it names.

    Nothing outside the folder is read: links are refused, and files are those that the symbols' names give. The record
    of a stored version may stand beside the manifest. Raises InputError with one problem per file and entry, and one
    for an id that does not follow from the manifest.
    """
    raise_if([no_file(path) for path in (folder / NAME,) if path.is_symlink()])
    manifest = documents.read(folder / NAME, Manifest)
    raise_if(list(_entry_problems(folder / NAME, manifest)))
    listed = {entry.file: entry.sha256 for entry in manifest.symbols}
    present = {path.name for path in folder.iterdir()} - {NAME, RECORD}
    problems = [_missing(folder / name) for name in sorted(listed.keys() - present)]
    problems += [_extra(folder / name) for name in sorted(present - listed.keys())]
    problems += [p for name in sorted(listed.keys() & present) for p in _file_problems(folder / name, listed[name])]
    expected = identify(manifest.timeframe, manifest.symbols)
    if manifest.snapshot_id != expected:
        place = f"{folder / NAME} snapshot_id"
        problems.append(
            Problem("snapshot-id", place, manifest.snapshot_id, f"{expected}, which follows from its entries", HELP)
        )
    raise_if(problems)
    return manifest


def _entry_problems(path: Path, manifest: Manifest) -> Iterator[Problem]:
    symbols = [entry.symbol for entry in manifest.symbols]
    for symbol in sorted({symbol for symbol in symbols if symbols.count(symbol) > 1}):
        place, found = f"{path} {symbol}", f"{symbols.count(symbol)} entries"
        yield Problem("snapshot-twice", place, found, "each symbol once", HELP)
    for entry in manifest.symbols:
        if entry.file != (expected := file_name(entry.symbol)):
            yield Problem("snapshot-name", f"{path} {entry.symbol}", repr(entry.file), expected, HELP)


def _file_problems(path: Path, sha256: str) -> Iterator[Problem]:
    if path.is_symlink() or not path.is_file():
        yield no_file(path)
    elif (found := sha256_file(path)) != sha256:
        yield Problem("snapshot-changed", str(path), f"sha256 {found}", f"sha256 {sha256}", HELP)


def identity(timeframe: str, entries: Sequence[SymbolFile]) -> Identity:
    """What a snapshot is, as the document whose SHA-256 names it: no source, no file, no order of symbols."""
    symbols = {
        entry.symbol: SymbolIdentity(
            columns=[(column.name, column.scale) for column in entry.columns],
            merkle_root=entry.merkle_root,
            n_rows=entry.n_rows,
        )
        for entry in entries
    }
    return Identity(timeframe=timeframe, symbols=symbols)


def identify(timeframe: str, entries: Sequence[SymbolFile]) -> str:
    """The snapshot's id."""
    return sha256_json(identity(timeframe, entries).model_dump(mode="json"))


def refuse_other_rows(folder: Path, manifest: Manifest, tables: Mapping[str, pa.Table]) -> None:
    """InputError for every symbol whose rows do not give its entry: then the id does not name them."""
    problems = []
    for entry in manifest.symbols:
        table, place = tables[entry.symbol], str(folder / entry.file)
        wrong = _differences(entry, table, manifest) if table.num_rows else ["n_rows"]
        if wrong:
            expected = "rows that give their entry in the manifest"
            problems.append(Problem("snapshot-rows", place, f"rows with another {', '.join(wrong)}", expected, HELP))
    raise_if(problems)


def _differences(entry: SymbolFile, table: pa.Table, manifest: Manifest) -> list[str]:
    """Fields of an entry that do not follow from the rows."""
    try:
        found = _entry(entry.symbol, entry.sha256, table, manifest.timeframe, manifest.source)
    except (ValueError, OverflowError, OSError):  # times or types that no publication writes
        return ["kind of times or values"]
    return [name for name in SymbolFile.model_fields if getattr(found, name) != getattr(entry, name)]


def _entry(symbol: str, sha256: str, table: pa.Table, timeframe: str, source: Source) -> SymbolFile:
    times_ms = open_time_ms(table)
    gaps = list_gaps(times_ms, bar_seconds(timeframe) * 1_000, source.asked)
    return SymbolFile(
        symbol=symbol,
        file=file_name(symbol),
        sha256=sha256,
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


def no_file(path: Path) -> Problem:
    """The problem of a path that is a link, a folder or a device."""
    found = "a link" if path.is_symlink() else "a folder or a device"
    return Problem("snapshot-no-file", str(path), found, "the file itself", HELP_NO_FILE)


def _extra(path: Path) -> Problem:
    return Problem(
        "snapshot-extra",
        str(path),
        "a file its manifest does not name",
        "only the manifest's files",
        f"remove it, or: {HELP}",
    )
