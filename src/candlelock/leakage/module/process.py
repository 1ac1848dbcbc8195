"""The process that runs somebody else's feature file: `python -m candlelock.leakage.module.process FOLDER`.

The folder holds `job.json` and `candles.npz`. What there is to say goes down the pipe that was its standard output;
what the file prints goes nowhere. The clock stands still, no file can be written, no process started, no network asked.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from candlelock.artifacts import documents
from candlelock.causality.fresh import read_market
from candlelock.causality.other_candles import between
from candlelock.contracts.documents import Document
from candlelock.contracts.errors import InputError
from candlelock.features.plugins import load_functions
from candlelock.leakage.module.calls import ModuleFunction, is_refusal
from candlelock.leakage.module.clock import stop_clock
from candlelock.leakage.module.guard import forbid_growth, watch
from candlelock.leakage.module.messages import DEED, LAST, Speaker
from candlelock.leakage.module.proof import prove

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.features.market import Market
    from candlelock.leakage.module.calls import Function
    from candlelock.leakage.module.guard import Deed

JOB, CANDLES = "job.json", "candles.npz"
HASH_BARS = 5000  # of the history, that are built with other hashes
MIN_SECONDS = 0.5  # for the single rows of one function
PARTS = (1 / 3, 2 / 3)  # of the history: the prefixes that are built before all of it
Turn = Literal["proof", "other", "clock", "hash"]


class Job(Document):
    """What the process shall do: prove every function; or build as another process, at another time, by other hashes.

    `functions`: which, all if null. `columns`: function -> what it returned, for the turns after the proof. `seconds`:
    for looking at single rows, all functions together. `hash_seed`: of Python's hashes, on which orders of sets depend.
    """

    file: str
    turn: Turn
    hash_seed: int
    symbols: list[str]
    bar_ms: int
    seed: int
    clock_ms: int
    seconds: float
    functions: list[str] | None
    columns: dict[str, list[str]]


@dataclass
class _Worker:
    """Says what it does; `doing` is the function that runs."""

    job: Job
    market: Market
    speaker: Speaker
    doing: str | None = field(default=None)

    def announce(self, name: str) -> None:
        self.doing = name
        self.speaker.say("call", {"function": name})

    def tell(self, deed: Deed) -> None:
        body = {"function": self.doing, "code": deed.code, "what": deed.what, "line": deed.line}
        self.speaker.say(DEED, body)

    def function(self, name: str, functions: Mapping[str, Function]) -> ModuleFunction:
        path = Path(self.job.file)
        return ModuleFunction(path, name, functions[name], self.announce)

    def work(self) -> None:
        """Load the file and do the turn; every function ends with `done`."""
        try:
            first, again = load_functions(Path(self.job.file))
        except InputError as error:
            problems = [each.as_dict() for each in error.problems]
            self.speaker.say("unloadable", {"problems": problems, "is_refused": is_refusal(error)})
            return
        usable = [name for name in first if self.function(name, first).takes_a_frame()]
        left_out = [name for name in first if name not in usable]
        self.speaker.say("functions", {"names": usable, "left_out": left_out})
        wanted = [name for name in usable if self.job.functions is None or name in self.job.functions]
        if self.job.turn == "proof":
            self.prove_all(wanted, first)
        for name in reversed(wanted) if self.job.turn == "other" else wanted:
            if self.job.turn != "proof":
                self.build(name, first, again)

    def prove_all(self, names: Sequence[str], functions: Mapping[str, Function]) -> None:
        """The proof of each, the time for single rows shared out, what one leaves to those after it."""
        seconds = self.job.seconds
        for at, name in enumerate(names):
            share = max(seconds / (len(names) - at), MIN_SECONDS)
            proof, spent = prove(self.function(name, functions), self.market, self.job.seed, share)
            seconds = max(seconds - spent, 0.0)
            self.speaker.say("proof", proof.as_body(), proof.values)
            self.done(name)

    def build(self, name: str, first: Mapping[str, Function], again: Mapping[str, Function]) -> None:
        """All candles, the symbols in reverse; and, in a fresh run of the file, prefixes before all candles.

        For other hashes the first bars alone.
        """
        is_other, n_bars = self.job.turn == "other", len(self.market.open_time_ms)
        if self.job.turn == "hash":
            self.answer(name, first, f"hash {self.job.hash_seed}", between(self.market, 0, min(HASH_BARS, n_bars)))
        else:
            self.answer(name, first, self.job.turn, self.market, is_other)
        if is_other:
            ends = [max(int(part * n_bars), 1) for part in PARTS]
            for what, end in (("first", ends[0]), ("longer", ends[1]), ("shorter", ends[0]), ("whole", n_bars)):
                self.answer(name, again, what, between(self.market, 0, end))
        self.done(name)

    def answer(
        self, name: str, functions: Mapping[str, Function], what: str, market: Market, is_reversed: bool = False
    ) -> None:
        """Say the columns that a function gives for a market, or what went wrong."""
        body: dict[str, object] = {"function": name, "what": what}
        rows = range(len(market.symbols))
        try:
            function = self.function(name, functions)
            answers = {row: function.ask(market, row).columns for row in (reversed(rows) if is_reversed else rows)}
            values = np.array([[answers[row][column] for row in rows] for column in self.job.columns[name]])
        except InputError as error:
            said = f"{error.problems[0].place}: {error.problems[0].found}"
            self.speaker.say("failed", body | {"said": said, "is_refused": is_refusal(error)})
        except KeyError as error:
            self.speaker.say("failed", body | {"said": f"{function.place}: no column {error}", "is_refused": False})
        else:
            self.speaker.say("values", body, values)

    def done(self, name: str) -> None:
        """The function is behind us."""
        self.doing = None
        self.speaker.say("done", {"function": name})


def main(folder: Path) -> None:
    """Do the job in the folder; the process ends at once afterwards, whatever threads the file has started."""
    job = documents.read(folder / JOB, Job)
    market = read_market(folder / CANDLES, job.symbols, job.bar_ms)
    speaker = Speaker(os.fdopen(os.dup(1), "wb"))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    worker = _Worker(job, market, speaker)
    sys.path.append(str(Path(job.file).parent))
    stop_clock(job.clock_ms)
    forbid_growth()
    watch(Path(job.file), worker.tell)
    speaker.say("ready")
    worker.work()
    speaker.say(LAST)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
