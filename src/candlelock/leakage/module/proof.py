"""The proof of one function of somebody else's feature file, in the process that runs it: no registry, so no declared
look-back, inputs or availability; what follows a row, and what the process has seen, must not matter all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts import seeds
from candlelock.causality.cuts import choose_cuts
from candlelock.causality.examination import Examination, Probe, Subject, Violation
from candlelock.causality.findings import describe_all
from candlelock.causality.later_candles import check_future, check_prefix
from candlelock.contracts.errors import InputError
from candlelock.contracts.registry import Feature
from candlelock.leakage.module.calls import is_refusal
from candlelock.leakage.module.clock import deadline, seconds_now
from candlelock.leakage.module.report import FunctionProof, leak, leak_of_finding
from candlelock.leakage.module.rows import COARSER, UNKNOWN, check_rows

if TYPE_CHECKING:
    from candlelock.contracts.leakage_documents import Leak
    from candlelock.features.market import Market
    from candlelock.leakage.module.calls import Answer, ModuleFunction
    from candlelock.leakage.module.report import ModuleCheckName

MIN_CUTS, MAX_CUTS, CUTS_A_FUTURE = 4, 16, 4
MIN_BARS = 200  # before the first cut, where there are as many: code that needs a few rows is not at fault here


@dataclass
class _Findings:
    """Findings so far, by check, and how many known values of each column a check compared."""

    function: ModuleFunction
    leaks: list[tuple[ModuleCheckName, Leak]] = field(default_factory=list)
    n_compared: dict[str, dict[str, int]] = field(default_factory=dict)
    sought: set[str] = field(default_factory=set)

    def column(self, entry: str) -> str:
        return self.function.columns[entry]

    def add(self, check: ModuleCheckName, probe: Probe) -> None:
        """What a check found, of each feature the first row."""
        exam = probe.exam
        for entry, n in zip(exam.entries, probe.n_compared.tolist(), strict=True):
            self.n_compared.setdefault(self.column(entry.name), {})[check] = n
        found = sorted(probe.violations.items())
        for (_, violation), each in zip(found, describe_all(probe, self.sought), strict=False):
            subject = self.function.subject(self.column(each.feature))
            self.leaks.append((check, leak_of_finding(each, subject, violation.bar, exam.market)))


def prove(function: ModuleFunction, market: Market, seed: int, seconds: float) -> tuple[FunctionProof, float]:
    """Everything that can be said of a function in one process; and the seconds spent on single rows, of `seconds`.

    A function that raises on the real candles has no columns in the proof, and the finding.
    """
    started = seconds_now()
    try:
        answers = [function.ask(market, row) for row in range(len(market.symbols))]
    except InputError as error:
        problem = error.problems[0]
        told = [] if is_refusal(error) else [leak("module-fails", function.name, f"{problem.place}: {problem.found}")]
        return FunctionProof(name=function.name, leaks=[("calls", each) for each in told]), 0.0
    n_cuts = int(np.clip(seconds / max(2 * (seconds_now() - started), 1e-6), MIN_CUTS, MAX_CUTS))
    columns = _columns(answers, market)
    entries = undeclared(len(columns))
    known = replace(function, columns={entry.name: name for entry, name in zip(entries, columns, strict=True)})
    findings = _Findings(known)
    findings.leaks += [("calls", each) for each in _misdeeds(known, answers, market)]
    values = np.array([[each.columns[name] for each in answers] for name in columns]).reshape(-1, *market.close.shape)
    subject = Subject(entries, known, None, {entry.name: function.name for entry in entries})
    exam = _repeat(Examination.of(subject, market, values, seed), findings)
    sound = _look_ahead(exam, findings, n_cuts)
    started = seconds_now()
    search = _search(sound, findings, seconds)
    spent = seconds_now() - started
    _build_again(exam, findings)
    proof = FunctionProof(
        name=function.name,
        columns=columns,
        leaks=findings.leaks,
        n_compared=findings.n_compared,
        n_values={name: int((~np.isnan(each)).sum()) for name, each in zip(columns, values, strict=True)},
        n_rows={name: n for name, (n, _) in search.items()},
        look_back_bars={name: bars for name, (_, bars) in search.items()},
        values=values,
    )
    return proof, spent


def _repeat(exam: Examination, findings: _Findings) -> Examination:
    """The examination of what gives one answer twice, and any at all."""
    probe = _probe(exam)
    probe.compare(probe.build(exam.market, exam.everything), 0, "not-deterministic", "built again at once")
    for number in np.flatnonzero(np.isnan(exam.values).all(axis=(1, 2))).tolist():
        detail = f"no value on {exam.n_bars:,} bars"
        probe.violations.setdefault(number, Violation("not-examined", None, None, detail))
    findings.add("repetition", probe)
    return exam.without(list(probe.violations))


def _look_ahead(exam: Examination, findings: _Findings, n_cuts: int) -> Examination:
    """The examination of what agrees with the past built alone, and before other futures."""
    first = min(max(exam.n_bars // 4, MIN_BARS), exam.n_bars // 2)
    cuts = choose_cuts(exam.market, n_cuts, (), first, seeds.derive(exam.seed, "cuts"))
    prefix, future = _probe(exam), _probe(exam)
    if exam.entries:
        check_prefix(prefix, cuts)
        check_future(future, cuts, n_cuts // CUTS_A_FUTURE)
    findings.add("prefix", prefix)
    findings.add("future", future)
    return exam.without([*prefix.violations, *future.violations])


def _search(exam: Examination, findings: _Findings, seconds: float) -> dict[str, tuple[int, int | None]]:
    """Of each column, the single rows looked at and its look-back; None: all history."""
    if not exam.entries:
        return {}
    probe = _probe(replace(exam, tolerance=COARSER * exam.tolerance))
    search = check_rows(probe, lambda share: deadline(share * seconds))
    findings.add("rows", probe)
    bars = [None if each == UNKNOWN else int(each) for each in search.look_back.tolist()]
    names = [findings.column(entry.name) for entry in exam.entries]
    return {name: (int(n), back) for name, n, back in zip(names, search.n_rows.tolist(), bars, strict=True)}


def _build_again(exam: Examination, findings: _Findings) -> None:
    """After everything else this process has seen."""
    probe = _probe(exam)
    probe.compare(probe.build(exam.market, exam.everything), 0, "process-state", "built again after other candles")
    findings.add("process", probe)


def _probe(exam: Examination) -> Probe:
    return Probe(exam, lambda share: None)


def _columns(answers: list[Answer], market: Market) -> list[str]:
    """Names that every symbol has, less the candles themselves, handed back as they were."""
    shared = [name for name in answers[0].columns if all(name in each.columns for each in answers)]
    given = market.columns()

    def is_candles(name: str) -> bool:
        pairs = zip(given[name], answers, strict=True)
        return all(np.array_equal(real, each.columns[name], equal_nan=True) for real, each in pairs)

    return [name for name in shared if name not in given or not is_candles(name)]


def _misdeeds(function: ModuleFunction, answers: list[Answer], market: Market) -> list[Leak]:
    """What is wrong with what was returned, and with the frame afterwards."""
    faults: dict[str, str] = {}
    names = dict.fromkeys(name for each in answers for name in (*each.columns, *each.faults))
    for symbol, each in zip(market.symbols, answers, strict=True):
        lost = {name: "not returned" for name in names if name not in each.columns and name not in each.faults}
        faults = {name: f"{said}, for {symbol}" for name, said in (each.faults | lost).items()} | faults
    said = {function.subject(name): f"{function.place}: {said}" for name, said in faults.items()}
    found = [leak("module-fails", subject, detail) for subject, detail in said.items()]
    if not names:
        found.append(leak("module-fails", function.name, f"{function.place}: no column at all"))
    if any(each.is_frame_changed for each in answers):
        found.append(leak("candles-changed", function.name, f"{function.place}: the frame it was given changed"))
    return found


def undeclared(n_columns: int) -> tuple[Feature, ...]:
    """Stand-ins for what a registry would say of columns: nothing is declared."""
    return tuple(
        Feature(
            name=f"column_{number}",
            group="module",
            dtype="float64",
            unit="1",
            warmup_bars=0,
            inputs=["close"],
            available_at="close",
            formula="not declared",
        )
        for number in range(n_columns)
    )
