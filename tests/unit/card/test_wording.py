"""What a metric is called, and what a head asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from candlelock.card import html, markdown
from candlelock.card.wording import metric, question, reach
from candlelock.contracts.errors import InputError
from tests.heads import direction, future_return, future_volatility, triple_barrier

if TYPE_CHECKING:
    from candlelock.card.evidence import Evidence
    from candlelock.card.figures import Plots
    from candlelock.contracts.card_document import ModelCard
    from candlelock.contracts.head_params import HeadParams

BARRIERS = triple_barrier(4, 2.0, 1.5)


def asking(card: ModelCard, head: HeadParams) -> ModelCard:
    return card.model_copy(update={"parameters": {**card.parameters, "heads": {card.head: head.model_dump()}}})


def test_unknown_metric_keeps_its_name_and_its_value() -> None:
    one = metric("matthews_corr")
    assert (one.label, one.show(0.1262)) == ("matthews corr", "0.1262")


@pytest.mark.parametrize(
    ("head", "sentence", "bars"),
    [
        (direction(4), "Will the close 4 bars of 30m ahead be above this one?", "4"),
        (
            direction(4, 0.5),
            "Will the close 4 bars of 30m ahead be above this one, of moves of 0.5 sigma or more?",
            "4",
        ),
        (
            direction(4, learns="path"),
            "Will the close 4 bars of 30m ahead be above this one? Models learn how many of the closes on the way are.",
            "4",
        ),
        (
            BARRIERS,
            "Within 4 bars of 30m, will the price rise by 2 sigma before it falls by 1.5 sigma?",
            "up to 4",
        ),
        (
            future_return(4),
            "How far will the close 4 bars of 30m ahead be above this one, in past volatilities of such a move?",
            "4",
        ),
        (
            future_volatility(4, 96),
            "How much more will the next 4 bars of 30m move than the past 96 did (ln of the ratio)?",
            "4",
        ),
    ],
    ids=["direction", "dead zone", "path", "triple barrier", "future return", "future volatility"],
)
def test_a_head_asks_what_its_labels_answer(card: ModelCard, head: HeadParams, sentence: str, bars: str) -> None:
    assert (question(asking(card, head)), reach(asking(card, head))) == (sentence, bars)


def test_a_card_of_another_revision_is_refused_by_name(card: ModelCard) -> None:
    known = direction(4).model_dump(exclude={"learns"})
    other = card.model_copy(update={"parameters": {**card.parameters, "heads": {card.head: known}}})
    with pytest.raises(InputError) as caught:
        question(other)
    (problem,) = caught.value.problems
    assert (problem.code, problem.found) == ("card-head", card.head)


def test_pages_of_barriers_say_that_labels_may_end_sooner(card: ModelCard, evidence: Evidence, plots: Plots) -> None:
    other = asking(card, BARRIERS)
    page = html.render(other, evidence, plots)
    assert question(other) in page
    assert "30m, up to 4 ahead" in page
    assert "bars of 30m, up to 4 ahead" in markdown.render(other, evidence)
