"""A table's file as an Arrow table: parquet, feather or CSV.

Does not belong here: what its columns mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.feather as feather
import pyarrow.parquet as pq

from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

KINDS = {".parquet": "parquet", ".pq": "parquet", ".feather": "feather", ".arrow": "feather", ".csv": "CSV"}
EXPECTED = "a .parquet, .feather or .csv file with rows"
DAMAGE = (OSError, pa.ArrowException, UnicodeDecodeError, ValueError)


def read_table(path: Path, texts: Collection[str]) -> pa.Table:
    """All columns of a file; those named in `texts` stay text where the file is CSV. An index is a column.

    Raises InputError for a file that is missing, damaged, of another kind, without rows, or with a column name twice.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None or not path.is_file():
        found = "no such file" if kind else f"a file of type {path.suffix or 'unknown'}"
        raise InputError(_problem(path, found, "save the table as parquet" if kind is None else "name a file"))
    try:
        table = _read(path, kind, texts)
        table.validate(full=True)  # a damaged file may load and crash the process later
    except DAMAGE as error:
        found = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(_problem(path, found, "replace the file by a sound copy")) from None
    if not table.num_rows:
        raise InputError(_problem(path, "no row", "write the table with its rows"))
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise InputError(_problem(path, f"columns of one name: {', '.join(twice)}", "give each column its own name"))
    return table.replace_schema_metadata()


def _read(path: Path, kind: str, texts: Collection[str]) -> pa.Table:
    if kind == "parquet":
        return pq.ParquetFile(path).read()
    if kind == "feather":
        return feather.read_table(path, memory_map=False)
    types = dict.fromkeys(texts, pa.string())
    return csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True))


def _problem(path: Path, found: str, help_line: str) -> Problem:
    return Problem("audit-table-file", str(path), found, EXPECTED, help_line)
