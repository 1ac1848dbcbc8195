"""The Model Card as one HTML page that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.card import figures, layout
from candlelock.card.wording import VALUES, is_traded, metric, question, reach
from candlelock.contracts.documents import SEGMENTS
from candlelock.page import wording
from candlelock.page.environment import open_templates

if TYPE_CHECKING:
    from candlelock.card.evidence import Evidence
    from candlelock.card.figures import Plots
    from candlelock.contracts.card_document import ModelCard
    from candlelock.contracts.documents import EvaluationReport
    from candlelock.page.chart import Chart


def render(card: ModelCard, evidence: Evidence, plots: Plots) -> str:
    """The page. The same input gives the same text on any machine."""
    template = open_templates("candlelock.card").get_template("card.html.j2")
    return template.render(
        card=card,
        evidence=evidence,
        evaluation=evidence.evaluation,
        charts=_charts(card, evidence.evaluation, plots),
        segments=SEGMENTS,
        strip=layout.compare_accuracies(card),
        layout=layout,
        metric=metric,
        question=question(card),
        reach=reach(card),
        is_traded=is_traded(card),
        value_wording=VALUES,
        wording=wording,
    )


def _charts(card: ModelCard, evaluation: EvaluationReport, plots: Plots) -> dict[str, Chart]:
    return {
        "reliability": figures.draw_reliability(plots.reliability),
        "roc": figures.draw_roc(plots.roc, card.metrics["auc_roc"]),
        "months": figures.draw_months(evaluation.by_month, card.baselines[card.best_rule].accuracy.value),
        "equity": figures.draw_equity(plots.equity, card.backtest.capital),
        "drawdown": figures.draw_drawdown(plots.equity),
    }
