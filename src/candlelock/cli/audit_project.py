"""`candlelock audit`: all evidence of leaks, made anew from the project's candles, tables and models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from candlelock.cli import output
from candlelock.cli.audit_module import TIMEOUT_S, enabled_plugins, try_plugins
from candlelock.cli.leaks_text import HEADER, check_line, print_leaks
from candlelock.contracts.errors import EXIT_CHECK_FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from candlelock.contracts.leakage_documents import LeakageReport


def audit_project(root: Path, as_json: bool) -> None:
    """Plug-ins apart, certificate, controls and every check of each head; exit code 1 with what was found."""
    from candlelock.artifacts import numeric_environment

    numeric_environment.lock()
    from candlelock.artifacts.user_files import read_params
    from candlelock.audit.evidence import examine_anew
    from candlelock.cli.audit_candles import read_market
    from candlelock.terminal import progress

    params = read_params(root)
    if enabled := enabled_plugins(root, params.features):
        try_plugins(enabled, read_market(root, None, None)[0], TIMEOUT_S, as_json)
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
        rows = [(*check_line(check), PROVES[check.name]) for check in report.checks]
        output.print_table((*HEADER, f"{head}: stands behind"), rows)
    checks = [check for report in reports.values() for check in report.checks]
    print_leaks([leak for check in checks for leak in check.findings])
    n_findings = sum(check.n_findings for check in checks)
    typer.echo(f"{n_findings:,} findings" if n_findings else "no finding")
