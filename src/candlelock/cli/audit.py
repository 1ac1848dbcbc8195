"""`candlelock audit …`: whatever sees the future, in the project, in features on any candles, in a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from candlelock.cli import audit_module, audit_project, audit_table, output
from candlelock.cli.leaks_text import check_line, print_leaks, with_findings
from candlelock.cli.output import HERE, Json, Root
from candlelock.contracts.errors import EXIT_CHECK_FAILED, InputError, Problem, nearest

if TYPE_CHECKING:
    from candlelock.contracts.causality_documents import CausalityFinding, CausalityReport
    from candlelock.contracts.params import Params
    from candlelock.contracts.registry import Feature
    from candlelock.features.plugins import Plugin

HELP = "Look for whatever sees the future: in this project, in a table, in a file of features."
app = typer.Typer(help=HELP)
app.command("table")(audit_table.table)
app.command("module")(audit_module.module)

PluginFiles = Annotated[list[Path] | None, typer.Option("--plugins", help="A plug-in's .py file; may be given again.")]


@app.callback(invoke_without_command=True)
def project(context: typer.Context, root: Root = HERE, as_json: Json = False) -> None:
    """Look for whatever sees the future: in this project, in a table, in a file of features.

    Without a command: the causality certificate, rows, labels, fits, fills and controls of the whole project, made
    anew; exit code 1 with what was found.
    """
    if context.invoked_subcommand is None:
        audit_project.audit_project(root, as_json)


@app.command()
def features(
    plugins: PluginFiles = None,
    candles: Annotated[
        Path | None,
        typer.Option("--candles", help="A folder of candle files, or a snapshot; data/snapshot if left out."),
    ] = None,
    groups: Annotated[str | None, typer.Option("--groups", help="Groups of features.yml, with commas.")] = None,
    timeframe: audit_module.Timeframe = None,
    timeout: audit_module.Timeout = audit_module.TIMEOUT_S,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Try every feature for sight of the future, plug-ins first as `audit module` does; exit code 1 with findings."""
    from candlelock.artifacts import numeric_environment

    numeric_environment.lock()
    from candlelock.artifacts import seeds
    from candlelock.artifacts.user_files import read_params
    from candlelock.causality.certificate import Request, certify
    from candlelock.causality.cuts import segment_ends
    from candlelock.causality.subject import subject_of
    from candlelock.cli.audit_candles import read_market
    from candlelock.terminal import progress

    params = read_params(root)
    market, snapshot_id = read_market(root, candles, timeframe)
    enabled = audit_module.enabled_plugins(root, params.features) if groups is None else []
    audit_module.try_plugins(plugins or enabled, market, timeout, as_json)
    entries, loaded = _examined(root, params, plugins or [], groups)
    ends = segment_ends(params.split.calibrate_frac, params.split.decide_frac, params.split.test_frac)
    request = Request(params.causality, seeds.derive(params.seed, "causality"), ends, snapshot_id)
    with progress.showing("causality", "steps") as show:
        report = certify(subject_of(entries, loaded, market), market, request, show)
    if as_json:
        output.print_json(with_findings(report))
    else:
        _print(report, market.bar_ms)
    if not report.passed:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _examined(
    root: Path, params: Params, files: list[Path], groups: str | None
) -> tuple[tuple[Feature, ...], tuple[Plugin, ...]]:
    """Entries and plug-ins: those asked for, or all that params.yaml switches on."""
    from candlelock.artifacts.user_files import read_catalogue, read_registry
    from candlelock.contracts.registry import select
    from candlelock.features.plugins import load_plugin, load_plugins

    if not files and groups is None:
        return read_registry(root, params.features), load_plugins(root, params.features)
    catalogue = read_catalogue(root)
    wanted = [name.strip() for name in groups.split(",")] if groups else []
    known = sorted({entry.group for entry in catalogue})
    unknown = [name for name in wanted if name not in known]
    if unknown:
        help_line = nearest(unknown[0], known)
        raise InputError(Problem("audit-group", "--groups", repr(unknown[0]), "a group of features.yml", help_line))
    entries = select(catalogue, wanted)
    plugins: list[Plugin] = []
    for path in files:
        plugin = load_plugin(path, [*catalogue, *(entry for other in plugins for entry in other.entries)])
        plugins.append(plugin)
    return (*entries, *(entry for plugin in plugins for entry in plugin.entries)), tuple(plugins)


def _print(report: CausalityReport, bar_ms: int) -> None:
    """Every check, and the first finding of each feature at fault."""
    from candlelock.leakage.features import leak_of

    output.print_table(("", "check", "values compared", "findings"), [check_line(check) for check in report.checks])
    first: dict[str, CausalityFinding] = {}
    for found in (found for check in report.checks for found in check.findings):
        first.setdefault(found.feature, found)
    print_leaks([leak_of(found, bar_ms) for found in first.values()])
    candles, n_features = report.candles, len(report.features)
    n_wrong = sum(not feature.passed for feature in report.features)
    said = f"{n_wrong} of {n_features} features are at fault" if n_wrong else f"no finding in {n_features} features"
    span = f"{candles.first_open_utc} to {candles.last_open_utc}, {candles.n_candles:,} candles"
    typer.echo(f"{said}: {', '.join(candles.symbols)}, {span}")
