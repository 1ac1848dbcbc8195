"""From the files of a recording to a folder with the table of bars and the report. Features are built elsewhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, tables
from candlelock.artifacts.hashing import sha256_file
from candlelock.contracts.book_documents import BookReport, RecordingFile
from candlelock.contracts.book_tables import book_bars
from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.params import bar_seconds
from candlelock.orderbook.book_bars import REPORT, table_name
from candlelock.orderbook.messages import HELP, MAX_INTEGER, NS_PER_MS, parse
from candlelock.orderbook.recording import Recording
from candlelock.orderbook.report import describe
from candlelock.orderbook.source_files import Damage, order, read_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def import_recording(
    paths: Sequence[Path],
    symbol: str,
    timeframe: str,
    levels: tuple[int, ...],
    folder: Path,
    show: Callable[[int, int], None],
) -> BookReport:
    """Import the files of one symbol into `folder`, which is replaced as a whole, and return the report.

    `show` is told the bytes read and their total. Raises InputError with the first examples of every kind of damage,
    for files that overlap in local time, and for a folder that holds other things; nothing is written then.
    """
    raise_if(_other_things(folder))
    recording = Recording(bar_seconds(timeframe) * 1000, levels)
    files = _read(order(paths), symbol.replace("/", ""), recording, show)
    table = recording.finish()
    with atomic.replacing_folder(folder) as fresh:
        path = fresh / table_name(symbol)
        tables.write(path, table, book_bars(levels))
        report = describe(recording, table, symbol, timeframe, files, sha256_file(path))
        documents.write(fresh / REPORT, report)
    return report


def _other_things(folder: Path) -> list[Problem]:
    """A problem for a folder that is not there to be replaced: a file, or one with more than an import in it."""
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    others = [name for name in names if name != REPORT and not name.endswith(".parquet")]
    if folder.is_dir() and (not names or (REPORT in names and len(names) == 2 and not others)):
        return []
    if not folder.exists():
        return []
    found = f"it holds {', '.join(names[:5])}" if folder.is_dir() else "a file"
    expected = "a new folder, an empty one, or an earlier import to replace"
    return [Problem("book-out", str(folder), found, expected, "name another folder")]


def _read(
    paths: Sequence[Path], pair: str, recording: Recording, show: Callable[[int, int], None]
) -> list[RecordingFile]:
    """Every line of the files, in order, into `recording`. Raises InputError with all damage."""
    damage, files = Damage(), list[RecordingFile]()
    n_total, n_before = sum(path.stat().st_size for path in paths), 0
    for path in paths:
        after_ms = files[-1].last_local_ms if files else 0
        try:
            files.append(_read_file(path, pair, recording, damage, partial(_show_more, show, n_before, n_total)))
            raise_if(_overlap(files[-1], after_ms))
        except InputError as error:
            damage.add(error, str(path))
        n_before += path.stat().st_size
    damage.raise_if_any()
    if recording.bars.first_ms is None:
        place, found = ", ".join(map(str, paths)), "no message with a time"
        raise InputError(Problem("book-empty", place, found, "at least one trade or depth message", HELP))
    return files


def _show_more(show: Callable[[int, int], None], n_before: int, n_total: int, n_bytes: int) -> None:
    show(n_before + n_bytes, n_total)


def _read_file(
    path: Path, pair: str, recording: Recording, damage: Damage, show: Callable[[int], None]
) -> RecordingFile:
    n_lines, first_ns, last_ns = 0, MAX_INTEGER, 0
    for n_lines, line in read_lines(path, show):
        try:
            message = parse(line, pair)
            first_ns, last_ns = min(first_ns, message.local_ns), max(last_ns, message.local_ns)
            recording.add(message, f"{path.name}:{n_lines}")
        except InputError as error:
            damage.add(error, f"{path}:{n_lines}")
    ends = min(first_ns, last_ns) // NS_PER_MS, last_ns // NS_PER_MS  # 0 where no line can be read
    return RecordingFile(
        name=path.name, sha256=sha256_file(path), n_lines=n_lines, first_local_ms=ends[0], last_local_ms=ends[1]
    )


def _overlap(file: RecordingFile, after_ms: int) -> list[Problem]:
    if not 0 < file.first_local_ms < after_ms:
        return []
    found, expected = (
        f"it begins at {file.first_local_ms}",
        f"a begin at or after {after_ms}, the end of the one before",
    )
    return [Problem("book-overlap", "local time", found, expected, "name each part of the recording once")]
