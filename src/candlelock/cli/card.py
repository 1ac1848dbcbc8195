"""`candlelock card …`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from candlelock.cli import output
from candlelock.cli.output import HERE, Json, Root
from candlelock.contracts.errors import EXIT_CHECK_FAILED

if TYPE_CHECKING:
    from candlelock.contracts.card_document import ModelCard

app = typer.Typer(help="Show, validate and compare Model Cards.", no_args_is_help=True)
CardPath = Annotated[Path, typer.Argument(help="A model_card.json.")]


@app.command()
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
        output.print_json([card.model_dump(mode="json") for _, card in cards])
        return
    from candlelock.card.terminal import print_card

    console = output.console()
    for each, card in cards:
        print_card(console, card, each)


@app.command()
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
        output.print_json(
            {"card": str(path), "is_valid": all(f.passed for f in findings), "steps": [vars(f) for f in findings]}
        )
    if not all(finding.passed for finding in findings):
        raise typer.Exit(EXIT_CHECK_FAILED)


@app.command()
def diff(before: CardPath, after: CardPath, as_json: Json = False) -> None:
    """Show every figure that differs between two cards; latency and hashes aside."""
    from candlelock.card.difference import compare_cards

    changes = compare_cards(_read_card(before), _read_card(after))
    if as_json:
        output.print_json([change.model_dump(mode="json") for change in changes])
    elif changes:
        output.print_table(
            ("figure", str(before), str(after)),
            [(c.name, output.plain(c.before), output.plain(c.after)) for c in changes],
        )
    else:
        typer.echo("no figure differs")


def _read_card(path: Path) -> ModelCard:
    from candlelock.artifacts import documents
    from candlelock.contracts.card_document import ModelCard

    return documents.read(path, ModelCard)
