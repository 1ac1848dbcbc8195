"""`candlelock features …`: what the features are, one of them in full, a registry checked, and the reference page."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path  # noqa: TC003  (typer reads annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from candlelock.cli import features_text, output
from candlelock.cli.output import HERE, Json, Root
from candlelock.contracts.errors import EXIT_CHECK_FAILED, InputError, Problem, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.contracts.params import Params
    from candlelock.contracts.registry import Feature
    from candlelock.reference.page import Plots

app = typer.Typer(help="List, show and document features; check a registry.", no_args_is_help=True)
Timeframe = Annotated[
    str | None, typer.Option("--timeframe", help="Length of a bar, such as 1m or 4h; params.yaml's when left out.")
]


@app.command(name="list")
def list_features(
    group: Annotated[str | None, typer.Option("--group", help="Only this group, or plug-in without .py.")] = None,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """List every feature of features.yml and of the plug-ins in params.yaml, switched on or not."""
    params, entries = _read(root)
    groups = list(dict.fromkeys(entry.group for entry in entries))
    if group is not None and group not in groups:
        raise InputError(Problem("group-unknown", "--group", repr(group), "a group", nearest(group, groups)))
    shown = [entry for entry in entries if group in (None, entry.group)]
    switched_on = _switched_on(params, entries)
    if as_json:
        output.print_json([features_text.entry_json(entry, entry.name in switched_on) for entry in shown])
    else:
        features_text.print_list(shown, switched_on)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A feature's name.")],
    timeframe: Timeframe = None,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Show all of a feature: formula, unit, range, warm-up in bars and time, inputs, and its values where built."""
    from candlelock.reference.values import read_spreads

    params, entries = _read(root)
    entry = next((each for each in entries if each.name == name), None)
    if entry is None:
        near = nearest(name, [each.name for each in entries])
        help_line = near if near.startswith("did") else "`candlelock features list` names all"
        raise InputError(Problem("feature-unknown", "NAME", repr(name), "a feature", help_line))
    frame = timeframe or params.snapshot.timeframe
    bar_ms, is_on, spreads = _bar_ms(frame), entry.name in _switched_on(params, entries), read_spreads(root, name)
    if as_json:
        warmup = {"timeframe": frame, "bars": entry.warmup(bar_ms), "milliseconds": entry.warmup(bar_ms) * bar_ms}
        values = [vars(spread) for spread in spreads]
        output.print_json({**features_text.entry_json(entry, is_on), "warmup": warmup, "values": values})
    else:
        features_text.print_entry(entry, frame, bar_ms, is_on)
        features_text.print_spreads(spreads)


@app.command()
def validate(
    file: Annotated[Path, typer.Argument(help="features.yml, or a plug-in's .yml or .py.")],
    plugins: Annotated[
        list[Path] | None, typer.Option("--plugins", help="Check this plug-in (.py) too; may be given again.")
    ] = None,
    timeframe: Annotated[str, typer.Option("--timeframe", help="Length of a bar, such as 1m or 4h.")] = "30m",
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Check a registry: its form, and that entries and functions agree; exit code 1 with every problem by its line."""
    from candlelock.artifacts import numeric_environment
    from candlelock.contracts import files

    numeric_environment.lock()
    from candlelock.features.validation import all_problems

    source = file.with_suffix(".py")
    is_plugin = file.suffix == ".py" or source.is_file()
    registry, checked = None if is_plugin else file, [*([source] if is_plugin else []), *(plugins or [])]
    with contextlib.redirect_stdout(sys.stderr):  # what a plug-in prints
        problems = all_problems(registry, checked, registry or root / files.REGISTRY, _bar_ms(timeframe))
    if as_json:
        output.print_json({"is_valid": not problems, "problems": [problem.as_dict() for problem in problems]})
    elif problems:
        typer.echo("\n".join(map(str, problems)))
    else:
        typer.echo("\n".join(f"ok      {each}" for each in (registry, *checked) if each))
    if problems:
        raise typer.Exit(EXIT_CHECK_FAILED)


@app.command()
def doc(
    out: Annotated[
        Path | None, typer.Option("--out", help="The page to write; reports/features.html when left out.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", help="Write features.yml as a Markdown table to this file instead.")
    ] = None,
    symbol: Annotated[str | None, typer.Option("--symbol", help="Plot this one; the first when left out.")] = None,
    bars: Annotated[int, typer.Option("--bars", min=2, help="Bars to plot, the last ones.")] = 300,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Write the reference: every feature with formula, unit, range, warm-up, inputs, and a plot on data/snapshot."""
    from candlelock.artifacts import atomic, numeric_environment

    numeric_environment.lock()
    from candlelock.artifacts.user_files import read_catalogue
    from candlelock.contracts import files
    from candlelock.reference import page, table

    if markdown:
        atomic.write_bytes(markdown, table.render(read_catalogue(root)).encode())
        _say_written({"markdown": str(markdown)}, as_json)
        return
    params, entries = _read(root)
    with contextlib.redirect_stdout(sys.stderr):
        plots = _plot(root, params, entries, symbol, bars)
    switched_on = _switched_on(params, entries)
    on = [entry.name for entry in entries if entry.name in switched_on]
    text = page.render(entries, on, _bar_ms(params.snapshot.timeframe), plots)
    path = out or root / files.FEATURE_PAGE
    atomic.write_bytes(path, text.encode())
    n_plots = sum(chart is not None for chart in plots.charts.values()) if plots else 0
    _say_written({"out": str(path), "n_features": len(entries), "n_plots": n_plots}, as_json)


def _plot(root: Path, params: Params, entries: Sequence[Feature], symbol: str | None, n_bars: int) -> Plots | None:
    """Plots on data/snapshot; none where it is not built."""
    from candlelock.cli.audit_candles import read_snapshot
    from candlelock.contracts import files
    from candlelock.features.plugins import load_plugins
    from candlelock.reference import page
    from candlelock.terminal import progress

    if not (root / files.MANIFEST).is_file():
        return None
    market, manifest = read_snapshot(root / files.SNAPSHOT, root / files.ORDER_BOOKS)
    if symbol is not None and symbol not in market.symbols:
        known = nearest(symbol, market.symbols)
        raise InputError(Problem("symbol-unknown", "--symbol", repr(symbol), "a symbol of data/snapshot", known))
    plugins = load_plugins(root, params.features)
    with progress.showing("features", "features") as tell:
        return page.plot(market, manifest.snapshot_id, symbol or market.symbols[0], entries, plugins, n_bars, tell)


def _read(root: Path) -> tuple[Params, tuple[Feature, ...]]:
    """The parameters, and every entry of features.yml and of the plug-ins they name."""
    from candlelock.artifacts.user_files import read_entries, read_params

    params = read_params(root)
    return params, read_entries(root, params.features)


def _switched_on(params: Params, entries: Sequence[Feature]) -> set[str]:
    """Names of the features that are computed."""
    from candlelock.contracts.stage_params import plugin_group

    groups = {*params.features.groups, *map(plugin_group, params.features.plugins)}
    return {entry.name for entry in entries if entry.group in groups} - set(params.features.exclude)


def _bar_ms(timeframe: str) -> int:
    from candlelock.contracts.params import bar_seconds

    try:
        return 1000 * bar_seconds(timeframe)
    except ValueError as error:
        help_line = "such as 5m, 4h or 1d"
        raise InputError(Problem("timeframe-unknown", "--timeframe", repr(timeframe), str(error), help_line)) from None


def _say_written(facts: dict[str, object], as_json: bool) -> None:
    if as_json:
        output.print_json(facts)
    else:
        typer.echo(", ".join(f"{name} {value}" for name, value in facts.items()))
