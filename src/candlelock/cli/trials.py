"""`candlelock trials`: how much was tried for each head, and what of it only git remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlelock.cli import output
from candlelock.cli.output import HERE, Json, Root
from candlelock.contracts.errors import EXIT_CHECK_FAILED

if TYPE_CHECKING:
    from pathlib import Path

    from candlelock.contracts.trial_documents import TrialBatch

Join = Annotated[bool, typer.Option("--join", help="Add what only git remembers to the ledger.")]


def trials(root: Root = HERE, join: Join = False, as_json: Json = False) -> None:
    """Show the ledger of trials; exit code 1 when git remembers trials that it lacks, `--join` adds them."""
    from candlelock.artifacts.user_files import read_params
    from candlelock.audit.read_history import find_lost_trials

    lost = {head: find_lost_trials(root, head) for head in sorted(read_params(root).heads)}
    if join:
        _join(root, lost)
    entries = [_describe(root, head, {} if join else batches) for head, batches in lost.items()]
    n_lost = sum(len(batches) for batches in lost.values())
    if as_json:
        output.print_json(entries)
    else:
        _print(entries)
        if n_lost:
            told = "batches added: run `dvc repro` and commit" if join else "batches in git alone: --join adds them"
            typer.echo(f"{n_lost} {told}")
    if n_lost and not join:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _join(root: Path, lost: dict[str, dict[str, TrialBatch]]) -> None:
    from candlelock.artifacts import documents
    from candlelock.contracts import files

    for head, batches in lost.items():
        folder = root / files.HeadFiles(head).trials
        folder.mkdir(parents=True, exist_ok=True)
        for name, batch in batches.items():
            documents.write(folder / name, batch)


def _describe(root: Path, head: str, lost: dict[str, TrialBatch]) -> dict[str, Any]:
    from candlelock.contracts import files
    from candlelock.evaluate.trial_ledger import count_trials, join, read_ledger

    folder = files.HeadFiles(head).trials
    known = read_ledger(root / folder)
    counted = count_trials(known, n_days=1)
    every = count_trials(join(known, *(batch.records for batch in lost.values())), n_days=1)
    return {
        "head": head,
        "n_trials": counted.n_trials,
        "n_search": counted.n_search,
        "n_experiments": counted.n_experiments,
        "n_with_sharpe": counted.n_with_sharpe,
        "batches": sorted(path.name for path in (root / folder).glob("*.json")),
        "n_trials_in_git_alone": every.n_trials - counted.n_trials,
        "batches_in_git_alone": sorted(lost),
    }


def _print(entries: list[dict[str, Any]]) -> None:
    header = ("head", "trials", "of searches", "experiments", "with a Sharpe ratio", "batches", "in git alone")
    counts = ("n_trials", "n_search", "n_experiments", "n_with_sharpe")
    rows = [
        (
            each["head"],
            *(str(each[name]) for name in counts),
            str(len(each["batches"])),
            f"{each['n_trials_in_git_alone']} in {len(each['batches_in_git_alone'])} batches",
        )
        for each in entries
    ]
    output.print_table(header, rows)
