"""A finished card judged by any policy, from what it shows alone.

Does not belong here: whether the card follows from the artifacts it names (`audit.card_proof`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from candlelock.artifacts import documents
from candlelock.card.build import digest
from candlelock.card.card_figures import gate_intervals, read_figures
from candlelock.card.evidence import read_policy
from candlelock.card.gates import asked_of, decide, judge
from candlelock.card.wording import head_of
from candlelock.contracts.documents import utc_ms
from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.policy import parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from candlelock.contracts.card_document import Gate, ModelCard, Verdict
    from candlelock.contracts.policy import GatePolicy

HELP_CARD = "make the card anew with `dvc repro`; `candlelock card validate` names what does not follow"


@dataclass(frozen=True)
class Judgement:
    """What a policy says of a card."""

    policy_version: str
    verdict: Verdict
    gates: list[Gate]


def read_policy_file(path: Path) -> GatePolicy:
    """A policy somebody wrote. Raises InputError with every problem of the file: what is wrong never judges."""
    try:
        document = documents.read_json(path)
    except InputError as error:
        help_line = "name a policy file; docs/gates.md describes it"
        raise InputError([replace(problem, help=help_line) for problem in error.problems]) from None
    return parse_policy(document, str(path), read_policy())


def judge_card(card: ModelCard, place: str, policy: GatePolicy) -> Judgement:
    """Each gate of `policy` on the card of `place`. Raises InputError for a card that is at odds with itself."""
    raise_if(list(_contradictions(card, place)))
    gates = _judge(card, policy)
    return Judgement(policy.version, decide(gates), gates)


def _judge(card: ModelCard, policy: GatePolicy) -> list[Gate]:
    intervals = gate_intervals(card.intervals, card.values, card.significance)
    return judge(asked_of(policy, head_of(card)), read_figures(card), intervals)


def _contradictions(card: ModelCard, place: str) -> Iterator[Problem]:
    """What edited cards are caught by. Latency is outside the digest: there the card's own gates have to agree."""
    found = digest(card)
    if found != card.digest:
        said, expected = f"{card.digest[:12]}, but the content has {found[:12]}", "the digest of the card's content"
        yield Problem("card-digest", f"{place} digest", said, expected, HELP_CARD)
    try:
        head_of(card)
    except InputError as error:
        yield from (replace(problem, place=f"{place} head") for problem in error.problems)
        return
    yield from _trade_contradictions(card, place)
    follows, made_by = decide(card.gates), read_policy()
    if card.verdict != follows:
        yield Problem("card-verdict", f"{place} verdict", card.verdict, f"{follows}, by its own gates", HELP_CARD)
    if made_by.version == card.policy_version:
        yield from _gate_contradictions(card, _judge(card, made_by), place)


def _trade_contradictions(card: ModelCard, place: str) -> Iterator[Problem]:
    """More trades than bars, of all symbols: a position is entered once in a bar."""
    try:
        bar_ms = 1000 * bar_seconds(card.train.timeframe)
    except ValueError:
        yield Problem("card-trades", f"{place} train.timeframe", card.train.timeframe, "such as 30m or 1h", HELP_CARD)
        return
    span_ms = utc_ms(card.backtest.last_close_utc) - utc_ms(card.backtest.first_open_utc)
    most = len(card.train.symbols) * (max(span_ms, 0) // bar_ms)
    if card.backtest.n_trades > most:
        said, expected = f"{card.backtest.n_trades} trades", f"at most {most}, one for each bar of each symbol"
        yield Problem("card-trades", f"{place} backtest.n_trades", said, expected, HELP_CARD)


def _gate_contradictions(card: ModelCard, again: list[Gate], place: str) -> Iterator[Problem]:
    """The card's gates against those of the policy it was made by, judged again."""
    own, derived = ({gate.name: gate for gate in gates} for gates in (card.gates, again))
    for name in [*own, *sorted(set(derived) - set(own))]:
        said, expected = (_words(gates.get(name)) for gates in (own, derived))
        if own.get(name) != derived.get(name):
            yield Problem("card-gate", f"{place} gates {name!r}", said, f"{expected}, by its figures", HELP_CARD)


def _words(gate: Gate | None) -> str:
    if gate is None:
        return "no such gate"
    behind = "" if gate.evidence is None else f", {gate.evidence} {gate.n_evidence}"
    return f"{gate.status}, {gate.figure_name} {gate.figure} {gate.bound}{behind}"
