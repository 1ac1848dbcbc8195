"""The card is a pure function of its evidence, and its digest names all of it but the latency."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from candlelock.artifacts import documents
from candlelock.artifacts.user_files import read_params
from candlelock.card.build import build_card, digest, gate_figures, leakage_checks
from candlelock.contracts import card_document as c
from candlelock.contracts import documents as d
from candlelock.contracts.leakage_documents import PROVES, Leak
from candlelock.leakage.rows import leak_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlelock.card.evidence import Evidence
    from candlelock.contracts.params import Params

ROOT = Path(__file__).resolve().parents[3]
OF_GATE: dict[Any, Any] = {
    "interval": {"value": 0.5, "low": 0.4, "high": 0.6},
    "evidence": "n_rows",
    "n_evidence": 1,
    "min_n": 1,
}
QUOTES_LATENCY = {"digest", "verdict", "latency_ms", "latency_hardware"}
SEGMENTS = {
    name: c.CardRange(start=f"20{year}-01-01T00:00:00Z", end=f"20{year}-12-31T00:00:00Z")
    for name, year in zip(d.SEGMENTS, range(16, 20), strict=True)
}


@pytest.fixture
def evidence(evidence: Evidence) -> Evidence:
    """The evidence with gains of two features in every member."""
    gains = [d.Importance(name="return_1", gain=0.75), d.Importance(name="weekday", gain=0.25)]
    members = {
        name: member.model_copy(update={"importance": gains}) for name, member in evidence.training.members.items()
    }
    return _with(evidence, training=evidence.training.model_copy(update={"members": members}))


@pytest.fixture
def params() -> Params:
    return read_params(ROOT)


@pytest.fixture
def built(evidence: Evidence, params: Params) -> c.ModelCard:
    return build_card(evidence, "direction", SEGMENTS, params)


def test_the_same_evidence_gives_the_same_bytes(evidence: Evidence, params: Params, built: c.ModelCard) -> None:
    before = repr(evidence)
    assert documents.to_bytes(build_card(evidence, "direction", SEGMENTS, params)) == documents.to_bytes(built)
    assert repr(evidence) == before


def test_the_figures_are_those_of_the_reports(evidence: Evidence, params: Params, built: c.ModelCard) -> None:
    assert built.metrics == {name: interval.value for name, interval in evidence.evaluation.metrics.items()}
    assert built.intervals["lift_over_best_rule_pp"] == evidence.evaluation.lift_over_best_rule_pp
    assert built.backtest == evidence.backtest
    assert built.threshold == evidence.threshold.p_up
    assert (built.train.rows, built.train.class_balance.pos, built.train.class_balance.neg) == (92_340, 46_512, 45_828)
    assert built.train.range.end == evidence.training.last_label_end_utc
    assert built.train.horizon_bars == params.heads["direction"].horizon_bars
    assert built.lineage == evidence.lineage
    assert list(built.hyperparameters) == ["selection", "lightgbm", "xgboost", "mlp"]
    n_in = len(evidence.selection.inputs)
    chosen = {"steps": ["correlation"], "n_features_in": n_in, "n_features_out": n_in - 1}
    assert built.hyperparameters["selection"] == chosen
    assert built.hyperparameters["lightgbm"] == {"num_leaves": 31, "learning_rate": 0.05, "n_rounds": 143}
    assert built.parameters == params.model_dump(mode="json")


def test_it_is_as_old_as_the_close_of_the_last_candle_of_any_symbol(evidence: Evidence, params: Params) -> None:
    early, late = evidence.manifest.symbols[0], evidence.manifest.symbols[1]
    symbols = [
        early.model_copy(update={"last_open_utc": "2019-02-28T23:30:00Z"}),
        late.model_copy(update={"last_open_utc": "2019-01-31T23:30:00Z"}),
    ]
    manifest = evidence.manifest.model_copy(update={"symbols": symbols})
    card = build_card(_with(evidence, manifest=manifest), "direction", SEGMENTS, params)
    assert card.created_at == "2019-03-01T00:00:00Z"


def test_only_the_cards_own_head_is_in_its_parameters(evidence: Evidence, params: Params, built: c.ModelCard) -> None:
    heads = {**params.heads, "other": params.heads["direction"].model_copy(update={"horizon_bars": 9})}
    card = build_card(evidence, "direction", SEGMENTS, params.model_copy(update={"heads": heads}))
    assert card.digest == built.digest


@pytest.mark.parametrize(("name", "boolean"), PROVES.items())
def test_a_failed_leakage_check_is_no_go(name: str, boolean: str, evidence: Evidence, params: Params) -> None:
    found = Leak(code="too-good", subject="s", detail="d", help="h")
    checks = [*evidence.leakage.checks, leak_check(name, "w", 1, [found])]
    worse = _with(evidence, leakage=evidence.leakage.model_copy(update={"checks": checks}))
    assert [field for field, passed in leakage_checks(worse) if not passed] == [boolean]
    assert gate_figures(worse)["n_failed_leakage_checks"] == 1
    card = build_card(worse, "direction", SEGMENTS, params)
    assert {gate.name: gate.status for gate in card.gates}["leakage checks"] == "FAIL"
    assert card.verdict == "NO-GO"


def test_importance_is_the_mean_over_trees_largest_first(evidence: Evidence, params: Params) -> None:
    gains = {"lightgbm": {"a": 0.6, "b": 0.4}, "xgboost": {"a": 0.1, "b": 0.5, "c": 0.4}, "mlp": {"a": 9.0}}
    members = {
        name: member.model_copy(
            update={"importance": [d.Importance(name=n, gain=g) for n, g in gains.get(name, {"c": 9.0}).items()]}
        )
        for name, member in evidence.training.members.items()
    }
    training = evidence.training.model_copy(update={"members": members})
    card = build_card(_with(evidence, training=training), "direction", SEGMENTS, params)
    assert [one.name for one in card.feature_importance] == ["b", "a", "c"]
    assert [one.gain for one in card.feature_importance] == pytest.approx([0.45, 0.35, 0.2])


def test_latency_is_judged_but_does_not_name_the_card(evidence: Evidence, params: Params, built: c.ModelCard) -> None:
    hardware = evidence.latency.hardware.model_copy(update={"cpu": "another"})
    slow = evidence.latency.model_copy(update={"p95": 500.0, "mean": 400.0, "hardware": hardware})
    files = [
        c.Artifact(path=each.path, sha256=hashlib.sha256(b"slow").hexdigest())
        if each.path.endswith("latency.json")
        else each
        for each in evidence.lineage
    ]
    card = build_card(_with(evidence, latency=slow, lineage=files), "direction", SEGMENTS, params)
    assert card.latency_ms.p95 == 500.0
    assert {gate.name: gate.status for gate in card.gates}["latency p95"] == "FAIL"
    assert card.lineage != built.lineage
    assert card.digest == built.digest == digest(built)


def _with(evidence: Evidence, **changed: Any) -> Evidence:
    return type(evidence)(**{**vars(evidence), **changed})


def leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every number, text, truth and null."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in parts:
        yield from leaves(inner, (*at, key))
    if not isinstance(value, dict | list):
        yield at


def set_at(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at a path."""
    if not at:
        return new
    copy = value.copy()
    copy[at[0]] = set_at(value[at[0]], at[1:], new)
    return copy


def another(value: Any, key: Any) -> Any:
    """Another value of the same kind that a card may hold."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if key in ("best_constant", "best_rule"):
        return "logistic"
    if value is None and key in OF_GATE:
        return OF_GATE[key]
    if value is None:
        return [0.25] if key in ("knots_x", "knots_y") else 0.25
    if value in ("GO", "NO-GO", "INSUFFICIENT EVIDENCE"):
        return "GO" if value != "GO" else "NO-GO"
    if value in ("PASS", "FAIL"):
        return "PASS" if value == "FAIL" else "FAIL"
    if value in ("platt", "isotonic"):
        return "isotonic" if value == "platt" else "platt"
    if len(value) == 64:
        return ("0" if value[0] != "0" else "1") + value[1:]
    return value.replace("20", "21", 1) if value.endswith("Z") else value + "x"


def test_every_single_value_but_latency_is_in_the_digest(built: c.ModelCard) -> None:
    plain = built.model_dump(mode="json")
    latency_gates = {row for row, gate in enumerate(plain["gates"]) if gate["name"].startswith("latency")}
    latency_files = {row for row, each in enumerate(plain["lineage"]) if each["path"].endswith("latency.json")}
    assert len(latency_gates) == len(latency_files) == 1
    refused = {
        ("version",),
        ("best_constant",),
        ("best_rule",),
        ("ensemble", "kind"),
        ("calibration", "value"),
        ("values",),
        *(("significance", "paired", number, "score") for number in range(2)),
        *(("trading", "curves", number, "name") for number in range(3)),
        *(("trading", "sides", number, "side") for number in range(2)),
        ("significance", "superior", 0, "loss"),
        ("significance", "sharpe", "trials", "variance_from"),
    }  # another value there is no card at all
    paths = [path for path in leaves(plain) if path not in refused]
    assert len(paths) > 300
    for path in paths:
        value = plain
        for key in path:
            value = value[key]
        edited = c.ModelCard.model_validate(set_at(plain, path, another(value, path[-1])))
        measured = {("lineage", row, "sha256") for row in latency_files}
        outside = path[0] in QUOTES_LATENCY or path[:2] in {("gates", row) for row in latency_gates} or path in measured
        assert (digest(edited) == built.digest) == outside, path
