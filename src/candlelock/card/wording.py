"""How the card calls its metrics, writes them and says what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.head_params import (
    FutureReturnParams,
    FutureVolatilityParams,
    HeadParams,
    TripleBarrierParams,
)
from candlelock.page.wording import number, percent, points, score, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.card_document import ModelCard


@dataclass(frozen=True)
class Wording:
    """How one metric is called, written and read."""

    label: str
    show: Callable[[float | None], str]
    meaning: str


METRICS = {
    "accuracy": Wording("Accuracy", percent, "share of right answers at p_up 0.5"),
    "auc_roc": Wording("AUC", score, "chance that an up row outranks a down row; 0.5 is none"),
    "log_loss": Wording("Log loss", score, "nats a row; lower is better, 0.6931 is a coin"),
    "brier": Wording("Brier", score, "mean squared error of p_up; lower is better, 0.2500 is a coin"),
    "calibration_ece": Wording("ECE", score, "mean gap of p_up and what happened; lower is better"),
    "calibration_ece_equal_mass": Wording("ECE, equal mass", score, "the same over bins of as many rows each"),
    "f1": Wording("F1", score, "harmonic mean of precision and recall of up"),
    "precision": Wording("Precision", percent, "share of up answers that were right"),
    "recall": Wording("Recall", percent, "share of ups that were answered up"),
    "lift_over_best_constant_pp": Wording(
        "Lift over the best constant", points, "accuracy less that of one fixed answer"
    ),
    "lift_over_best_rule_pp": Wording(
        "Lift over the best rule", points, "accuracy less that of persistence or reversal"
    ),
}


VALUES = {
    "rmse": Wording("RMSE", score, "root mean square of the errors; lower is better"),
    "mae": Wording("MAE", score, "mean size of the errors; lower is better"),
    "r2": Wording("R²", score, "share of the labels' variance that is foretold; 0 is their own mean"),
    "rank_correlation": Wording("Rank correlation", score, "Spearman's, of foretold and true values; 0 is none"),
    "skill": Wording("Skill", score, "share of the best baseline's squared error that is saved"),
}
HEAD: TypeAdapter[HeadParams] = TypeAdapter(HeadParams)


def question(card: ModelCard) -> str:
    """What the head asks, in a sentence."""
    head, bars = head_of(card), f"{card.train.horizon_bars} bars of {card.train.timeframe}"
    if isinstance(head, TripleBarrierParams):
        rise, fall = f"{head.take_profit_sigmas:g} sigma", f"{head.stop_loss_sigmas:g} sigma"
        return f"Within {bars}, will the price rise by {rise} before it falls by {fall}?"
    if isinstance(head, FutureReturnParams):
        return f"How far will the close {bars} ahead be above this one, in past volatilities of such a move?"
    if isinstance(head, FutureVolatilityParams):
        return f"How much more will the next {bars} move than the past {head.volatility_bars} did (ln of the ratio)?"
    of = f", of moves of {head.dead_zone_sigmas:g} sigma or more" if head.dead_zone_sigmas > 0 else ""
    learned = " Models learn how many of the closes on the way are." if head.learns == "path" else ""
    return f"Will the close {bars} ahead be above this one{of}?{learned}"


def reach(card: ModelCard) -> str:
    """How many bars ahead labels look; of labels that may end sooner, at most."""
    return f"{'up to ' if isinstance(head_of(card), TripleBarrierParams) else ''}{card.train.horizon_bars}"


def head_of(card: ModelCard) -> HeadParams:
    """What the head was made to ask. Raises InputError where the card's own parameters do not say it."""
    try:
        return HEAD.validate_python(card.parameters["heads"][card.head])
    except (LookupError, TypeError, ValueError):
        expected = "a head that its own parameters describe, with the keys of this revision"
        help_line = "make the card anew with `dvc repro`; a card of another revision is read by that one"
        raise InputError(Problem("card-head", "the card's head", card.head, expected, help_line)) from None


def is_traded(card: ModelCard) -> bool:
    """Whether "up" is a reason to buy."""
    return head_of(card).is_traded


def metric(key: str) -> Wording:
    """Wording of a metric; a metric without one keeps its own name."""
    return METRICS.get(key) or Wording(words(key), number, "")
