"""Leakage checks and their findings as people read them, for every `candlelock audit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.contracts.causality_documents import CausalityCheck, CausalityReport
    from candlelock.contracts.leakage_documents import Leak, LeakCheck
    from candlelock.leakage.module.report import ModuleReport

MAX_SHOWN = 20
HEADER = ("", "check", "compared", "findings")


def check_line(check: LeakCheck | CausalityCheck) -> tuple[str, str, str, str]:
    """Whether it passed, its name, how much was compared, how many findings."""
    return "ok" if check.passed else "FAILED", check.name, f"{check.n_compared:,}", f"{check.n_findings:,}"


def with_findings(report: CausalityReport | ModuleReport) -> dict[str, object]:
    """The report as JSON, with the findings of all checks in one list beside them."""
    found = [each.model_dump(mode="json") for check in report.checks for each in check.findings]
    return {**report.model_dump(mode="json"), "findings": found}


def print_leaks(leaks: Sequence[Leak]) -> None:
    """The first finding of each code and subject, with the times that contradict each other."""
    first: dict[tuple[str, str], Leak] = {}
    for leak in leaks:
        first.setdefault((leak.code, leak.subject), leak)
    for leak in list(first.values())[:MAX_SHOWN]:
        row = "" if leak.row is None else f"row {leak.row}"
        place = " ".join(part for part in (leak.subject, leak.symbol, row) if part)
        times = [f"{word} {time}" for word, time in (("known", leak.known_utc), ("used", leak.used_utc)) if time]
        lines = [f"error[{leak.code}] {place}", f"  found     {leak.detail}"]
        lines += [f"  times     {', '.join(times)}"] if times else []
        typer.echo("\n".join([*lines, f"  help      {leak.help}"]))
    if len(first) > MAX_SHOWN:
        typer.echo(f"… and {len(first) - MAX_SHOWN:,} more: --json")
