"""Sound answers kept on disk while a snapshot is being taken, so that one that was killed goes on where it was.

An answer's file name carries the hash of its content, so a file that is torn or damaged is seen and asked for again;
that is why these files need neither a rename nor a sync.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from filelock import FileLock, Timeout

from candlelock.artifacts import atomic, documents
from candlelock.artifacts.hashing import sha256_json
from candlelock.contracts.errors import CandlelockError, InputError, Problem
from candlelock.contracts.snapshot_documents import AskedRange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from candlelock.snapshot.exchange.span import Span

RANGE = "range.json"


class Journal:
    """The answers of one request, below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read_range(self) -> AskedRange | None:
        """The instants that the killed run had settled on, if there was one."""
        try:
            return documents.read(self.folder / RANGE, AskedRange)
        except CandlelockError:
            return None

    def begin(self, asked: AskedRange) -> None:
        """Keep these instants; answers for other ones are dropped."""
        if self.read_range() != asked:
            self.clear()
            documents.write(self.folder / RANGE, asked)

    def read(self, symbol: str, page: Span) -> pa.Table | None:
        """The kept answer for a page; None when there is none or it is damaged."""
        for path in self._files(symbol, page):
            with contextlib.suppress(OSError, pa.ArrowException):
                content = path.read_bytes()
                if path.stem.split("-")[-1] == _digest(content):
                    table = pa.ipc.open_file(content).read_all()
                    table.validate(full=True)
                    return table
        return None

    def write(self, symbol: str, page: Span, table: pa.Table) -> None:
        """Keep an answer."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        content = sink.getvalue().to_pybytes()
        name = f"{page.start_ms}-{page.end_ms}-{_digest(content)}.arrow"
        folder = self._folder(symbol)
        with atomic.naming_disk_faults(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)

    def drop(self, symbol: str, page: Span) -> None:
        """Forget an answer that another one contradicts."""
        for path in self._files(symbol, page):
            path.unlink(missing_ok=True)

    def forget(self, symbol: str) -> None:
        """Forget all answers for a symbol."""
        shutil.rmtree(self._folder(symbol), ignore_errors=True)

    def clear(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self, symbol: str, page: Span) -> list[Path]:
        return sorted(self._folder(symbol).glob(f"{page.start_ms}-{page.end_ms}-*.arrow"))

    def _folder(self, symbol: str) -> Path:
        return self.folder / symbol.replace("/", "-")


@contextlib.contextmanager
def journal_of(request: dict[str, Any], downloads: Path) -> Iterator[Journal]:
    """The journal of a request, for one process at a time; deleted on a clean exit, kept for the next run otherwise.

    Raises InputError while another process takes the same.
    """
    folder = downloads / f"{request['exchange']}-{request['timeframe']}-{sha256_json(request)[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{folder}.lock", timeout=0):
            journal = Journal(folder)
            yield journal
            journal.clear()
    except Timeout:
        found, help_line = "another process is taking the same snapshot", "wait for it to end"
        raise InputError(Problem("exchange-busy", str(folder), found, "one process at a time", help_line)) from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
