"""`candlelock`: the command line. Imports stay inside the commands, so that `--help` is quick."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlelock.contracts.errors import EXIT_CHECK_FAILED, EXIT_ENVIRONMENT, CandlelockError, InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from candlelock.contracts.card_document import ModelCard

HELP = """Reproducible machine-learning pipelines for crypto trading signals, on DVC.

`dvc repro` builds, `dvc exp run` experiments; these commands check and show what was built.
Exit codes: 0 fine, 1 a check failed, 2 wrong usage or input, 3 environment."""

app = typer.Typer(
    help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)
card_app = typer.Typer(help="Show, validate and compare Model Cards.", no_args_is_help=True)
app.add_typer(card_app, name="card")

Root = Annotated[Path, typer.Option("--root", help="Project folder that holds params.yaml and the artifacts.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
CardPath = Annotated[Path, typer.Argument(help="A model_card.json.")]
HERE = Path()
MIN_WIDTH = 110  # columns; narrower tables wrap into noise


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(version("candlelock"))
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and stop.")
]


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Version = False,
) -> None:
    """Options before the command."""
    if debug:
        os.environ["CANDLELOCK_DEBUG"] = "1"


@app.command()
def check(root: Root = HERE, as_json: Json = False) -> None:
    """Check params.yaml and features.yml without running anything."""
    from candlelock.artifacts.user_files import read_params, read_registry

    params = read_params(root)
    entries = read_registry(root, params.features.groups)
    if params.snapshot.source == "files" and not (root / params.snapshot.files.path).is_dir():
        help_line = "name the folder that holds the candle files in snapshot.files.path"
        raise InputError(
            Problem("files-folder", params.snapshot.files.path, "no such folder", "candle files", help_line)
        )
    if as_json:
        _print_json({"heads": sorted(params.heads), "n_features": len(entries), "source": params.snapshot.source})
        return
    heads = ", ".join(sorted(params.heads))
    typer.echo(
        f"params.yaml and features.yml are fine: {params.snapshot.source}, {len(entries)} features, heads {heads}"
    )


@app.command()
def doctor(root: Root = HERE, as_json: Json = False) -> None:
    """Show versions, missing parts, threads, git and DVC state. Exit code 3 when something a run needs is missing."""
    from candlelock.audit.doctor import examine

    symptoms = list(examine(root, os.environ))
    if as_json:
        _print_json([vars(symptom) for symptom in symptoms])
    else:
        marks = {"ok": "ok", "note": "note", "fault": "FAULT"}
        rows = [(marks[s.status], s.name, s.found, "" if s.status == "ok" else s.help) for s in symptoms]
        _print_table(("", "what", "found", "help"), rows)
    if any(symptom.status == "fault" for symptom in symptoms):
        raise typer.Exit(EXIT_ENVIRONMENT)


@card_app.command()
def show(
    path: Annotated[Path | None, typer.Argument(help="A model_card.json; all heads' cards when left out.")] = None,
    as_json: Json = False,
) -> None:
    """Show what was trained on what, the headline figures beside their baselines, and each gate."""
    paths = (
        [path]
        if path
        else sorted(Path("reports").glob("*/model_card.json")) or [Path("reports/direction/model_card.json")]
    )
    cards = [(each, _read_card(each)) for each in paths]
    if as_json:
        _print_json([card.model_dump(mode="json") for _, card in cards])
        return
    from candlelock.card.terminal import print_card

    console = _console()
    for each, card in cards:
        print_card(console, card, each)


@card_app.command()
def validate(path: CardPath, root: Root = HERE, as_json: Json = False) -> None:
    """Derive the card again from the artifacts it names; exit code 1 when it does not follow from them."""
    from candlelock.artifacts import numeric_environment

    numeric_environment.lock()
    from candlelock.audit.card_proof import prove_card

    findings = []
    for finding in prove_card(path, root):
        findings.append(finding)
        if not as_json:
            typer.echo(
                f"{'ok    ' if finding.passed else 'FAILED'}  {finding.step}"
                + (f": {finding.detail}" if finding.detail else "")
            )
    if as_json:
        _print_json(
            {"card": str(path), "is_valid": all(f.passed for f in findings), "steps": [vars(f) for f in findings]}
        )
    if not all(finding.passed for finding in findings):
        raise typer.Exit(EXIT_CHECK_FAILED)


@card_app.command()
def diff(before: CardPath, after: CardPath, as_json: Json = False) -> None:
    """Show every figure that differs between two cards; latency and hashes aside."""
    from candlelock.card.difference import compare_cards

    changes = compare_cards(_read_card(before), _read_card(after))
    if as_json:
        _print_json([change.model_dump(mode="json") for change in changes])
    elif changes:
        _print_table(
            ("figure", str(before), str(after)), [(c.name, _plain(c.before), _plain(c.after)) for c in changes]
        )
    else:
        typer.echo("no figure differs")


def main() -> None:
    """Entry point: problems go to standard error with their exit code, never a traceback without --debug."""
    try:
        app()
    except CandlelockError as error:
        if os.environ.get("CANDLELOCK_DEBUG"):
            raise
        if "--json" in sys.argv:
            _print_json({"problems": [problem.as_dict() for problem in error.problems]})
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)


def _read_card(path: Path) -> ModelCard:
    from candlelock.artifacts import documents
    from candlelock.contracts.card_document import ModelCard

    return documents.read(path, ModelCard)


def _plain(value: Any) -> str:  # noqa: ANN401
    return f"{value:.6g}" if isinstance(value, float) else "—" if value is None else str(value)


def _print_json(value: Any) -> None:  # noqa: ANN401
    typer.echo(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, width=max(shutil.get_terminal_size().columns, MIN_WIDTH))


def _print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    _console().print(table)


if __name__ == "__main__":
    main()
