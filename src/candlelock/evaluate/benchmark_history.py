"""The history of benchmark runs: a JSON file that only ever grows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filelock import FileLock

from candlelock.artifacts import atomic, documents
from candlelock.contracts.benchmark_documents import BenchmarkHistory, BenchmarkReport
from candlelock.contracts.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read_history(path: Path) -> BenchmarkHistory:
    """The runs so far; none where there is no file. Raises InputError when it is not as it was kept."""
    if not path.exists():
        return BenchmarkHistory()
    try:
        return documents.read(path, BenchmarkHistory)
    except InputError as error:
        help_line = "restore the file, or name another one to begin a new history"
        raise InputError([replace(problem, help=help_line) for problem in error.problems]) from None


def append_run(path: Path, report: Callable[[BenchmarkHistory], BenchmarkReport]) -> BenchmarkReport:
    """Add what `report` makes of the runs so far, which it gets; of runs beside each other none is lost."""
    with atomic.naming_disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f"{path.name}.lock")):
            history = read_history(path)
            added = report(history)
            documents.write(path, history.model_copy(update={"reports": [*history.reports, added]}))
    return added
