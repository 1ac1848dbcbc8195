"""Publishing a snapshot: all candles checked and written aside, then the folder replaced as a whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, tables
from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.snapshot_documents import SymbolFile
from candlelock.contracts.tables import candles_schema
from candlelock.snapshot import manifest
from candlelock.snapshot.quality import find_refusals
from candlelock.snapshot.validation import candle_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from candlelock.contracts.snapshot_documents import CandleColumn, Manifest, Source
    from candlelock.contracts.stage_params import SnapshotParams
    from candlelock.snapshot.raw_candles import RawCandles

MANY_ROWS = 1_000_000  # from here on two threads pay for the memory they take; what is written does not depend on it


def publish(folder: Path, candles: Mapping[str, RawCandles], source: Source, params: SnapshotParams) -> Manifest:
    """Write one parquet per symbol and then the manifest; `folder` becomes exactly that, or stays as it was.

    Raises InputError with every problem of every symbol, and when `folder` is there and is no snapshot to replace.
    """
    refuse_strangers(folder)
    n_threads = 2 if sum(raw.table.num_rows for raw in candles.values()) >= MANY_ROWS else 1
    with atomic.replacing_folder(folder) as fresh:
        with ThreadPoolExecutor(n_threads) as threads:
            answers = list(threads.map(lambda symbol: _add(fresh, symbol, candles[symbol], source, params), candles))
        raise_if([problem for answer in answers if isinstance(answer, InputError) for problem in answer.problems])
        entries = [answer for answer in answers if isinstance(answer, SymbolFile)]
        raise_if(_find_twins(entries, source))
        document = manifest.describe(entries, params.timeframe, source)
        documents.write(fresh / manifest.NAME, document)
    return document


def refuse_strangers(folder: Path) -> None:
    """InputError for a folder that holds anything but a snapshot: it would be replaced as a whole."""
    if not folder.exists() and not folder.is_symlink():
        return
    is_folder = folder.is_dir() and not folder.is_symlink()
    names = sorted(path.name for path in folder.iterdir()) if is_folder else []
    strangers = [name for name in names if name != manifest.NAME and not name.endswith(".parquet")]
    if is_folder and (not names or (manifest.NAME in names and not strangers)):
        return
    found = f"other files: {', '.join(strangers or names)}"[:200] if is_folder else "something that is no folder"
    expected = "a new or empty folder, or a snapshot, which is replaced as a whole"
    help_line = "name another folder, or move those files away"
    raise InputError(Problem("snapshot-out", str(folder), found, expected, help_line))


def _find_twins(entries: Sequence[SymbolFile], source: Source) -> list[Problem]:
    """Symbols with one and the same history: a file under a wrong name, or an exchange that answers for another one."""
    first: dict[tuple[str, tuple[CandleColumn, ...]], str] = {}
    return [
        Problem(
            "candles-twins",
            f"{source.name} {entry.symbol}",
            f"the very candles of {twin}",
            "candles of its own",
            "find out which of the two they belong to, and leave the other out",
        )
        for entry in entries
        if (twin := first.setdefault((entry.merkle_root, tuple(entry.columns)), entry.symbol)) != entry.symbol
    ]


def _add(folder: Path, symbol: str, raw: RawCandles, source: Source, params: SnapshotParams) -> SymbolFile | InputError:
    """A symbol's file and entry. One symbol after the other in each thread, so that few tables are held at a time."""
    try:
        table = candle_table(raw, bar_seconds(params.timeframe) * 1_000, params.min_rows)
        raise_if(find_refusals(table, f"{raw.place} {symbol}", params.timeframe, source.asked, params.quality))
    except InputError as error:
        return error
    tables.write(folder / manifest.file_name(symbol), table, candles_schema(table.column_names))
    return manifest.describe_file(folder, symbol, table, params.timeframe, source)
