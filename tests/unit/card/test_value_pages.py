"""What the pages of a head of values show besides, and what they leave out where it is not traded."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from candlelock.card import html, markdown
from candlelock.card.terminal import print_card
from candlelock.contracts.documents import Interval, ValueBaseline, Values
from tests.heads import direction, future_return, future_volatility
from tests.pages import Page

if TYPE_CHECKING:
    from candlelock.card.evidence import Evidence
    from candlelock.card.figures import Plots
    from candlelock.contracts.card_document import ModelCard
    from candlelock.contracts.head_params import HeadParams

VALUES = Values(
    unit="ells",
    n_rows=42_117,
    metrics={
        name: Interval(value=value, low=value - 0.0111, high=value + 0.0222)
        for name, value in (
            ("rmse", 1.3161),
            ("mae", 0.7207),
            ("r2", 0.1529),
            ("rank_correlation", 0.1302),
            ("skill", 0.0389),
        )
    },
    baselines={"zero": ValueBaseline(rmse=1.3247, mae=0.722), "linear": ValueBaseline(rmse=1.322, mae=0.7267)},
    best_baseline="linear",
    coverage_frac=0.9014,
    mean_width=3.0819,
)
FIGURES = ("1.3161", "[1.3050, 1.3383]", "0.7207", "0.1529", "0.1302", "0.0389")


def valued(card: ModelCard, head: HeadParams) -> ModelCard:
    parameters = {**card.parameters, "heads": {card.head: head.model_dump()}}
    return card.model_copy(update={"parameters": parameters, "values": VALUES})


def test_every_figure_of_the_values_is_on_every_page(card: ModelCard, evidence: Evidence, plots: Plots) -> None:
    own = valued(card, future_return(4))
    console = Console(file=io.StringIO(), width=200)
    print_card(console, own, Path("reports/direction/model_card.json"))
    pages = (Page(html.render(own, evidence, plots)).text(), markdown.render(own, evidence), console.file.getvalue())
    for page in pages:
        for figure in (*FIGURES, "1.3220", "linear"):
            assert figure in page
    for page in pages[:2]:
        assert "1.3247" in page
        assert "ells" in page
        assert "Squared error" in page or "squared error" in page


@pytest.mark.parametrize(("head", "is_traded"), [(future_return(4), True), (future_volatility(4), False)])
def test_only_a_head_that_is_traded_says_when_to_buy(
    card: ModelCard, evidence: Evidence, plots: Plots, head: HeadParams, is_traded: bool
) -> None:
    own = valued(card, head)
    for page in (html.render(own, evidence, plots), markdown.render(own, evidence)):
        assert ("buy when p_up" in page) == is_traded
        assert ("the head is not traded" in page) != is_traded


def test_other_heads_have_no_such_part(card: ModelCard, evidence: Evidence, plots: Plots) -> None:
    own = card.model_copy(update={"parameters": valued(card, direction(4)).parameters})
    for page in (html.render(own, evidence, plots), markdown.render(own, evidence)):
        assert "R²" not in page
        assert "quared error |" not in page
        assert "Out-of-fold squared error" not in page
