"""`candlelock`: the command line. Imports stay inside the commands, so that `--help` is quick."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from candlelock.cli import (
    audit,
    benchmark,
    card,
    data,
    explain,
    features,
    gate,
    learners,
    orderbook,
    output,
    simulator,
    snapshot,
    trials,
)
from candlelock.cli.output import HERE, Json, Root
from candlelock.contracts.errors import EXIT_ENVIRONMENT, CandlelockError, InputError, Problem

HELP = """Reproducible machine-learning pipelines for crypto trading signals, on DVC.

`dvc repro` builds, `dvc exp run` experiments; these commands check and show what was built.
Exit codes: 0 fine, 1 a check failed, 2 wrong usage or input, 3 environment."""

app = typer.Typer(
    help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)
app.add_typer(audit.app, name="audit")
app.add_typer(card.app, name="card")
app.add_typer(data.app, name="data")
app.add_typer(features.app, name="features")
app.add_typer(orderbook.app, name="orderbook")
app.command()(benchmark.benchmark)
app.command()(explain.explain)
app.command()(gate.gate)
app.command()(learners.learners)
app.command()(snapshot.snapshot)
app.command()(simulator.exchange_sim)
app.command()(trials.trials)


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
    entries = read_registry(root, params.features)
    if params.snapshot.source == "files" and not (root / params.snapshot.files.path).is_dir():
        help_line = "name the folder that holds the candle files in snapshot.files.path"
        raise InputError(
            Problem("files-folder", params.snapshot.files.path, "no such folder", "candle files", help_line)
        )
    if as_json:
        output.print_json({"heads": sorted(params.heads), "n_features": len(entries), "source": params.snapshot.source})
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
        output.print_json([vars(symptom) for symptom in symptoms])
    else:
        marks = {"ok": "ok", "note": "note", "fault": "FAULT"}
        rows = [(marks[s.status], s.name, s.found, "" if s.status == "ok" else s.help) for s in symptoms]
        output.print_table(("", "what", "found", "help"), rows)
    if any(symptom.status == "fault" for symptom in symptoms):
        raise typer.Exit(EXIT_ENVIRONMENT)


def main() -> None:
    """Entry point: problems go to standard error with their exit code, never a traceback without --debug."""
    try:
        app()
    except CandlelockError as error:
        if os.environ.get("CANDLELOCK_DEBUG"):
            raise
        if "--json" in sys.argv:
            output.print_json({"problems": [problem.as_dict() for problem in error.problems]})
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
