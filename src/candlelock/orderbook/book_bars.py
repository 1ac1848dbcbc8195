"""Reading an imported order book back, verified. What its columns mean: `contracts.book_tables`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts import documents, tables
from candlelock.artifacts.hashing import sha256_file
from candlelock.contracts.book_documents import BookReport
from candlelock.contracts.book_tables import book_bars
from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

REPORT = "book.json"


def table_name(symbol: str) -> str:
    """The parquet file of a symbol."""
    return f"{symbol.replace('/', '-')}.parquet"


def read(folder: Path) -> tuple[BookReport, pa.Table]:
    """The report and the bars of an import, in time order; bars without any message have no row.

    Raises InputError when the folder is not what its report says.
    """
    report = documents.read(folder / REPORT, BookReport)
    path = folder / table_name(report.symbol)  # never a path from the document
    table = tables.read(path, book_bars(tuple(report.levels)))
    if sha256_file(path) != report.table_sha256:
        expected = f"the bytes that {REPORT} names"
        raise InputError(Problem("book-changed", str(path), "another hash", expected, "import the recording again"))
    return report, table
