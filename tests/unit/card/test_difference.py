from __future__ import annotations

from typing import Any

import pytest

from candlelock.card.difference import compare_cards
from candlelock.contracts.card_document import ModelCard
from candlelock.contracts.documents import Interval


def edited(card: ModelCard, **changed: Any) -> ModelCard:
    return ModelCard.model_validate({**card.model_dump(), **changed})


def changes(before: ModelCard, after: ModelCard) -> dict[str, tuple[Any, Any]]:
    return {change.name: (change.before, change.after) for change in compare_cards(before, after)}


def test_a_card_does_not_differ_from_itself(card: ModelCard) -> None:
    assert compare_cards(card, card.model_copy(deep=True)) == []


def test_changed_figures_come_by_name_in_the_cards_order(card: ModelCard) -> None:
    after = edited(
        card,
        verdict="GO",
        metrics={**card.metrics, "accuracy": 0.6},
        backtest={**card.backtest.model_dump(), "sharpe": None},
        gates=[{**gate.model_dump(), "figure": 2.0} if "Sharpe" in gate.name else gate for gate in card.gates],
    )
    found = changes(card, after)
    assert found == {
        "verdict": ("NO-GO", "GO"),
        "gates.back-test Sharpe.figure": (0.4012, 2.0),
        "metrics.accuracy": (0.5631, 0.6),
        "backtest.sharpe": (0.4012, None),
    }
    assert list(found) == ["verdict", "gates.back-test Sharpe.figure", "metrics.accuracy", "backtest.sharpe"]


def test_what_only_one_card_has_is_null_in_the_other(card: ModelCard) -> None:
    first, *rest = card.feature_importance
    after = edited(card, feature_importance=rest, metrics={**card.metrics, "matthews": 0.1})
    assert changes(card, after) == {
        f"feature_importance.{first.name}.gain": (first.gain, None),
        "metrics.matthews": (None, 0.1),
    }
    assert changes(after, card) == {name: pair[::-1] for name, pair in changes(card, after).items()}


def test_the_same_model_measured_on_another_machine_does_not_differ(card: ModelCard) -> None:
    after = edited(
        card,
        digest="1" * 64,
        latency_ms={**card.latency_ms.model_dump(), "p95": 99.0},
        latency_hardware={**card.latency_hardware.model_dump(), "cpu": "another"},
        gates=[
            {**gate.model_dump(), "figure": 99.0, "status": "FAIL"} if gate.name.startswith("latency") else gate
            for gate in card.gates
        ],
        lineage=[{**each.model_dump(), "sha256": "2" * 64} for each in card.lineage],
    )
    assert changes(card, after) == {}


def test_the_order_of_named_rows_is_no_change(card: ModelCard) -> None:
    assert changes(card, edited(card, gates=card.gates[::-1])) == {}


@pytest.mark.parametrize("key", ["seed", "backtest"])
def test_parameters_are_compared_key_by_key(key: str, card: ModelCard) -> None:
    value = 43 if key == "seed" else {"fee_bps": 7.5}
    name = key if key == "seed" else "backtest.fee_bps"
    after = edited(card, parameters={**card.parameters, key: value})
    assert list(changes(card, after)) == [f"parameters.{name}"]


def test_the_interval_of_a_gate_is_left_out_as_intervals_are(card: ModelCard) -> None:
    wider = card.gates[0].model_copy(update={"interval": Interval(value=5.79, low=1.0, high=9.0)})
    assert changes(card, edited(card, gates=[wider, *card.gates[1:]])) == {}
