"""The source `files`: a folder with candle files of each symbol."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.snapshot_documents import Source
from candlelock.snapshot import column_names, file_formats, file_names, parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from candlelock.snapshot.raw_candles import RawCandles

N_THREADS = 2  # Arrow and the hash work outside Python's lock; what is read does not depend on it

Read = tuple["RawCandles", dict[str, str]]


def read(symbols: Sequence[str], timeframe: str, folder: Path) -> tuple[dict[str, RawCandles], Source]:
    """The candles of each symbol as they stand in its file or files, and the files' hashes.

    Raises InputError for every symbol without a file or with several that are no parts of one history, and for every
    file that cannot be read.
    """
    if not folder.is_dir():
        help_line = "set snapshot.files.path in params.yaml to the folder with your candles"
        raise InputError(Problem("files-folder", str(folder), "no such folder", "a folder of candle files", help_line))
    names = _candle_files(folder)
    with ThreadPoolExecutor(N_THREADS) as threads:
        answers = list(threads.map(lambda symbol: _read_or_refuse(symbol, timeframe, names, folder), symbols))
    raise_if([problem for answer in answers if isinstance(answer, InputError) for problem in answer.problems])
    read = {symbol: each for symbol, each in zip(symbols, answers, strict=True) if not isinstance(each, InputError)}
    hashes = {name: digest for _, each in read.values() for name, digest in each.items()}
    candles = {symbol: raw for symbol, (raw, _) in read.items()}
    return candles, Source(kind="files", name=folder.name, address=None, asked=None, files=hashes)


def _candle_files(folder: Path) -> list[str]:
    """Candle files in the folder and one folder down, by their paths below it."""
    paths = [*folder.glob("*"), *(path for path in folder.glob("*/*") if not path.parent.name.startswith("."))]
    return [
        path.relative_to(folder).as_posix() for path in paths if file_names.is_candle_file(path.name) and path.is_file()
    ]


def _read_or_refuse(symbol: str, timeframe: str, names: Sequence[str], folder: Path) -> Read | InputError:
    try:
        return _read_symbol(symbol, timeframe, names, folder)
    except InputError as error:
        return error


def _read_symbol(symbol: str, timeframe: str, names: Sequence[str], folder: Path) -> Read:
    found = file_names.find_files(symbol, timeframe, names, str(folder))
    read = {name: _read_file(folder / name, symbol) for name in found}
    candles = [raw for raw, _ in read.values()]
    whole = candles[0] if len(candles) == 1 else parts.join(candles, f"{folder}: {found[0]} to {found[-1]}")
    return whole, {name: digest for name, (_, digest) in read.items()}


def _read_file(path: Path, symbol: str) -> tuple[RawCandles, str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(file_formats.unreadable(path, error)) from None
    raw = file_formats.parse(content, path)
    table = raw.table.rename_columns(column_names.name_volumes(raw.table.column_names, symbol))
    return replace(raw, table=table), hashlib.sha256(content).hexdigest()
