"""The history of runs: it grows at the end, loses nothing, and is never written over when it is broken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts import documents
from candlelock.contracts.errors import InputError
from candlelock.evaluate.benchmark_history import append_run, read_history
from tests.unit.evaluate.test_benchmark import run_once, some_model

if TYPE_CHECKING:
    from pathlib import Path

RUN = run_once([], some_model())


def run_at(number: int) -> str:
    return f"2026-01-01T00:00:{number:02d}Z"


def test_no_file_is_an_empty_history_that_grows_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.json"
    assert read_history(path).reports == []
    for number in range(3):
        append_run(path, lambda known, n=number: RUN.model_copy(update={"timestamp": run_at(n)}))  # type: ignore[misc]
    assert [report.timestamp for report in read_history(path).reports] == [run_at(n) for n in range(3)]
    assert read_history(path).reports[0] == RUN.model_copy(update={"timestamp": run_at(0)})


def test_what_is_added_is_made_of_the_runs_so_far(tmp_path: Path) -> None:
    path, seen = tmp_path / "history.json", []
    for _ in range(2):
        append_run(path, lambda known: seen.append(len(known.reports)) or RUN)  # type: ignore[func-returns-value]
    assert seen == [0, 1]


def test_runs_beside_each_other_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: append_run(path, lambda _: RUN.model_copy(update={"timestamp": run_at(n)})), range(16)))
    assert sorted(report.timestamp for report in read_history(path).reports) == [run_at(n) for n in range(16)]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"kind": "candlelock benchmark history", "reports": [{}]}'])
def test_a_broken_history_is_refused_and_stays_as_it_was(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        append_run(path, lambda _: RUN)
    assert all("begin a new history" in problem.help for problem in caught.value.problems)
    assert path.read_bytes() == content


def test_a_run_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    append_run(path, lambda _: RUN)
    before = path.read_bytes()

    def fail(_: object) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        append_run(path, fail)  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert documents.to_bytes(read_history(path)) == before
