"""`candlelock gate`: a card against a policy, for whatever must not go on without a GO."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlelock.cli import output
from candlelock.cli.output import Json  # noqa: TC001  (typer reads annotations)
from candlelock.contracts.errors import EXIT_CHECK_FAILED

if TYPE_CHECKING:
    from candlelock.card.judgement import Judgement
    from candlelock.contracts.card_document import ModelCard
    from candlelock.contracts.documents import Interval

CardFile = Annotated[Path, typer.Option("--card", help="The model_card.json to judge.")]
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="A policy file; the built-in one if left out.")]


def gate(card: CardFile, policy: PolicyFile = None, as_json: Json = False) -> None:
    """Judge a card by a policy; exit code 1 unless the verdict is GO."""
    from candlelock.artifacts import documents
    from candlelock.card.evidence import read_policy
    from candlelock.card.judgement import judge_card, read_policy_file
    from candlelock.contracts.card_document import ModelCard

    rules = read_policy() if policy is None else read_policy_file(policy)
    model_card = documents.read(card, ModelCard)
    judged = judge_card(model_card, str(card), rules)
    name = "built in" if policy is None else str(policy)
    if as_json:
        output.print_json(_document(model_card, card, judged, name))
    else:
        _print(model_card, card, judged, name)
    if judged.verdict != "GO":
        raise typer.Exit(EXIT_CHECK_FAILED)


def _document(model_card: ModelCard, card: Path, judged: Judgement, policy: str) -> dict[str, Any]:
    return {
        "card": str(card),
        "digest": model_card.digest,
        "policy": policy,
        "policy_version": judged.policy_version,
        "verdict": judged.verdict,
        "gates": [each.model_dump(mode="json") for each in judged.gates],
    }


def _print(model_card: ModelCard, card: Path, judged: Judgement, policy: str) -> None:
    """Every gate, then why those that did not pass did not."""
    typer.echo(
        f"{model_card.model_name} / {model_card.head}   {judged.verdict}   policy {policy}, {judged.policy_version}\n"
    )
    rows = [
        (each.name, each.status, output.plain(each.figure), _between(each.interval), each.bound)
        for each in judged.gates
    ]
    output.print_table(("gate", "verdict", "figure", "interval", "bound"), rows)
    if not rows:
        typer.echo("the policy has no gate for such a head, so that nothing speaks for it")
    for each in judged.gates:
        if each.status != "PASS":
            typer.echo(f"\n{each.status}: {each.name}\n  {each.why}")
    typer.echo(
        f"\ndigest {model_card.digest[:12]} is that of the card; `candlelock card validate {card}` proves the rest"
    )


def _between(interval: Interval | None) -> str:
    return "" if interval is None else f"[{output.plain(interval.low)}, {output.plain(interval.high)}]"
