"""Policy files: those that ship are sound, and every fault of a file is named with its place, all at once."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from candlelock.card.evidence import read_policy
from candlelock.card.judgement import read_policy_file
from candlelock.contracts.errors import InputError
from candlelock.contracts.gate_figures import COUNTS, FIGURES, SCORES
from candlelock.contracts.policy import parse_policy

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "examples/policies").glob("*.json"))
SCHEMA = json.loads((ROOT / "src/candlelock/contracts/schemas/gate_policy.schema.json").read_text())
AUC = {"name": "auc", "figure": "auc_roc", "at_least": 0.55, "evidence": "n_rows", "min_n": 1000, "why": "w"}
ECE = {"name": "ece", "figure": "calibration_ece", "at_most": 0.1, "why": "w"}


def policy_of(*gates: Any, **keys: Any) -> dict[str, Any]:
    return {"version": "1.0.0", "kind": "candlelock gate policy", "gates": list(gates)} | keys


def problems_of(document: Any) -> list[tuple[str, str, str, str]]:
    with pytest.raises(InputError) as caught:
        parse_policy(document, "p.json", read_policy())
    return [(each.code, each.place, f"{each.found}; {each.expected}", each.help) for each in caught.value.problems]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_reads_and_fits_the_schema(path: Path) -> None:
    policy = read_policy_file(path)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(path.read_text()))
    assert any(rule.figure == "n_failed_leakage_checks" and rule.at_most == 0 for rule in policy.gates)


def test_the_examples_go_from_loose_to_strict() -> None:
    gates = {path.stem: {rule.name: rule for rule in read_policy_file(path).gates} for path in EXAMPLES}
    assert list(gates) == ["production", "research", "staging"]
    assert list(gates["staging"].values()) == read_policy().gates
    assert len(gates["research"]) < len(gates["staging"]) < len(gates["production"])
    for name in ("latency p95", "calibration"):
        assert gates["production"][name].at_most < gates["staging"][name].at_most  # type: ignore[operator]
    assert gates["research"]["calibration"].min_n < gates["staging"]["calibration"].min_n  # type: ignore[operator]


def test_the_built_in_policy_is_one_that_may_be_given() -> None:
    built_in = read_policy()
    assert parse_policy(built_in.model_dump(mode="json"), "p.json", built_in).gates == built_in.gates


@pytest.mark.parametrize(
    ("changes", "code", "place", "said"),
    [
        ({"figure": "auc"}, "policy-figure", "gates.0 'auc' figure", "did you mean 'auc_roc'?"),
        ({"figure": "n_rowz", "at_least": 5}, "policy-figure", "gates.0 'auc' figure", "did you mean 'n_rows'?"),
        ({"at_least": None, "at_most": 0.6}, "policy-bound", "gates.0 'auc' at_most", "more auc_roc is better"),
        ({"figure": "sharpe", "at_least": None, "at_most": 1}, "policy-bound", "at_most", "more sharpe is better"),
        ({"figure": "calibration_ece"}, "policy-bound", "at_least", "less calibration_ece is better"),
        ({"figure": "log_loss"}, "policy-bound", "at_least", "less log_loss is better"),
        ({"figure": "log_loss_high"}, "policy-bound", "at_least", "less log_loss_high is better"),
        ({"figure": "latency_p95_ms", "at_least": None, "above": 1}, "policy-bound", "above", "less latency_p95_ms"),
        ({"at_least": None}, "policy-bound", "gates.0 'auc'", "no bound"),
        ({"at_least": 0.7, "at_most": 0.6}, "policy-bound", "at_least", "room between"),
        ({"at_least": None, "above": 0.6, "at_most": 0.6}, "policy-bound", "above", "room between"),
        ({"above": 0.6}, "policy-bound", "above", "one of the two"),
        ({"at_least": 55}, "policy-bound", "at_least", "a fraction from 0 to 1"),
        ({"evidence": None}, "policy-evidence", "gates.0 'auc' evidence", "min_n without evidence"),
        ({"min_n": None}, "policy-evidence", "gates.0 'auc' min_n", "evidence without min_n"),
        ({"evidence": "n_row"}, "policy-figure", "gates.0 'auc' evidence", "did you mean 'n_rows'?"),
        ({"evidence": "sharpe"}, "policy-figure", "gates.0 'auc' evidence", "a count"),
        ({"min_n": 0}, "policy-value", "gates.0.min_n", "greater than or equal to 1"),
        ({"min_n": 10.5}, "policy-value", "gates.0.min_n", "integer"),
        ({"at_least": "0.5"}, "policy-value", "gates.0.at_least", "number"),
        ({"at_least": True}, "policy-value", "gates.0.at_least", "number"),
        ({"at_leest": 0.5}, "policy-key", "gates.0.at_leest", "did you mean 'at_least'?"),
    ],
)
def test_a_wrong_gate_is_refused_with_its_place(changes: dict[str, Any], code: str, place: str, said: str) -> None:
    (found,) = problems_of(policy_of(AUC | changes, ECE))
    assert found[0] == code
    assert found[1].startswith("p.json ")
    assert place in found[1]
    assert said in f"{found[2]}; {found[3]}"


@pytest.mark.parametrize("key", ["name", "figure", "why"])
def test_a_gate_has_what_every_gate_has(key: str) -> None:
    gate = {name: value for name, value in AUC.items() if name != key}
    assert [(code, place) for code, place, *_ in problems_of(policy_of(gate))] == [
        ("policy-key", f"p.json gates.0.{key}")
    ]


@pytest.mark.parametrize(
    ("document", "code", "place"),
    [
        (policy_of(), "policy-value", "p.json gates"),
        (policy_of(AUC, version="1.0"), "policy-value", "p.json version"),
        (policy_of(AUC, version="v1.0.0"), "policy-value", "p.json version"),
        (policy_of(AUC, version=1), "policy-value", "p.json version"),
        (policy_of(AUC, kind="policy"), "policy-value", "p.json kind"),
        (policy_of(AUC, gate=[]), "policy-key", "p.json gate"),
        (policy_of(AUC, max_test_models=21), "policy-built-in", "p.json max_test_models"),
        (policy_of(AUC, too_good=[]), "policy-built-in", "p.json too_good"),
        (policy_of(AUC, AUC), "policy-duplicate", "p.json gates.1 'auc' name"),
        (policy_of(AUC) | {"gates": {"auc": AUC}}, "policy-value", "p.json gates"),
        ([AUC], "policy-value", "p.json (the whole file)"),
        (None, "policy-value", "p.json (the whole file)"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(document: Any, code: str, place: str) -> None:
    assert [(found[0], found[1]) for found in problems_of(document)] == [(code, place)]


def test_every_problem_of_a_file_comes_at_once() -> None:
    gates = [AUC | {"figure": "auc"}, AUC | {"at_leest": 1}, ECE | {"at_least": 0.2}, ECE | {"min_n": 4}]
    found = problems_of(policy_of(*gates, version="one", max_test_models=3))
    kinds = ("bound", "built-in", "duplicate", "evidence", "figure", "key", "value")
    assert sorted(code for code, *_ in found) == [f"policy-{kind}" for kind in kinds]


def test_a_range_with_its_good_end_is_no_wrong_way_round() -> None:
    """A Sharpe that is too good to be true may be refused."""
    believable = AUC | {"figure": "sharpe", "at_least": 1.0, "at_most": 8.0}
    assert parse_policy(policy_of(believable), "p.json", read_policy()).gates[0].at_most == 8.0


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_bound_that_is_no_number_is_no_json(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(policy_of(AUC)).replace("0.55", text))
    with pytest.raises(InputError) as caught:
        read_policy_file(path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("document-not-json", str(path))
    assert "docs/gates.md" in problem.help


def test_a_policy_is_not_changed_by_reading_it() -> None:
    document = read_policy().model_dump(mode="json")
    before = copy.deepcopy(document)
    parse_policy(document, "p.json", read_policy())
    assert document == before


def test_the_page_lists_every_figure_with_unit_meaning_and_good_direction() -> None:
    page = (ROOT / "docs/gates.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)`(?:, `(\w+)`)? \| (.+?) \| (high|low) \| (.+?) \|$", page, flags=re.MULTILINE)
    listed = {
        name: (unit, better, meaning) for name, end, unit, better, meaning in rows for name in (name, end) if name
    }
    for name, figure in FIGURES.items():
        assert name in listed, f"add {name} to docs/gates.md"
        assert listed.pop(name)[:2] == (figure.unit, figure.better)
    assert not listed
    assert all(FIGURES[name].meaning in page for name in [*SCORES, *COUNTS])
