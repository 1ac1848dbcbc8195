"""Reading an imported order book back, verified. What its columns mean: `contracts.book_tables`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from candlelock.artifacts import documents, tables
from candlelock.artifacts.hashing import sha256_file
from candlelock.contracts.book_documents import BookReport
from candlelock.contracts.book_tables import book_bars
from candlelock.contracts.errors import InputError, Problem, raise_if

if TYPE_CHECKING:
    from pathlib import Path

REPORT = "book.json"
IMPORT_AGAIN = "delete the folder, or import the recording again"


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


def read_all(folder: Path, timeframe: str) -> dict[str, pa.Table]:
    """Symbol -> bars of all imports below `folder`, in time order.

    Raises InputError when an import has another timeframe, or two of a symbol hold the same bar.
    """
    imports = [(path.parent, *read(path.parent)) for path in sorted(folder.glob(f"*/{REPORT}"))]
    raise_if(
        [
            Problem("book-timeframe", str(path), f"bars of {report.timeframe}", f"bars of {timeframe}", IMPORT_AGAIN)
            for path, report, _ in imports
            if report.timeframe != timeframe
        ]
    )
    tables_of: dict[str, list[pa.Table]] = {}
    for _, report, table in imports:
        tables_of.setdefault(report.symbol, []).append(table)
    joined = {
        symbol: pa.concat_tables(parts, promote_options="default").sort_by("open_time_utc")
        for symbol, parts in tables_of.items()
    }
    raise_if(
        [
            Problem("book-twice", str(folder), f"two imports of {symbol} with one bar", "each bar once", IMPORT_AGAIN)
            for symbol, table in joined.items()
            if len(table["open_time_utc"].unique()) < table.num_rows
        ]
    )
    return joined
