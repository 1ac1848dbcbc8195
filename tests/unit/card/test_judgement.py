"""A finished card judged again: from what it shows, by any policy, and never when it is at odds with itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from candlelock.card.build import gate_figures
from candlelock.card.card_figures import read_figures
from candlelock.card.evidence import read_policy
from candlelock.card.judgement import Judgement, judge_card
from candlelock.contracts.card_document import ModelCard
from candlelock.contracts.documents import utc_ms
from candlelock.contracts.errors import InputError
from candlelock.contracts.gate_figures import FIGURES
from candlelock.contracts.policy import GatePolicy, GateRule
from tests.unit.card.luck import RETURNS
from tests.unit.card.made_cards import change, make_card
from tests.unit.card.test_build import another, leaves, set_at

if TYPE_CHECKING:
    from candlelock.card.evidence import Evidence

THIN = "INSUFFICIENT EVIDENCE"
GOOD = {"sharpe": 2.0}


def judge_by(card: ModelCard, **rule: Any) -> tuple[str, float | None, str]:
    """Verdict, figure and why of a policy of one gate."""
    gates = [GateRule(name="g", why="w", **rule)]
    policy = GatePolicy(version="1.0.0", kind="candlelock gate policy", gates=gates)
    judged = judge_card(card, "card.json", policy)
    return judged.verdict, judged.gates[0].figure, judged.gates[0].why


def codes_of(card: ModelCard) -> set[str]:
    with pytest.raises(InputError) as caught:
        judge_card(card, "card.json", read_policy())
    return {problem.code for problem in caught.value.problems}


def edited(card: ModelCard, *path: Any, to: Any) -> ModelCard:
    return ModelCard.model_validate(set_at(card.model_dump(mode="json"), path, to))


def test_the_card_tells_every_figure_it_was_judged_by(evidence: Evidence) -> None:
    made_of = gate_figures(evidence)
    assert set(made_of) == {name for name in FIGURES if not name.startswith("value_")}  # a head of values has these
    assert read_figures(make_card(evidence)) == made_of


@pytest.mark.parametrize(
    "parts",
    [
        {"backtest": GOOD},
        {"backtest": {"sharpe": None}},
        {"backtest": GOOD | {"n_trades": 49}},
        {"backtest": GOOD, "evaluation": {"n_rows": 999}},
        {"backtest": GOOD, "evaluation": {"n_blocks": 3}},
        {"backtest": GOOD, "latency": {"p95": 81.0}},
        {"backtest": GOOD, "latency": {"samples": 20}},
    ],
    ids=str,
)
def test_the_card_s_own_policy_says_the_same_again(evidence: Evidence, parts: dict[str, Any]) -> None:
    card = make_card(evidence, **parts)
    judged = judge_card(card, "card.json", read_policy())
    assert judged.verdict == card.verdict
    assert (card.verdict == "GO") == (parts == {"backtest": GOOD})
    assert judged.gates == card.gates


def test_no_edit_of_a_single_value_turns_a_card_into_a_go(evidence: Evidence) -> None:
    card = make_card(evidence, latency={"p95": 81.0}, backtest=GOOD)
    plain = card.model_dump(mode="json")
    assert card.verdict == "NO-GO"
    n_refused = 0
    for path in leaves(plain):
        try:
            other = edited(card, *path, to=_better(plain, path))
        except ValueError:  # no card at all
            continue
        try:
            judged = judge_card(other, "card.json", read_policy())
        except InputError:
            n_refused += 1
        else:
            assert judged.verdict != "GO", path
    assert n_refused > 300


def _better(plain: dict[str, Any], path: tuple[Any, ...]) -> Any:
    """Another value, one that would pass where the card's fails."""
    if path == ("latency_ms", "p95"):
        return 0.5
    value: Any = plain
    for key in path:
        value = value[key]
    return another(value, path[-1])


def test_a_latency_edited_outside_the_digest_is_caught_by_the_card_s_own_gate(evidence: Evidence) -> None:
    card = make_card(evidence, latency={"p95": 81.0}, backtest=GOOD)
    assert codes_of(edited(card, "latency_ms", "p95", to=0.5)) == {"card-gate"}


def test_a_gate_taken_out_of_a_card_is_missed(evidence: Evidence) -> None:
    card = make_card(evidence)
    kept = [gate for gate in card.model_dump(mode="json")["gates"] if gate["status"] == "PASS"]
    assert {"card-gate", "card-digest", "card-verdict"} == codes_of(edited(card, "gates", to=kept))


def test_a_card_with_a_better_figure_written_into_it_is_refused(evidence: Evidence) -> None:
    assert "card-digest" in codes_of(edited(make_card(evidence), "backtest", "sharpe", to=3.0))


def test_a_card_of_more_trades_than_bars_is_refused(evidence: Evidence) -> None:
    card = make_card(evidence, backtest=GOOD)
    hours = (utc_ms(card.backtest.last_close_utc) - utc_ms(card.backtest.first_open_utc)) // 3_600_000
    assert card.train.timeframe == "30m"
    most = 2 * hours * len(card.train.symbols)
    judge_card(make_card(evidence, backtest=GOOD | {"n_trades": most}), "card.json", read_policy())
    assert codes_of(make_card(evidence, backtest=GOOD | {"n_trades": most + 1})) == {"card-trades"}
    assert "card-trades" in codes_of(edited(card, "train", "timeframe", to="30 minutes"))


def test_counts_are_those_that_stood_behind_the_gates(evidence: Evidence) -> None:
    card = make_card(evidence, evaluation={"n_rows": 400}, backtest=GOOD)
    assert card.verdict == THIN
    assert judge_by(card, figure="auc_roc", at_least=0.5, evidence="n_rows", min_n=400)[0] == "GO"
    verdict, figure, why = judge_by(card, figure="auc_roc", at_least=0.5, evidence="n_rows", min_n=401)
    assert (verdict, figure) == (THIN, evidence.evaluation.metrics["auc_roc"].value)
    assert why == "w; n_rows is 400, 401 needed"
    assert judge_by(card, figure="n_rows", at_least=400)[:2] == ("GO", 400)


def test_a_gate_on_latency_which_anybody_may_edit_tells_of_no_other_figure(evidence: Evidence) -> None:
    """Were it made by a policy that is not known, nothing else would hold it."""
    card = make_card(change(evidence, policy={"version": "0.9.0"}), evaluation={"n_rows": 400})
    row = next(row for row, gate in enumerate(card.gates) if gate.name.startswith("latency"))
    lies = {"figure_name": "made_up", "figure": 9e9, "evidence": "n_rows", "n_evidence": 10**9}
    liar = card.gates[row].model_copy(update=lies)
    known = read_figures(card.model_copy(update={"gates": [liar, *card.gates]}))
    assert known["n_rows"] == 400
    assert "made_up" not in known


@pytest.mark.parametrize(("bound", "verdict"), [(412.5, "GO"), (412.6, "NO-GO")])
def test_the_profit_on_decide_is_the_figure_of_its_gate(evidence: Evidence, bound: float, verdict: str) -> None:
    rule = {"figure": "decide_net_profit_bps", "at_least": bound, "evidence": "n_decide_trades", "min_n": 30}
    assert judge_by(make_card(evidence), **rule)[:2] == (verdict, 412.5)


def test_a_card_of_another_policy_tells_the_figures_its_gates_name(evidence: Evidence) -> None:
    rules = [rule for rule in read_policy().gates if rule.figure == "calibration_ece"]
    card = make_card(change(evidence, policy={"version": "0.9.0", "gates": rules}))
    assert judge_by(card, figure="decide_net_profit_bps", above=0.0)[:2] == (THIN, None)
    assert judge_by(card, figure="auc_roc", at_least=0.5, evidence="n_blocks", min_n=1)[0] == THIN
    assert judge_by(card, figure="auc_roc", at_least=0.5, evidence="n_rows", min_n=42_117)[0] == "GO"


def test_a_figure_that_the_card_does_not_have_is_insufficient_evidence(evidence: Evidence) -> None:
    metrics = {name: each for name, each in evidence.evaluation.metrics.items() if name != "f1"}
    card = make_card(evidence, evaluation={"metrics": metrics})
    assert judge_by(card, figure="f1", at_least=0.7) == (THIN, None, "w; there is no f1")


def test_an_interval_stands_beside_the_figure_and_beside_its_ends(evidence: Evidence) -> None:
    rules = [
        GateRule(name=name, figure=name, why="w", at_least=0.0)
        for name in ("auc_roc", "auc_roc_low", "lift_over_best_rule_pp_low", "sharpe", "win_rate_frac")
    ]
    policy = GatePolicy(version="1.0.0", kind="candlelock gate policy", gates=rules)
    judged: Judgement = judge_card(make_card(evidence), "card.json", policy)
    auc, lift = evidence.evaluation.metrics["auc_roc"], evidence.evaluation.lift_over_best_rule_pp
    assert [gate.interval for gate in judged.gates] == [auc, auc, lift, RETURNS.sharpe, None]
    assert [gate.figure for gate in judged.gates[:3]] == [auc.value, auc.low, lift.low]
