"""Somebody else's feature file, without a registry: whether its values know later candles, and what else it does.

The file runs in processes of its own, never in this one: one proves each function, a second builds in another order and
with other hashes, a third at another time, more with other hashes again. What they built is compared here.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import seeds
from candlelock.causality.certificate import describe_candles
from candlelock.causality.examination import Built, Examination, Probe, Subject, Violation
from candlelock.causality.fresh import write_market
from candlelock.causality.later_candles import FUTURE, PREFIX
from candlelock.causality.other_candles import between
from candlelock.contracts.errors import InputError, Problem
from candlelock.leakage.module.process import CANDLES, Job
from candlelock.leakage.module.proof import undeclared
from candlelock.leakage.module.report import (
    NOT_EXAMINED,
    ExaminedColumn,
    ModuleReport,
    leak,
    leak_of_violation,
    subject_of,
)
from candlelock.leakage.module.rows import ROWS
from candlelock.leakage.module.trial import Trial
from candlelock.leakage.rows import leak_check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from candlelock.contracts.leakage_documents import Leak, LeakCheck, LeakCode
    from candlelock.features.market import Market
    from candlelock.leakage.module.report import FunctionProof, ModuleCheckName

    Progress = Callable[[int, int], None]
    Findings = dict[ModuleCheckName, list[Leak]]

SEED = 1
DAY_MS = 86_400_000
LATER_DAYS = 400
MAX_CELLS = 600_000  # bars times symbols; the latest bars are taken
HASH_SEEDS = (3, 4, 5, 6, 7)  # beside 1 and 2: with two alone, two names in a set often keep their order
N_TURNS = 3 + len(HASH_SEEDS)
WHAT: Mapping[ModuleCheckName, str] = {
    "calls": "every function called with each symbol's candles: a number for each row, and the frame left alone",
    "files": "what the file does besides computing: files written or read, processes, the network",
    "repetition": "all candles, built twice",
    "prefix": PREFIX,
    "future": FUTURE,
    "rows": ROWS,
    "process": "another process with other hashes and the symbols in reverse; five more with other hashes; prefixes "
    "built before all candles; all candles once more after everything else",
    "clock": f"another process with all clocks {LATER_DAYS} days later",
}

COMPARED: tuple[tuple[ModuleCheckName, LeakCode, Mapping[str, str]], ...] = (  # check, code, build -> how it differs
    ("process", "not-deterministic", {"other": "in another process, the symbols in reverse order"}),
    ("process", "not-deterministic", {f"hash {seed}": "in a process with other hashes" for seed in HASH_SEEDS}),
    (
        "process",
        "process-state",
        {
            "first": "a part of the candles, first of all in a fresh run of the file",
            "longer": "a part of the candles, after a shorter one",
            "shorter": "a part of the candles, after a longer one",
            "whole": "after parts of the candles",
        },
    ),
    ("clock", "module-clock", {"clock": f"{LATER_DAYS} days later"}),
)


def audit_module(path: Path, market: Market, timeout_s: float, progress: Progress | None = None) -> ModuleReport:
    """Try every public function of a file on a market; what is wrong is a finding, and never an error.

    `timeout_s`: seconds that one call may take; a third of it is spent on looking at single rows, all functions
    together. The report depends on that time only in how many rows were looked at. `progress(n_done, n_total)` is
    called as functions are done.

    Raises InputError where the file is missing, cannot be run, or has no function that takes a frame.
    """
    if not path.is_file() or path.suffix != ".py":
        found = "no such file" if not path.is_file() else "another file"
        help_line = "name the file with your feature functions"
        raise InputError(Problem("audit-module-file", str(path), found, "a Python file", help_line))
    n_bars = len(market.open_time_ms)
    examined = between(market, max(n_bars - MAX_CELLS // len(market.symbols), 0), n_bars)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "work").mkdir()
        write_market(folder / CANDLES, examined)
        trial = Trial(path.absolute(), folder, timeout_s)
        _run_all(trial, examined, timeout_s, progress or (lambda n_done, n_total: None))
        for left in sorted((folder / "work").rglob("*")):
            said = f"left {left.name} in its working folder"
            trial.deeds[path.name, "module-writes", said] = leak("module-writes", path.name, said)
    if not trial.functions and not trial.is_refused_at_once:
        found = f"{', '.join(trial.left_out)}: other arguments than one frame"
        expected, help_line = "a function of one symbol's candle frame", "docs/leakage_module.md shows one"
        raise InputError(Problem("audit-module-functions", str(path), found, expected, help_line))
    return _report(path, trial, market, examined)


def _run_all(trial: Trial, market: Market, timeout_s: float, progress: Progress) -> None:
    n_done = 0

    def count() -> None:
        nonlocal n_done
        n_done += 1
        progress(n_done, N_TURNS * len(trial.functions))

    now = int(market.open_time_ms[-1]) + market.bar_ms
    job = Job(
        file=str(trial.file),
        turn="proof",
        hash_seed=1,
        symbols=list(market.symbols),
        bar_ms=market.bar_ms,
        seed=seeds.derive(SEED, "module"),
        clock_ms=now,
        seconds=timeout_s / 3,
        functions=None,
        columns={},
    )
    trial.run(job, count)
    columns = {name: proof.columns for name, proof in trial.proofs.items() if proof.columns}
    again = {"functions": list(columns), "columns": columns}
    trial.run(job.model_copy(update={**again, "turn": "other", "hash_seed": 2}), count)
    later = {"turn": "clock", "clock_ms": now + LATER_DAYS * DAY_MS}
    trial.run(job.model_copy(update={**again, **later}), count)
    for seed in HASH_SEEDS:
        trial.run(job.model_copy(update={**again, "turn": "hash", "hash_seed": seed}), count)


def _report(path: Path, trial: Trial, market: Market, examined: Market) -> ModuleReport:
    findings: Findings = {name: [] for name in WHAT}
    findings["calls"] += trial.ends
    findings["files"] += trial.deeds.values()
    for proof in trial.proofs.values():
        for check, found in proof.leaks:
            findings[check].append(found)
    columns = _compare(trial, examined, findings)
    at_fault = {each.subject for every in findings.values() for each in every}
    columns = [
        each.model_copy(update={"passed": not at_fault & {subject_of(each.function, each.column), each.function}})
        for each in columns
    ]
    checks = [_check(name, findings[name], columns, trial) for name in WHAT]
    n_findings = sum(check.n_findings for check in checks)
    return ModuleReport(
        passed=not n_findings,
        n_findings=n_findings,
        file=path.name,
        seed=SEED,
        candles=describe_candles(market, examined, None),
        checks=checks,
        columns=columns,
        functions_left_out=trial.left_out,
        not_examined=list(NOT_EXAMINED),
    )


def _check(name: ModuleCheckName, findings: list[Leak], columns: list[ExaminedColumn], trial: Trial) -> LeakCheck:
    n = sum(column.n_compared.get(name, 0) for column in columns)
    if name in ("calls", "files"):
        n = len(trial.functions)
    evidence = {"n_rows": sum(column.n_rows for column in columns)} if name == "rows" else {}
    return leak_check(name, WHAT[name], n, findings, evidence)


def _compare(trial: Trial, market: Market, findings: Findings) -> list[ExaminedColumn]:
    """Hold what other processes built to the proofs' values; findings are added. Every column, as far as it came."""
    found = []
    for proof in trial.proofs.values():
        n_compared = {name: dict(proof.n_compared.get(name, {})) for name in proof.columns}
        if proof.columns:
            _compare_one(trial, proof, market, findings, n_compared)
        found += [
            ExaminedColumn(
                function=proof.name,
                column=name,
                passed=True,
                n_values=proof.n_values[name],
                n_compared=n_compared[name],
                n_rows=proof.n_rows.get(name, 0),
                look_back_bars=proof.look_back_bars.get(name),
            )
            for name in proof.columns
        ]
    return found


def _compare_one(
    trial: Trial, proof: FunctionProof, market: Market, findings: Findings, n_compared: dict[str, dict[str, int]]
) -> None:
    """One function: in another process, in the state that prefixes leave behind, and at another time."""
    out = {each.subject for check, each in proof.leaks if check == "repetition"}
    ahead = {each.subject for check, each in proof.leaks if check in ("prefix", "future", "rows")}
    for check, code, builds in COMPARED:
        probe = Probe(_reference(proof, market), lambda share: None)
        for what, words in builds.items():
            _hold(trial, probe, (proof.name, what), words)
        is_of_part = not builds.keys() <= {"other", "clock"}  # what sees later candles differs there in any case
        for number, violation in sorted(probe.violations.items()):
            subject = subject_of(proof.name, proof.columns[number])
            if subject not in out and not (is_of_part and subject in ahead):
                findings[check].append(leak_of_violation(violation, code, subject, market))
                out |= {subject}
        for name, n in zip(proof.columns, probe.n_compared.tolist(), strict=True):
            n_compared[name][check] = n_compared[name].get(check, 0) + n


def _reference(proof: FunctionProof, market: Market) -> Examination:
    """The values of the proof; nothing is built here."""
    entries, values = undeclared(len(proof.columns)), proof.values
    units = {entry.name: proof.name for entry in entries}
    if values is None:
        raise ValueError(f"no values of {proof.name}")
    return Examination.of(Subject(entries, lambda market, entries: {}, None, units), market, values, SEED)


def _hold(trial: Trial, probe: Probe, build: tuple[str, str], words: str) -> None:
    """Compare one build of another process, if it came, and say why where it failed."""
    exam = probe.exam
    if (values := trial.values.get(build)) is not None:
        probe.compare(Built(exam.everything, list(values)), 0, "process-state", words)
    if (said := trial.failures.get(build)) is not None:
        for number in exam.everything.tolist():
            probe.violate(number, Violation("process-state", None, None, f"{words}: {said}"))
