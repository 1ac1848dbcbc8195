"""A clean process that builds features of the candles it is given: `python -m candlelock.causality.fresh FOLDER`.

The folder holds `job.json` and one `candles_<n>.npz` per market, built in that order; for each the process leaves
`values_<n>.npy`, and last `failures.json`. The numeric environment is that of its parent.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts import documents
from candlelock.causality.examination import build_values, failure
from candlelock.causality.subject import of_pieces, piece_of
from candlelock.contracts.documents import Document
from candlelock.contracts.registry import Feature  # noqa: TC001  (pydantic reads annotations)
from candlelock.features.market import CANDLE_FIELDS, Market
from candlelock.features.plugins import load_plugin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.causality.examination import Subject
    from candlelock.features.market import Array

JOB, FAILURES = "job.json", "failures.json"


class Piece(Document):
    """Some functions of a plug-in's file, and the features they return."""

    path: str
    functions: list[str]
    names: list[str]


class Job(Document):
    """What the process shall build."""

    symbols: list[str]
    bar_ms: int
    entries: list[Feature]
    pieces: list[Piece]
    n_markets: int


class Failures(Document):
    """For each market, feature -> what went wrong."""

    of_market: list[dict[str, str]]


@dataclass(frozen=True)
class Answer:
    """What the process built of one market, and what it could not."""

    values: dict[str, Array]
    failures: dict[str, str]


def write_job(folder: Path, markets: Sequence[Market], entries: Sequence[Feature], subject: Subject) -> None:
    """Write down what to build; the markets have the same symbols and bars of the same length."""
    needed = {subject.units[entry.name] for entry in entries if entry.name in subject.units}
    pieces = [
        Piece(
            path=str(origin.path.absolute()),
            functions=list(origin.functions),
            names=[name for name, each in subject.units.items() if each == unit],
        )
        for unit, origin in subject.origins.items()
        if unit in needed
    ]
    first = markets[0]
    job = Job(
        symbols=list(first.symbols), bar_ms=first.bar_ms, entries=list(entries), pieces=pieces, n_markets=len(markets)
    )
    documents.write(folder / JOB, job)
    for number, market in enumerate(markets):
        write_market(_candles(folder, number), market)


def read_answers(folder: Path, entries: Sequence[Feature]) -> list[Answer]:
    """What the process left, one for each market."""
    answers = []
    for number, failed in enumerate(documents.read(folder / FAILURES, Failures).of_market):
        names = [entry.name for entry in entries if entry.name not in failed]
        stack = np.load(_values(folder, number), allow_pickle=False)
        answers.append(Answer(dict(zip(names, stack, strict=True)), failed))
    return answers


def answer_job(folder: Path) -> None:
    """Build every market of the job in the folder, in order."""
    job = documents.read(folder / JOB, Job)
    plugins = {path: load_plugin(Path(path)) for path in dict.fromkeys(piece.path for piece in job.pieces)}
    pieces = {
        str(number): piece_of(plugins[piece.path], piece.functions, piece.names)
        for number, piece in enumerate(job.pieces)
    }
    subject = of_pieces(job.entries, pieces)
    failures = []
    for number in range(job.n_markets):
        market = read_market(_candles(folder, number), job.symbols, job.bar_ms)
        failed = dict[str, str]()
        values: dict[str, Array] = {}
        for entries in subject.by_unit():
            names = [entry.name for entry in entries]
            try:
                values |= zip(names, build_values(subject, market, entries), strict=True)
            except Exception as error:
                failed |= dict.fromkeys(names, failure(error, market).detail)
        stack = [values[entry.name] for entry in job.entries if entry.name in values]
        np.save(_values(folder, number), np.stack(stack) if stack else np.empty((0, 0, 0)))
        failures.append(failed)
    documents.write(folder / FAILURES, Failures(of_market=failures))


def _candles(folder: Path, number: int) -> Path:
    return folder / f"candles_{number}.npz"


def _values(folder: Path, number: int) -> Path:
    return folder / f"values_{number}.npy"


def write_market(path: Path, market: Market) -> None:
    """The times and columns of a market as an .npz file."""
    np.savez(path, open_time_ms=market.open_time_ms, **market.columns())  # type: ignore[arg-type]


def read_market(path: Path, symbols: Sequence[str], bar_ms: int) -> Market:
    """The market of such a file."""
    with np.load(path, allow_pickle=False) as stored:
        columns = {name: stored[name] for name in stored.files}
    times = columns.pop("open_time_ms")
    fields = {name: columns.pop(name) for name in CANDLE_FIELDS}
    return Market(tuple(symbols), bar_ms, times, **fields, extras=columns)


if __name__ == "__main__":
    answer_job(Path(sys.argv[1]))
