"""`candlelock gate`: exit codes, JSON, text, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from candlelock.artifacts import documents
from tests.command_line import make_call
from tests.unit.card.luck import RETURNS
from tests.unit.card.made_cards import ROOT, make_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from candlelock.card.evidence import Evidence

    Run = Callable[..., tuple[int, str, str]]

POLICIES = ROOT / "examples/policies"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command: exit code, standard output, standard error."""
    monkeypatch.delenv("CANDLELOCK_DEBUG", raising=False)
    return make_call(monkeypatch, capsys, "gate")


@pytest.fixture
def write(evidence: Evidence, tmp_path: Path) -> Callable[..., Path]:
    """Write the card of the evidence, changed; its path."""

    def make(**parts: dict[str, Any]) -> Path:
        documents.write(tmp_path / "model_card.json", make_card(evidence, **parts))
        return tmp_path / "model_card.json"

    return make


@pytest.mark.parametrize(
    ("parts", "verdict", "code"),
    [
        ({"backtest": {"sharpe": 2.0}}, "GO", 0),
        ({"backtest": {"sharpe": 0.9}}, "NO-GO", 1),
        ({"backtest": {"sharpe": None}}, "INSUFFICIENT EVIDENCE", 1),
    ],
)
@pytest.mark.parametrize("policy", [(), ("--policy", POLICIES / "staging.json")], ids=["built-in", "staging"])
def test_only_go_lets_pass(
    run: Run, write: Callable[..., Path], policy: tuple[object, ...], parts: dict[str, Any], verdict: str, code: int
) -> None:
    found, out, err = run("--card", write(**parts), *policy, "--json")
    assert (found, err, json.loads(out)["verdict"]) == (code, "", verdict)


def test_json_has_figure_bound_interval_and_why(run: Run, write: Callable[..., Path], evidence: Evidence) -> None:
    card = write()
    told = json.loads(run("--card", card, "--json")[1])
    gates = {gate["name"]: gate for gate in told["gates"]}
    low = evidence.evaluation.lift_over_best_rule_pp
    assert gates["accuracy over the best one-line rule"] == {
        "name": "accuracy over the best one-line rule",
        "status": "PASS",
        "figure": low.low,
        "figure_name": "lift_over_best_rule_pp_low",
        "bound": "> 0",
        "interval": low.model_dump(),
        "evidence": "n_blocks",
        "n_evidence": 180,
        "min_n": 20,
        "why": "lower bound of the lift over persistence or reversal, in percentage points",
    }
    sharpe, deflated = gates["back-test Sharpe"], gates["deflated Sharpe"]
    assert (sharpe["status"], sharpe["interval"]) == ("FAIL", RETURNS.sharpe.model_dump())
    assert deflated["interval"] is None, "a probability has none"
    assert (told["card"], told["policy"], told["verdict"]) == (str(card), "built in", "NO-GO")


def test_people_see_the_verdict_each_gate_and_why(run: Run, write: Callable[..., Path]) -> None:
    code, out, err = run("--card", write(), "--policy", POLICIES / "production.json")
    assert (code, err) == (1, "")
    assert out.startswith("candlelock_ensemble / direction   NO-GO   policy ")
    assert "FAIL: back-test Sharpe\n  annual, of daily returns" in out
    assert "candlelock card validate" in out


def test_a_policy_that_asks_such_a_head_nothing_says_so(run: Run, write: Callable[..., Path], tmp_path: Path) -> None:
    policy = json.loads((POLICIES / "research.json").read_text())
    policy["gates"] = [gate | {"heads": "valued"} for gate in policy["gates"][:1]]
    (tmp_path / "p.json").write_text(json.dumps(policy))
    code, out, _ = run("--card", write(), "--policy", tmp_path / "p.json")
    assert code == 1
    assert "INSUFFICIENT EVIDENCE" in out
    assert "the policy has no gate for such a head" in out


def test_an_edited_card_gets_no_verdict(run: Run, write: Callable[..., Path]) -> None:
    card = write()
    plain = json.loads(card.read_text())
    card.write_text(json.dumps(plain | {"backtest": plain["backtest"] | {"sharpe": 3.0}}))
    code, out, err = run("--card", card)
    assert (code, out) == (2, "")
    assert "error[card-digest]" in err
    code, out, _ = run("--card", card, "--json")
    assert code == 2
    assert {problem["code"] for problem in json.loads(out)["problems"]} == {"card-digest", "card-gate"}


def test_a_wrong_policy_gives_no_verdict_and_all_its_problems(
    run: Run, write: Callable[..., Path], tmp_path: Path
) -> None:
    policy = json.loads((POLICIES / "research.json").read_text())
    policy["gates"][0]["figure"] = "lift_over_best_constant"
    policy["gates"][2] |= {"at_most": None, "at_least": 0.1}
    (tmp_path / "p.json").write_text(json.dumps(policy))
    code, out, err = run("--card", write(backtest={"sharpe": 2.0}), "--policy", tmp_path / "p.json")
    assert (code, out) == (2, "")
    assert "error[policy-figure]" in err
    assert "did you mean 'lift_over_best_constant_pp'?" in err
    assert "error[policy-bound]" in err


@pytest.mark.parametrize("missing", ["--card", "--policy"])
def test_a_file_that_is_not_there_is_named(run: Run, write: Callable[..., Path], missing: str, tmp_path: Path) -> None:
    words = {"--card": write(), "--policy": POLICIES / "staging.json"} | {missing: tmp_path / "none.json"}
    code, out, err = run(*(word for pair in words.items() for word in pair))
    assert (code, out) == (2, "")
    assert f"error[document-missing] {tmp_path / 'none.json'}" in err
