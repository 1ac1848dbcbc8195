"""Bounds against evidence: each status, and which verdict follows from them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, get_args

import pytest

from candlelock.card.build import gate_figures
from candlelock.card.evidence import read_policy
from candlelock.card.gates import asked_of, decide, judge
from candlelock.contracts.card_document import Gate, GateStatus
from candlelock.contracts.policy import GateRule
from tests.heads import direction, future_return, future_volatility
from tests.unit.card.gates_of_cards import some_gate

if TYPE_CHECKING:
    from candlelock.card.evidence import Evidence
    from candlelock.contracts.head_params import HeadParams

THIN = "INSUFFICIENT EVIDENCE"


def judge_one(figures: dict[str, float | None], **rule: Any) -> Gate:
    policy = read_policy().model_copy(update={"gates": [GateRule(name="g", figure="x", why="w", **rule)]})
    (gate,) = judge(policy, figures)
    return gate


@pytest.mark.parametrize(
    ("rule", "figure", "status", "bound"),
    [
        ({"at_least": 1.0}, 1.0, "PASS", "≥ 1"),
        ({"at_least": 1.0}, 0.999, "FAIL", "≥ 1"),
        ({"above": 0.0}, 0.0, "FAIL", "> 0"),
        ({"above": 0.0}, 1e-12, "PASS", "> 0"),
        ({"at_most": 0.1}, 0.1, "PASS", "≤ 0.1"),
        ({"at_most": 0.1}, 0.1001, "FAIL", "≤ 0.1"),
        ({"at_least": 1.0, "at_most": 2.0}, 1.5, "PASS", "≥ 1 and ≤ 2"),
        ({"at_least": 1.0, "at_most": 2.0}, 2.5, "FAIL", "≥ 1 and ≤ 2"),
        ({"at_least": 1.0, "at_most": 2.0}, 0.5, "FAIL", "≥ 1 and ≤ 2"),
        ({"above": 1.0, "at_most": 2.0}, 1.0, "FAIL", "> 1 and ≤ 2"),
    ],
)
def test_a_figure_passes_within_its_bounds(rule: dict[str, float], figure: float, status: str, bound: str) -> None:
    gate = judge_one({"x": figure}, **rule)
    assert (gate.status, gate.figure, gate.bound, gate.why) == (status, figure, bound, "w")


@pytest.mark.parametrize("figures", [{"x": None}, {}, {"y": 1.0}])
def test_a_figure_that_does_not_exist_is_insufficient_evidence(figures: dict[str, float | None]) -> None:
    gate = judge_one(figures, at_least=0.0)
    assert (gate.status, gate.figure, gate.why) == (THIN, None, "w; there is no x")


@pytest.mark.parametrize(
    ("n_rows", "figure", "status"),
    [
        (50.0, 2.0, "PASS"),
        (50.0, 0.0, "FAIL"),
        (49.0, 2.0, THIN),
        (49.0, 0.0, THIN),
        (None, 2.0, THIN),
        (0.0, 2.0, THIN),
    ],
)
def test_thin_evidence_neither_passes_nor_fails(n_rows: float | None, figure: float, status: str) -> None:
    gate = judge_one({"x": figure, "n": n_rows}, at_least=1.0, evidence="n", min_n=50)
    assert (gate.status, gate.figure) == (status, figure)
    assert gate.why == (f"w; n is {n_rows or 0:g}, 50 needed" if status == THIN else "w")


@pytest.mark.parametrize("statuses", [*itertools.combinations_with_replacement(get_args(GateStatus), 3)])
def test_any_fail_is_no_go_then_any_lack_is_insufficient(statuses: tuple[GateStatus, ...]) -> None:
    for order in itertools.permutations(statuses):
        verdict = decide([some_gate("g", "x", status, 1.0, "", "") for status in order])
        assert (verdict == "GO") == (set(statuses) == {"PASS"})
        assert (verdict == "NO-GO") == ("FAIL" in statuses)


@pytest.mark.parametrize(
    ("head", "is_asked"),
    [
        (direction(4), {"all": True, "traded": True, "valued": False}),
        (future_return(4), {"all": True, "traded": True, "valued": True}),
        (future_volatility(4), {"all": True, "traded": False, "valued": True}),
    ],
)
def test_a_head_is_asked_for_what_it_can_have(head: HeadParams, is_asked: dict[str, bool]) -> None:
    policy = read_policy()
    expected = [rule.name for rule in policy.gates if is_asked[rule.heads]]
    assert [rule.name for rule in asked_of(policy, head).gates] == expected
    figures = {rule.figure for rule in asked_of(policy, head).gates}
    assert ("sharpe" in figures) == head.is_traded
    assert ("value_skill_low" in figures) == head.is_valued


def test_every_gate_of_the_policy_names_figures_that_are_computed(evidence: Evidence) -> None:
    policy, figures = read_policy(), gate_figures(evidence)
    assert len({rule.name for rule in policy.gates}) == len(policy.gates)
    for rule in policy.gates:
        assert rule.heads == "valued" or rule.figure in figures
        assert rule.evidence is None or rule.evidence in figures
        assert (rule.evidence is None) == (rule.min_n is None)
        assert {rule.at_least, rule.above, rule.at_most} != {None}
    assert {gate.status for gate in judge(policy, dict.fromkeys(figures))} == {THIN}
    assert decide(judge(policy, {})) == THIN
