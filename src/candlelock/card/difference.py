"""What changed from one card to another, figure by figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from candlelock.contracts.documents import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlelock.contracts.card_document import ModelCard

NOISE = {"latency_ms", "latency_hardware", "digest", "intervals", "lineage"}


class Change(Document):
    """One figure that differs; null where a card lacks it."""

    name: str
    before: Any
    after: Any


def compare_cards(before: ModelCard, after: ModelCard) -> list[Change]:
    """Changed figures in the order of the card's fields; latency, hashes and intervals are left out."""
    a, b = (dict(_figures(card)) for card in (before, after))
    return [
        Change(name=name, before=a.get(name), after=b.get(name)) for name in {**a, **b} if a.get(name) != b.get(name)
    ]


def _figures(card: ModelCard) -> Iterator[tuple[str, Any]]:
    plain = card.model_dump(mode="json", exclude=NOISE)
    kept = [gate for gate in plain["gates"] if not gate["name"].startswith("latency")]
    plain["gates"] = [{key: part for key, part in gate.items() if key != "interval"} for gate in kept]
    return _flatten(plain, "")


def _flatten(value: Any, at: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flatten(inner, f"{at}.{key}".lstrip("."))
    elif isinstance(value, list) and value and isinstance(value[0], dict) and "name" in value[0]:
        for inner in value:
            yield from _flatten({key: part for key, part in inner.items() if key != "name"}, f"{at}.{inner['name']}")
    else:
        yield at, value
