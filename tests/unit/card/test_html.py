"""The page: everything on it, nothing from outside, the same bytes everywhere."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from candlelock.artifacts import documents
from candlelock.card import html, markdown
from candlelock.card.evidence import Evidence, read_policy
from candlelock.card.judgement import judge_card
from candlelock.card.wording import metric
from candlelock.contracts.card_document import ModelCard
from candlelock.contracts.leakage_documents import Leak
from candlelock.leakage.rows import leak_check
from candlelock.page import wording
from tests.pages import Page
from tests.unit.card.made_cards import make_card

if TYPE_CHECKING:
    from candlelock.card.figures import Plots

RENDER = """
import hashlib, json, sys
from pydantic import TypeAdapter
from candlelock.card import html, markdown
from candlelock.card.evidence import Evidence
from candlelock.card.figures import Plots
from candlelock.contracts.card_document import ModelCard
given = json.load(sys.stdin)
card = ModelCard.model_validate_json(given["card"])
evidence = TypeAdapter(Evidence).validate_json(given["evidence"])
page = html.render(card, evidence, Plots(**given["plots"])) + markdown.render(card, evidence)
print(hashlib.sha256(page.encode()).hexdigest())
"""


@pytest.fixture
def page(card: ModelCard, evidence: Evidence, plots: Plots) -> str:
    return html.render(card, evidence, plots)


def test_page_refers_to_nothing_outside(page: str) -> None:
    Page(page).require_nothing_outside()


def test_headline_stands_beside_its_baselines(page: str) -> None:
    text = Page(page).text()
    for words in (
        "✗ NO-GO 1 of 7 gates not passed: back-test Sharpe 0.4012 (needs ≥ 1)",
        "Accuracy 56.31% [55.70%, 56.92%] reversal 54.41% always up 50.52%",
        "Lift over reversal +1.90 pp [+1.35 pp, +2.45 pp] +5.79 pp over always up [+4.91 pp, +6.67 pp]",
        "AUC 0.5902 [0.5781, 0.6023] logistic 0.5811",
        "Log loss 0.6804 [0.6783, 0.6825] logistic 0.6823",
        "Brier 0.2437 [0.2427, 0.2447] logistic 0.2446",
        "ECE 0.0083 [0.0061, 0.0162] a perfectly calibrated model shows 0.0071",
        "Symbols BTC/USD, EOS/USD, ETH/USD, LTC/USD, XRP/USD Bars 30m, 4 ahead Span 2017-10-15 to 2018-11-09",
        "Rows 92,340, 50.37% up",
        "p95 533.6 µs p99 1.22 ms Rows timed 2,000, one at a time Threads 1 Processor AMD EPYC 7B13",
    ):
        assert words in text


def test_probabilities_are_laid_open(page: str) -> None:
    text = Page(page).text()
    for words in (
        "lightgbm 0.682014 platt +0.000281 0.000104 mlp 0.683918 beta +0.002185 0.000104 ensemble stack 0.681733 platt",
        "Used: ensemble.",
        "ECE of noise alone 0.0071, equal mass 0.0068",
        "Brier, reliability +0.000118 Brier, resolution -0.006461 Brier, uncertainty +0.249973",
        "buy when p_up ≥ 0.5725; on drawn days [0.5400, 0.6600]",
        "2019-04 8,412 53.10% 50.31% 0.0114 89.87%",
        "90.04% held what happened, 21.13% were one direction alone, 0.00% empty.",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("fitted", "words"),
    [
        ({"method": "identity", "slope": None, "intercept": None}, "Method identity Fitted on"),
        ({"method": "beta", "slope_down": 0.5}, "Method beta Slope 0.9713 up, 0.5000 down Intercept 0.0042 Fitted on"),
        (
            {"method": "isotonic", "slope": None, "intercept": None, "knots_x": [0.4, 0.6], "knots_y": [0.4, 0.6]},
            "Method isotonic Knots 2 Fitted on",
        ),
    ],
)
def test_each_calibrator_is_told_by_what_it_has(
    fitted: dict[str, Any], words: str, card: ModelCard, evidence: Evidence, plots: Plots
) -> None:
    calibration = card.calibration.model_copy(update=fitted)
    page = html.render(card.model_copy(update={"calibration": calibration}), evidence, plots)
    assert words in Page(page).text()


def test_every_gate_is_shown_with_its_interval_and_its_reason(
    card: ModelCard, evidence: Evidence, plots: Plots
) -> None:
    card = card.model_copy(update={"gates": judge_card(make_card(evidence), "card.json", read_policy()).gates})
    text = Page(html.render(card, evidence, plots)).text()
    assert len({gate.interval is None for gate in card.gates}) == 2
    for gate in card.gates:
        shown = f"{wording.number(gate.figure)} {wording.between(gate.interval, wording.number)} {gate.bound}"
        assert f"{gate.name} {wording.SYMBOLS[gate.status]} {gate.status} {shown} {gate.why}" in text


def test_what_was_earned_is_bounded(page: str, card: ModelCard, evidence: Evidence, plots: Plots) -> None:
    bounds = (
        "Sharpe after costs 0.40 [1.15, 3.89], by days",
        "Sharpe ratio a year 2.52 [1.15, 3.89], blocks of 3 days",
        "Net return 5.62% [−2.48%, 13.72%]",
        "Largest fall between days 7.13% [3.04%, 11.22%]",
    )
    text = Page(page).text()
    assert [words for words in bounds if words not in text] == []
    assert "by 15 of its trials in 6 splits" in text
    none = card.model_copy(update={"significance": card.significance.model_copy(update={"returns": None})})
    text = Page(html.render(none, evidence, plots)).text()
    assert "by days" not in text
    assert "Largest fall" not in text


def test_every_figure_of_the_card_is_shown(page: str, card: ModelCard) -> None:
    text, test = Page(page).text(), card.backtest
    figures = [metric(name).show(value) for name, value in card.metrics.items()]
    figures += [wording.between(one, metric(name).show) for name, one in card.intervals.items()]
    for baseline in card.baselines.values():
        figures += [wording.percent(baseline.accuracy.value), wording.between(baseline.accuracy, wording.percent)]
        figures += [wording.score(one) for one in (baseline.f1, baseline.auc_roc, baseline.log_loss, baseline.brier)]
    figures += [wording.money(one) for one in (test.capital, test.final_equity, test.fees_paid)]
    figures += [wording.percent(one) for one in (test.max_drawdown_frac, test.win_rate_frac, test.exposure_frac)]
    figures += [wording.change(one.net_return_frac) for one in test.cost_sensitivity]
    figures += [wording.change(one) for one in (test.net_return_frac, test.buy_and_hold_return_frac)]
    figures += [wording.count(test.n_trades), "6.91 of capital a day"]
    figures += [wording.latency(getattr(card.latency_ms, name)) for name in ("mean", "p50", "p95", "p99")]
    figures += [wording.minute(time) for part in card.segments.values() for time in (part.start, part.end)]
    figures += [f"p_up ≥ {card.threshold:.4f}", "0.9713", "0.0042", "0.681733", "0.683902"]
    figures += [wording.percent(one.gain) for one in card.feature_importance[:20]]
    assert [one for one in figures if one not in text] == []


def test_lineage_leads_to_every_file_and_every_candle_by_its_full_hash(page: str, evidence: Evidence) -> None:
    text = Page(page).text()
    for artifact in evidence.lineage:
        assert f"{artifact.path} {artifact.sha256}" in text
    for symbol in evidence.manifest.symbols:
        assert symbol.file in text
        assert symbol.sha256 in text
    assert "candlelock card validate reports/direction/model_card.json" in text


def test_what_was_checked_and_set_is_shown(page: str, evidence: Evidence) -> None:
    text = Page(page).text()
    check = evidence.leakage.checks[1]
    assert f"time_split intervals ✓ PASS 11 {check.what}" in text
    assert "lightgbm.num_leaves 31" in text
    assert 'snapshot.source "sample"' in text
    assert "Made from the built-in sample. Not a recommendation to trade." in text
    assert "12,184 9,093 went down 9,279 11,561" in text


def test_failed_leakage_check_names_its_findings(card: ModelCard, evidence: Evidence, plots: Plots) -> None:
    moved = Leak(code="future-prefix", subject="return_1", detail="moved by 3e-4", help="h")
    first, *others = evidence.leakage.checks
    failed = leak_check(first.name, first.what, first.n_compared, [moved])
    leakage = evidence.leakage.model_copy(update={"checks": [failed, *others]})
    checks = card.leakage_checks.model_copy(update={"future_info": False})
    other = Evidence(**{**vars(evidence), "leakage": leakage})
    text = Page(html.render(card.model_copy(update={"leakage_checks": checks}), other, plots)).text()
    assert "future_info features ✗ FAIL 1,102,500" in text
    assert "future-prefix, return_1: moved by 3e-4" in text


@pytest.mark.parametrize("verdict", ["GO", "INSUFFICIENT EVIDENCE"])
def test_verdict_reads_without_colour(verdict: str, card: ModelCard, evidence: Evidence, plots: Plots) -> None:
    status = "PASS" if verdict == "GO" else verdict
    gates = [gate.model_copy(update={"status": status}) for gate in card.gates]
    text = Page(html.render(card.model_copy(update={"verdict": verdict, "gates": gates}), evidence, plots)).text()
    assert f"{wording.SYMBOLS[verdict]} {verdict}" in text
    assert ("all 7 gates passed" in text) == (verdict == "GO")
    assert "NO-GO" not in text


def test_hostile_words_stay_words(card: ModelCard, evidence: Evidence, plots: Plots) -> None:
    attack = "</style><script>alert(1)</script><img src=http://evil.example onerror='x'> {{ 7 * 7 }} \"&"
    gate = card.gates[0].model_copy(update={"why": attack, "name": attack, "bound": attack})
    month = evidence.evaluation.by_month[0].model_copy(update={"name": attack})
    evaluation = evidence.evaluation.model_copy(update={"by_month": [month]})
    hostile = card.model_copy(
        update={"model_name": attack, "notes": attack, "gates": [gate], "hyperparameters": {attack: attack}}
    )
    page = Page(html.render(hostile, Evidence(**{**vars(evidence), "evaluation": evaluation}), plots))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert page.text().count("<script>alert(1)</script>") >= 7
    assert "{{ 7 * 7 }}" in page.text()


def test_figure_that_does_not_exist_is_a_dash(card: ModelCard, evidence: Evidence, plots: Plots) -> None:
    backtest = card.backtest.model_copy(update={"sharpe": None, "win_rate_frac": None, "n_trades": 0})
    gates = [gate.model_copy(update={"figure": None, "status": "INSUFFICIENT EVIDENCE"}) for gate in card.gates]
    knots = {"slope": None, "intercept": None, "knots_x": [0.4, 0.6], "knots_y": [0.45, 0.55]}
    isotonic = card.calibration.model_copy(update={"method": "isotonic", **knots})
    empty = card.model_copy(update={"backtest": backtest, "gates": gates, "calibration": isotonic, "notes": ""})
    page = html.render(empty, evidence, plots)
    text = Page(page).text()
    assert "None" not in page
    assert "Sharpe, annual –" in text
    assert "Trades won –" in text
    assert "Method isotonic Knots 2" in text
    assert "calibration ? INSUFFICIENT EVIDENCE – – ≤ 0.1" in text
    assert "None" not in markdown.render(empty, evidence)


def test_order_of_keys_does_not_show(page: str, card: ModelCard, evidence: Evidence, plots: Plots) -> None:
    sorted_keys = ModelCard.model_validate_json(documents.to_bytes(card))
    assert list(sorted_keys.baselines) != list(card.baselines)
    assert html.render(sorted_keys, evidence, plots) == page
    assert markdown.render(sorted_keys, evidence) == markdown.render(card, evidence)


def test_bytes_do_not_depend_on_the_process(page: str, card: ModelCard, evidence: Evidence, plots: Plots) -> None:
    adapter = TypeAdapter(Evidence)
    given = json.dumps(
        {"card": card.model_dump_json(), "evidence": adapter.dump_json(evidence).decode(), "plots": vars(plots)}
    )
    here = hashlib.sha256((page + markdown.render(card, evidence)).encode()).hexdigest()
    for surroundings in ({"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}, {"PYTHONHASHSEED": "77", "LC_ALL": "C"}):
        run = subprocess.run(
            [sys.executable, "-c", RENDER],
            input=given,
            env={**os.environ, **surroundings, "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.strip() == here
