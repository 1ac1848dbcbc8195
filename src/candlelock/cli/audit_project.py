"""`candlelock audit`: all evidence of leaks, made anew from the project's candles, tables and models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from candlelock.cli import output
from candlelock.contracts.errors import EXIT_CHECK_FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from candlelock.contracts.leakage_documents import Leak, LeakageReport, LeakCheck

MAX_SHOWN = 20


def audit_project(root: Path, as_json: bool) -> None:
    """Certificate, controls and every check of each head; exit code 1 with what was found."""
    from candlelock.artifacts import numeric_environment

    numeric_environment.lock()
    from candlelock.artifacts.user_files import read_params
    from candlelock.audit.evidence import examine_anew
    from candlelock.terminal import progress

    params = read_params(root)
    with progress.showing("audit", "steps") as show:
        reports = examine_anew(root, params, show)
    if as_json:
        output.print_json({head: report.model_dump(mode="json") for head, report in reports.items()})
    else:
        _print(reports)
    if not all(check.passed for report in reports.values() for check in report.checks):
        raise typer.Exit(EXIT_CHECK_FAILED)


def _print(reports: Mapping[str, LeakageReport]) -> None:
    from candlelock.contracts.leakage_documents import PROVES

    for head, report in reports.items():
        rows = [("ok" if check.passed else "FAILED", PROVES[check.name], *describe(check)) for check in report.checks]
        output.print_table(("", f"{head}: stands behind", "check", "compared", "findings"), rows)
    found = [leak for report in reports.values() for check in report.checks for leak in check.findings]
    print_leaks(found)
    n_findings = sum(check.n_findings for report in reports.values() for check in report.checks)
    typer.echo(f"{n_findings:,} findings" if n_findings else "no finding")


def describe(check: LeakCheck) -> tuple[str, str, str]:
    """Name, how much was compared, how many findings."""
    return check.name, f"{check.n_compared:,}", f"{check.n_findings:,}"


def print_leaks(leaks: list[Leak]) -> None:
    """Each finding with the times that contradict each other; the first of many."""
    for leak in leaks[:MAX_SHOWN]:
        row = "" if leak.row is None else f"row {leak.row}"
        place = " ".join(part for part in (leak.subject, leak.symbol, row) if part)
        typer.echo(f"error[{leak.code}] {place}\n  found     {leak.detail}")
        if leak.known_utc or leak.used_utc:
            typer.echo(f"  times     known {leak.known_utc or '—'}, used {leak.used_utc or '—'}")
        typer.echo(f"  help      {leak.help}")
    if len(leaks) > MAX_SHOWN:
        typer.echo(f"… and {len(leaks) - MAX_SHOWN:,} more: --json")
