"""The source `files`: a folder with one parquet, feather or CSV file per symbol."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.snapshot_documents import Source
from candlelock.snapshot import csv_text, file_names
from candlelock.snapshot.raw_candles import RawCandles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def read(symbols: Sequence[str], timeframe: str, folder: Path) -> tuple[dict[str, RawCandles], Source]:
    """The candles of each symbol as they stand in its file, and the files' hashes.

    Raises InputError for every symbol without exactly one file and for every file that cannot be read.
    """
    if not folder.is_dir():
        help_line = "set snapshot.files.path in params.yaml to the folder with your candles"
        raise InputError(Problem("files-folder", str(folder), "no such folder", "a folder of candle files", help_line))
    names = [path.name for path in folder.iterdir() if path.is_file() and file_names.is_candle_file(path.name)]
    candles: dict[str, RawCandles] = {}
    hashes: dict[str, str] = {}
    problems: list[Problem] = []
    for symbol in symbols:
        try:
            path = folder / file_names.find_file(symbol, timeframe, names, str(folder))
            candles[symbol], hashes[path.name] = _read_file(path)
        except InputError as error:
            problems.extend(error.problems)
    raise_if(problems)
    return candles, Source(kind="files", name=folder.name, address=None, asked=None, files=hashes)


def _read_file(path: Path) -> tuple[RawCandles, str]:
    try:
        content = path.read_bytes()
        return _parse(content, path), hashlib.sha256(content).hexdigest()
    except (OSError, EOFError, zlib.error, pa.ArrowException, UnicodeDecodeError) as error:
        found = f"{type(error).__name__}: {error}".splitlines()[0]
        expected = f"a whole {''.join(path.suffixes)} file"
        raise InputError(
            Problem("files-unreadable", str(path), found, expected, "replace the file by a sound copy")
        ) from None


def _parse(content: bytes, path: Path) -> RawCandles:
    name = path.name.lower()
    if name.endswith(".csv"):
        return csv_text.parse(content, str(path))
    if name.endswith(".csv.gz"):
        return csv_text.parse(gzip.decompress(content), str(path))
    reader = pa.BufferReader(content)
    table = pq.ParquetFile(reader).read() if name.endswith(".parquet") else feather.read_table(reader)
    table.validate(full=True)  # a damaged file may load and crash the process later
    names = table.column_names  # raises where a name is not UTF-8
    return RawCandles(str(path), has_lines=False, table=table.rename_columns(names))
