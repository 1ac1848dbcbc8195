"""`candlelock audit module FILE`: the proof of a feature file that has no registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from candlelock.cli import output
from candlelock.cli.leaks_text import HEADER, check_line, print_leaks, with_findings
from candlelock.cli.output import Json  # noqa: TC001  (typer reads annotations)
from candlelock.contracts.errors import EXIT_CHECK_FAILED
from candlelock.contracts.files import PLUGINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.contracts.stage_params import FeaturesParams
    from candlelock.features.market import Market
    from candlelock.leakage.module.report import ModuleReport

AHEAD = ("prefix", "future", "rows")  # sight of the future, of which the certificate says more
TIMEOUT_S = 120.0
Timeframe = Annotated[
    str | None, typer.Option("--timeframe", help="Length of a bar, such as 1h, where file names leave it open.")
]
Timeout = Annotated[float, typer.Option("--timeout", min=1, help="Seconds that one call of a function may take.")]


def module(
    file: Annotated[Path, typer.Argument(help="A Python file with functions of one symbol's candle frame.")],
    candles: Annotated[Path, typer.Option("--candles", help="A folder of candle files, or a snapshot.")],
    timeframe: Timeframe = None,
    timeout: Timeout = TIMEOUT_S,
    as_json: Json = False,
) -> None:
    """Try a feature file without a registry for sight of the future; exit code 1 with what was found."""
    from candlelock.artifacts import numeric_environment

    numeric_environment.lock()
    from candlelock.cli.audit_candles import read_market

    report = examine(file, read_market(Path(), candles, timeframe)[0], timeout)
    tell(report, as_json)


def examine(file: Path, market: Market, timeout_s: float) -> ModuleReport:
    """The report of a file, with a bar of progress."""
    from candlelock.leakage.module.audit import audit_module
    from candlelock.terminal import progress

    with progress.showing("module", "functions") as show:
        return audit_module(file, market, timeout_s, show)


def enabled_plugins(root: Path, features: FeaturesParams) -> list[Path]:
    """Files of the plug-ins that params.yaml switches on."""
    return [root / PLUGINS / name for name in features.plugins]


def try_plugins(files: Sequence[Path], market: Market, timeout_s: float, as_json: bool) -> None:
    """Run each plug-in apart, before it is loaded here; what it does besides computing is told and ends the command."""
    for file in files:
        report = examine(file, market, timeout_s)
        if any(not check.passed for check in report.checks if check.name not in AHEAD):
            tell(report, as_json)


def tell(report: ModuleReport, as_json: bool) -> None:
    """Print a report, and end with exit code 1 where it did not pass."""
    if as_json:
        output.print_json(with_findings(report))
    else:
        _print(report)
    if not report.passed:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _print(report: ModuleReport) -> None:
    """Every check, every column, and the first finding of each code and subject."""
    output.print_table(HEADER, [check_line(check) for check in report.checks])
    columns = [
        (
            "ok" if each.passed else "FAILED",
            each.function,
            each.column,
            f"{each.n_values:,}",
            f"{each.n_rows:,}",
            "all, or unknown" if each.look_back_bars is None else f"{each.look_back_bars:,}",
        )
        for each in report.columns
    ]
    output.print_table(("", "function", "column", "values", "single rows", "bars back"), columns)
    print_leaks([leak for check in report.checks for leak in check.findings])
    if report.functions_left_out:
        typer.echo(f"not called, for they take more than a frame: {', '.join(report.functions_left_out)}")
    typer.echo(f"not examined: {'; '.join(report.not_examined)}")
    n_wrong, said = sum(not each.passed for each in report.columns), "no finding"
    if not report.passed:
        said = f"{report.n_findings:,} findings, {n_wrong:,} of {len(report.columns):,} columns at fault"
    symbols = ", ".join(report.candles.symbols)
    typer.echo(f"{report.file}: {said}; {symbols}, {report.candles.n_candles:,} candles")
