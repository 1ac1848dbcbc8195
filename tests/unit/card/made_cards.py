"""Cards built from evidence by the real code, so that digest, gates and figures belong together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from candlelock.artifacts.user_files import read_params
from candlelock.card.build import build_card
from candlelock.contracts.card_document import CardRange, ModelCard
from candlelock.contracts.documents import SEGMENTS, Importance

if TYPE_CHECKING:
    from candlelock.card.evidence import Evidence

ROOT = Path(__file__).resolve().parents[3]
YEARS = {
    name: CardRange(start=f"20{year}-01-01T00:00:00Z", end=f"20{year}-12-31T00:00:00Z")
    for name, year in zip(SEGMENTS, range(16, 20), strict=True)
}


def change(evidence: Evidence, **parts: dict[str, Any]) -> Evidence:
    """The evidence with keys of its documents changed, such as backtest={"sharpe": 2.0}."""
    changed = {name: getattr(evidence, name).model_copy(update=keys) for name, keys in parts.items()}
    return type(evidence)(**{**vars(evidence), **changed})


def make_card(evidence: Evidence, **parts: dict[str, Any]) -> ModelCard:
    """The card of the evidence so changed; every gate of the built-in policy passes with `backtest.sharpe` at 2."""
    gains = [Importance(name="return_1", gain=1.0)]
    members = {name: each.model_copy(update={"importance": gains}) for name, each in evidence.training.members.items()}
    whole = change(evidence, training={"members": members}, **parts)
    return build_card(whole, "direction", YEARS, read_params(ROOT))
