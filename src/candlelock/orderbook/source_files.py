"""The files of a recording: their order in time, their lines, their damage. What a line says: `messages`."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.orderbook.messages import HELP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

GZIP = b"\x1f\x8b"
MAX_LINE = 4_000_000  # bytes; a snapshot of 5,000 levels a side has 400,000
MAX_EXAMPLES = 3
LINES_PER_STEP = 20_000


class Damage:
    """Problems found so far: the first few of each code in full, the others counted."""

    def __init__(self) -> None:
        self._first: dict[str, list[Problem]] = {}
        self._n: dict[str, int] = {}

    def add(self, error: InputError, place: str) -> None:
        """Take the problems of `error`, each found at `place`."""
        for problem in error.problems:
            examples = self._first.setdefault(problem.code, [])
            self._n[problem.code] = self._n.get(problem.code, 0) + 1
            if len(examples) < MAX_EXAMPLES:
                examples.append(replace(problem, place=f"{place} {problem.place}".strip()))

    def raise_if_any(self) -> None:
        """Raise one InputError with all of it."""
        raise_if([problem for code in self._first for problem in self._shown(code)])

    def _shown(self, code: str) -> list[Problem]:
        *most, last = self._first[code]
        if (n_more := self._n[code] - len(self._first[code])) > 0:
            last = replace(last, found=f"{last.found} (and {n_more:,} more like it)")
        return [*most, last]


def order(paths: Sequence[Path]) -> list[Path]:
    """The files by their first local time. Raises InputError for every file that has none or cannot be read."""
    damage, first = Damage(), dict[int, int]()
    for position, path in enumerate(paths):
        try:
            first[position] = _first_local_ns(path)
        except InputError as error:
            damage.add(error, str(path))
    damage.raise_if_any()
    return [paths[position] for position in sorted(first, key=first.__getitem__)]


def read_lines(path: Path, show: Callable[[int], None]) -> Iterator[tuple[int, bytes]]:
    """Each line with its number from 1; `show` is told the bytes of the file read so far, now and then.

    Raises InputError when the file is missing, cut short, damaged, or has a line beyond 4 MB.
    """
    number = 0
    try:
        with path.open("rb") as raw, _unpacked(raw) as lines:
            while line := lines.readline(MAX_LINE):
                number += 1
                if len(line) == MAX_LINE:
                    expected = f"lines shorter than {MAX_LINE:,} bytes"
                    raise InputError(Problem("book-unreadable", f"line {number}", "a longer one", expected, HELP))
                yield number, line
                if number % LINES_PER_STEP == 0:
                    show(raw.tell())
    except (OSError, EOFError, zlib.error) as error:
        found = f"after line {number}: {error.strerror if isinstance(error, FileNotFoundError) else error}"
        expected = "a whole file, plain text or gzip"
        raise InputError(Problem("book-unreadable", "", found, expected, "replace it by a sound copy")) from None


def _unpacked(raw: IO[bytes]) -> IO[bytes]:
    is_gzip = raw.read(len(GZIP)) == GZIP
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if is_gzip else raw  # type: ignore[return-value]


def _first_local_ns(path: Path) -> int:
    line = next(read_lines(path, lambda _: None), None)
    if line is None:
        raise InputError(Problem("book-empty", "", "no line", "a recording", "leave the file out"))
    local = line[1].partition(b" ")[0]
    return int(local) if local.isdigit() and len(local) < 20 else 0  # told as damage when the line is read
