"""One file's bytes as candles, by what its name ends with: CSV, gzipped or zipped CSV, parquet, feather."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import PurePath
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from candlelock.contracts.errors import InputError, Problem
from candlelock.snapshot import csv_text
from candlelock.snapshot.raw_candles import RawCandles

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

MAX_UNPACKED_BYTES = 2 << 30
# The last three: a zip file that is encrypted, compressed in a way unknown here, or says impossible things of itself.
DAMAGE = (OSError, EOFError, zlib.error, pa.ArrowException, UnicodeDecodeError, zipfile.BadZipFile)
ZIP_DAMAGE = (RuntimeError, NotImplementedError, ValueError)


def parse(content: bytes, path: Path) -> RawCandles:
    """The candles of a file at `path` with these bytes. Raises InputError when they cannot be read."""
    try:
        return _parse(content, path)
    except DAMAGE as error:
        raise InputError(unreadable(path, error)) from None


def unreadable(path: Path, error: Exception) -> Problem:
    """The problem of a file that is damaged or not what its name says."""
    found = f"{type(error).__name__}: {error}".splitlines()[0]
    expected = f"a whole {''.join(path.suffixes)} file"
    return Problem("files-unreadable", str(path), found, expected, "replace the file by a sound copy")


def _parse(content: bytes, path: Path) -> RawCandles:
    name = path.name.lower()
    if name.endswith(".csv"):
        return csv_text.parse(content, str(path))
    if name.endswith(".csv.gz"):
        return csv_text.parse(_unpack(gzip.open(io.BytesIO(content)), path), str(path))
    if name.endswith(".zip"):
        return _parse_zip(content, path)
    reader = pa.BufferReader(content)
    table = pq.ParquetFile(reader).read() if name.endswith(".parquet") else feather.read_table(reader)
    table.validate(full=True)  # a damaged file may load and crash the process later
    names = table.column_names  # raises where a name is not UTF-8
    return RawCandles(str(path), has_lines=False, table=table.rename_columns(names).replace_schema_metadata())


def _unpack(packed: IO[bytes] | gzip.GzipFile, path: Path) -> bytes:
    """All of a packed file, up to a limit: a few kilobytes can unpack to more than any memory."""
    with packed:
        text = packed.read(MAX_UNPACKED_BYTES + 1)
    if len(text) > MAX_UNPACKED_BYTES:
        found, expected = "more than 2 GiB when unpacked", "at most 2 GiB in one file"
        help_line = "split it into dated parts, or save it as parquet"
        raise InputError(Problem("files-too-large", str(path), found, expected, help_line))
    return text


def _parse_zip(content: bytes, path: Path) -> RawCandles:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [each for each in archive.namelist() if PurePath(each).suffix.lower() == ".csv"]
        tables = [each for each in members if not each.startswith("__MACOSX")]
        if len(tables) != 1:
            found = ", ".join(tables[:5]) or "no CSV file"
            help_line = "unpack it and keep the CSV file that holds the candles"
            raise InputError(Problem("files-zip", str(path), found, "one CSV file in the archive", help_line))
        try:
            text = _unpack(archive.open(tables[0]), path)
        except ZIP_DAMAGE as error:
            raise InputError(unreadable(path, error)) from None
    return csv_text.parse(text, f"{path}!{tables[0]}")
