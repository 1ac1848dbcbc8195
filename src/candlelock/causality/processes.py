"""Check that a value does not depend on what the process has seen: later candles before, other candles in between."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.causality.examination import Built, Probe, Violation
from candlelock.causality.fresh import read_answers, write_job
from candlelock.causality.other_candles import between
from candlelock.contracts.documents import utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.causality.examination import Examination
    from candlelock.causality.fresh import Answer

PROCESS = (
    "prefixes built in a clean process that has seen nothing else, the shorter before the longer and once more after "
    "it, and all candles built again in this process after everything else, against the build of all candles"
)
CLEAN = "candlelock.causality.fresh"
PARTS = (1 / 6, 1 / 3)  # of the history, for the prefixes of the clean process


def check_process(probe: Probe) -> dict[str, Any]:
    """Compare what a clean process gives, and this one after all other checks. Evidence: the ends of the prefixes."""
    exam = probe.exam
    ends = _ends(exam)
    turns = [ends[0], ends[1], ends[0]]
    probe.progress(0.1)
    answers = _ask(exam, turns)
    probe.progress(0.7)
    if isinstance(answers, str):
        for number in exam.everything.tolist():
            probe.violate(number, Violation("process-state", None, None, answers))
        answers = []
    for turn, (end, answer) in enumerate(zip(turns, answers, strict=False)):
        time = utc_text(exam.market.open_time_ms[end - 1])
        seen = ("alone", "after a shorter one", "after a longer one")[turn]
        _compare_answer(probe, answer, f"in a clean process that builds the candles up to {time} {seen}")
    _tell_future_from_state(probe, ends)
    again = probe.build(exam.market, exam.everything)
    probe.compare(again, 0, "process-state", "built again after other candles")
    return {"prefix_ends_utc": [utc_text(exam.market.open_time_ms[end - 1]) for end in turns]}


def _ends(exam: Examination) -> list[int]:
    """Bars of the two prefixes: enough for the longest look-back, where there are so many."""
    room = exam.n_bars - min(exam.longest, exam.n_bars - 2)
    return [max(1, min(exam.n_bars - 1, exam.n_bars - room + int(part * room))) for part in PARTS]


def _ask(exam: Examination, ends: Sequence[int]) -> list[Answer] | str:
    """What the process answers, or how it ended without an answer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_job(folder, [between(exam.market, 0, end) for end in ends], exam.entries, exam.subject)
        command = [sys.executable, "-m", CLEAN, name]
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if ended.returncode:
            said = " ".join(ended.stderr.split())[-200:]
            return f"a clean process ended with {ended.returncode}: {said}"
        return read_answers(folder, exam.entries)


def _tell_future_from_state(probe: Probe, ends: Sequence[int]) -> None:
    """Where this process does as the clean one did, later candles or the prefix are to blame, not what it has seen."""
    exam, here = probe.exam, Probe(probe.exam, lambda share: None)
    which = np.array(sorted(probe.violations), dtype=np.int64)
    for end in ends if len(which) else ():
        here.compare(here.build(between(exam.market, 0, end), which), 0, "future-prefix", "")
    for number, same in here.violations.items():
        probe.violations[number] = replace(probe.violations[number], code=same.code)


def _compare_answer(probe: Probe, answer: Answer, note: str) -> None:
    numbers = {entry.name: number for number, entry in enumerate(probe.exam.entries)}
    which = np.array([numbers[name] for name in answer.values], dtype=np.int64)
    probe.compare(Built(which, list(answer.values.values())), 0, "process-state", note)
    for name, said in answer.failures.items():
        probe.violate(numbers[name], Violation("process-state", None, None, f"{note}: {said}"))
