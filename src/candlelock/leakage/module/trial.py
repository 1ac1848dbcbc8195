"""Somebody else's feature file in processes of its own: started, listened to, ended when they hang, started again."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from candlelock.artifacts import documents
from candlelock.artifacts.numeric_environment import LOCKED
from candlelock.contracts.errors import InputError, Problem
from candlelock.leakage.module.messages import DEED, ENDED, LAST, SILENT, Message, listen
from candlelock.leakage.module.process import JOB, Job
from candlelock.leakage.module.report import FunctionProof, leak

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from candlelock.contracts.leakage_documents import Leak
    from candlelock.features.market import Array

PROBLEMS = TypeAdapter(list[Problem])
PROGRAM = "candlelock.leakage.module.process"
HELP_LOAD = "let the file define functions, and compute in them; --timeout allows more time"


@dataclass
class Trial:
    """Everything that was heard of a file. `file`: by its whole path; `folder`: holds the candles, and takes the jobs.

    `deeds`, `ends` (how functions made their process end, or hang) and `failures` are findings; `values` are those
    that other processes built, by function and what it was.
    """

    file: Path
    folder: Path
    timeout_s: float
    functions: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    proofs: dict[str, FunctionProof] = field(default_factory=dict)
    values: dict[tuple[str, str], Array] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    deeds: dict[tuple[str, str, str], Leak] = field(default_factory=dict)
    ends: list[Leak] = field(default_factory=list)
    is_refused_at_once: bool = False

    def run(self, job: Job, on_done: Callable[[], None]) -> None:
        """Do a turn for every function; one that hangs or ends the process is left out of what comes after it.

        Raises InputError where the file cannot be run at all.
        """
        waiting = job.functions
        while waiting is None or waiting:
            asked = job.model_copy(update={"functions": waiting, "seconds": self._seconds(job, waiting)})
            done, doing, last = self._listen(asked, on_done)
            if last.kind == LAST or self.is_refused_at_once:
                return
            if not self.functions:
                raise InputError(self._unloaded(last))
            subject = doing or self.file.name
            self.ends.append(_end(subject, last, self.timeout_s))
            if doing is None:
                return
            waiting = [name for name in waiting or self.functions if name not in (*done, doing)]

    def _seconds(self, job: Job, waiting: list[str] | None) -> float:
        """The time for single rows that falls to the functions that are left."""
        return job.seconds * (1 if waiting is None else len(waiting) / max(len(self.functions), 1))

    def _listen(self, job: Job, on_done: Callable[[], None]) -> tuple[list[str], str | None, Message]:
        """The functions done, the one that was at work at the end, and the last message."""
        documents.write(self.folder / JOB, job)
        done: list[str] = []
        doing: str | None = None
        message = Message(ENDED)
        for message in listen(
            [sys.executable, "-m", PROGRAM, str(self.folder)],
            self.folder / "work",
            self._environment(job.hash_seed),
            self.timeout_s,
        ):
            if message.kind == "call":
                doing = message.body["function"]
            elif message.kind == "done":
                done, doing = [*done, message.body["function"]], None
                on_done()
            else:
                self._hear(message)
        return done, doing, message

    def _hear(self, message: Message) -> None:
        body = message.body
        if message.kind == "functions":
            self.functions, self.left_out = body["names"], body["left_out"]
        elif message.kind == "unloadable":
            self.is_refused_at_once = body["is_refused"]
            if not self.is_refused_at_once:
                raise InputError(PROBLEMS.validate_python(body["problems"]))
        elif message.kind == DEED:
            subject = body["function"] or self.file.name
            place = self.file.name if body["line"] is None else f"{self.file.name}:{body['line']}"
            key = (subject, body["code"], body["what"])
            self.deeds.setdefault(key, leak(body["code"], subject, f"{place}: {body['what']}"))
        elif message.kind == "proof":
            self.proofs[body["name"]] = FunctionProof.of_body(body, message.values)
        elif message.kind == "values" and message.values is not None:
            self.values[body["function"], body["what"]] = message.values
        elif message.kind == "failed" and not body["is_refused"]:
            self.failures[body["function"], body["what"]] = body["said"]

    def _unloaded(self, last: Message) -> Problem:
        found = f"nothing for {self.timeout_s:g} s" if last.kind == SILENT else f"the process ended ({_code(last)})"
        return Problem("audit-module-load", str(self.file), found, "a file that runs to its end", HELP_LOAD)

    def _environment(self, hash_seed: int) -> dict[str, str]:
        """Nothing of this process's own but where its modules lie: no keys or passwords, no home folder."""
        return {
            **LOCKED,
            "PATH": os.defpath,
            "HOME": str(self.folder / "work"),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONHASHSEED": str(hash_seed),
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def _end(subject: str, last: Message, timeout_s: float) -> Leak:
    if last.kind == SILENT:
        return leak("module-hangs", subject, f"no answer within {timeout_s:g} s")
    return leak("module-fails", subject, f"it ended the process ({_code(last)})")


def _code(last: Message) -> str:
    code = int(last.body.get("code", 0))
    return f"signal {-code}" if code < 0 else f"exit code {code}"
