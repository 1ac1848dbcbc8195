from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from candlelock.card.terminal import print_card
from candlelock.contracts.card_document import ModelCard
from candlelock.contracts.documents import Interval


def shown(card: ModelCard, path: str = "reports/direction/model_card.json", width: int = 140) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False, color_system=None)
    print_card(console, card, Path(path))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def line_with(text: str, start: str) -> list[str]:
    """Cells of the line that starts so."""
    (line,) = [line for line in text.splitlines() if line.strip().startswith(start)]
    return [cell for cell in line.split("  ") if cell.strip()]


def edited(card: ModelCard, **changed: Any) -> ModelCard:
    return ModelCard.model_validate({**card.model_dump(), **changed})


def test_what_was_trained_on_what(card: ModelCard) -> None:
    text = shown(card)
    assert "sample_direction / direction   NO-GO" in text
    assert "92,340 rows of BTC/USD, EOS/USD, ETH/USD, LTC/USD, XRP/USD, 30m bars, 2017-10-15 to 2018-11-09" in text
    assert f"2019-04-04 to 2019-10-01, 4 bars ahead; snapshot {card.train.snapshot_id[:12]}" in text
    assert f"card reports/direction/model_card.html  (also .md, .json)   digest {card.digest[:12]}" in text


def test_headline_figures_stand_beside_their_baselines(card: ModelCard) -> None:
    text = shown(card)
    cells = [cell.strip() for cell in line_with(text, "accuracy  ")]
    assert cells[:6] == ["accuracy", "56.31%", "[55.70%, 56.92%]", "50.52%", "54.41%", "55.71%"]
    assert [cell.strip() for cell in line_with(text, "AUC")][1:] == [
        "0.5902",
        "[0.5781, 0.6023]",
        "0.5000",
        "0.5442",
        "0.5811",
    ]
    assert [cell.strip() for cell in line_with(text, "log loss")][-3:] == ["—", "—", "0.6823"]
    assert [cell.strip() for cell in line_with(text, "lift")][1:] == ["+5.79 [+4.91, +6.67]", "+1.90 [+1.35, +2.45]"]
    assert "always up" in text
    assert "reversal" in text
    assert [cell.strip() for cell in line_with(text, "of noise alone")][:2] == ["of noise alone", "0.0071"]
    assert [cell.strip() for cell in line_with(text, "coverage")] == ["coverage", "90.04%", "of conformal sets"]


def test_every_gate_shows_status_figure_and_bound(card: ModelCard) -> None:
    text = shown(card)
    for gate in card.gates:
        cells = [cell.strip() for cell in line_with(text, gate.name)]
        assert cells[:2] == [gate.name, gate.status]
        assert cells[-1] == gate.bound
    assert [cell.strip() for cell in line_with(text, "back-test trades")][2] == "1,236"


@pytest.mark.parametrize(
    ("figure", "written"), [(None, "–"), (123_456.0, "123,456"), (-1.5, "−1.5"), (0.00834, "0.00834")]
)
def test_figures_are_written_without_exponents(figure: float | None, written: str, card: ModelCard) -> None:
    gates = [{**card.gates[0].model_dump(), "figure": figure}]
    assert [cell.strip() for cell in line_with(shown(edited(card, gates=gates)), card.gates[0].name)][2] == written


def test_a_negative_lift_keeps_its_sign(card: ModelCard) -> None:
    lift = Interval(value=-0.5, low=-1.0, high=0.25)
    text = shown(edited(card, intervals={**card.intervals, "lift_over_best_rule_pp": lift}))
    assert "-0.50 [-1.00, +0.25]" in text


def test_the_path_is_shown_as_it_is(card: ModelCard) -> None:
    assert "card a[b]/x[/y]/:warning:/model_card.html" in shown(card, "a[b]/x[/y]/:warning:/model_card.json")
