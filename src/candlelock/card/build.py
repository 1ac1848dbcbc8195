"""The Model Card v2 as a pure function of evidence and parameters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from candlelock.artifacts.hashing import sha256_json
from candlelock.card.card_figures import (
    gate_intervals,
    latency_figures,
    leakage_figures,
    luck_figures,
    score_intervals,
    shown_figures,
)
from candlelock.card.gates import asked_of, decide, judge
from candlelock.contracts.card_document import (
    CardLatency,
    CardRange,
    CardRefit,
    CardTrain,
    ClassBalance,
    LeakageChecks,
    ModelCard,
)
from candlelock.contracts.documents import SEGMENTS, Importance, Interval
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.train_params import TREES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.card.evidence import Evidence
    from candlelock.contracts.documents import BacktestReport, EvaluationReport, Segment, Threshold
    from candlelock.contracts.params import Params
    from candlelock.contracts.select_documents import Selection


def build_card(evidence: Evidence, head: str, segments: Mapping[Segment, CardRange], params: Params) -> ModelCard:
    """The card of `head`. `segments`: first decision and last label end of each. Nothing here looks at the clock."""
    intervals = _scores(evidence.evaluation)
    bounds = gate_intervals(intervals, None, evidence.significance)
    gates = judge(asked_of(evidence.policy, params.heads[head]), gate_figures(evidence), bounds)
    body: dict[str, Any] = {
        "version": "2",
        "model_name": params.card.model_name,
        "head": head,
        "created_at": _data_end(evidence),
        "verdict": decide(gates),
        "gates": gates,
        "policy_version": evidence.policy.version,
        "train": _train(evidence, head, params),
        "segments": {name: segments[name] for name in SEGMENTS},
        "metrics": {name: interval.value for name, interval in evidence.evaluation.metrics.items()},
        "intervals": intervals,
        "baselines": evidence.evaluation.baselines,
        "best_constant": evidence.evaluation.best_constant,
        "best_rule": evidence.evaluation.best_rule,
        "backtest": evidence.backtest,
        "trading": evidence.trading,
        "significance": evidence.significance,
        "ensemble": evidence.ensemble,
        "calibration": evidence.calibrator,
        "probabilities": evidence.evaluation.probabilities,
        "values": evidence.evaluation.values,
        "threshold": evidence.threshold.p_up,
        "threshold_interval": _threshold_interval(evidence.threshold),
        "latency_ms": CardLatency(**evidence.latency.model_dump(include=set(CardLatency.model_fields))),
        "latency_hardware": evidence.latency.hardware,
        "leakage_checks": leakage_checks(evidence),
        "feature_importance": _importance(evidence),
        "hyperparameters": _hyperparameters(evidence),
        "parameters": params.model_copy(update={"heads": {head: params.heads[head]}}).model_dump(mode="json"),
        "lineage": evidence.lineage,
        "notes": params.card.notes,
    }
    unsigned = ModelCard.model_validate(body | {"digest": "0" * 64})
    return unsigned.model_copy(update={"digest": digest(unsigned)})


def digest(card: ModelCard) -> str:
    """SHA-256 that identifies a card: of all of it but the latency and what quotes it, which vary by machine."""
    plain = card.model_dump(mode="json", exclude={"digest", "verdict", "latency_ms", "latency_hardware"})
    plain["gates"] = [gate for gate in plain["gates"] if not gate["name"].startswith("latency")]
    plain["lineage"] = [artifact for artifact in plain["lineage"] if not artifact["path"].endswith("latency.json")]
    return sha256_json(plain)


def gate_figures(evidence: Evidence) -> dict[str, float | None]:
    """The figures a policy may name."""
    return {
        **skill_figures(evidence.evaluation, evidence.backtest, evidence.threshold),
        **latency_figures(evidence.latency),
        **leakage_figures(leakage_checks(evidence)),
        **luck_figures(evidence.significance, evidence.trading),
    }


def skill_figures(
    evaluation: EvaluationReport, backtest: BacktestReport, threshold: Threshold
) -> dict[str, float | None]:
    """Those that say how well the model does."""
    chosen = next(choice for choice in threshold.candidates if choice.p_up == threshold.p_up)
    return {
        **shown_figures(_scores(evaluation), backtest),
        "n_rows": evaluation.n_rows,
        "n_blocks": evaluation.n_blocks,
        "decide_net_profit_bps": chosen.net_profit_bps,
        "n_decide_trades": chosen.n_trades,
    }


def leakage_checks(evidence: Evidence) -> LeakageChecks:
    """The three booleans, from the checks that ran."""
    passed = evidence.leakage.passed
    return LeakageChecks(
        future_info=passed("future_info"), time_split=passed("time_split"), feature_audit=passed("feature_audit")
    )


def _data_end(evidence: Evidence) -> str:
    """Close of the last candle: a card is as old as its data, not as the clock that wrote it."""
    last_open = max(symbol.last_open_utc for symbol in evidence.manifest.symbols)
    closed = datetime.fromisoformat(last_open) + timedelta(seconds=bar_seconds(evidence.manifest.timeframe))
    return closed.strftime("%Y-%m-%dT%H:%M:%SZ")


def _train(evidence: Evidence, head: str, params: Params) -> CardTrain:
    training = evidence.training
    refit = next(iter(training.members.values())).refit
    return CardTrain(
        snapshot_id=evidence.manifest.snapshot_id,
        range=CardRange(start=training.first_decision_utc, end=training.last_label_end_utc),
        rows=training.n_rows,
        class_balance=ClassBalance(pos=training.n_up, neg=training.n_down),
        symbols=params.heads[head].symbols or [symbol.symbol for symbol in evidence.manifest.symbols],
        timeframe=evidence.manifest.timeframe,
        horizon_bars=params.heads[head].horizon_bars,
        refit=None if refit is None else CardRefit(rows=refit.n_rows, end=refit.last_label_end_utc),
    )


def _scores(evaluation: EvaluationReport) -> dict[str, Interval]:
    return score_intervals(_intervals(evaluation), evaluation.values)


def _intervals(evaluation: EvaluationReport) -> dict[str, Interval]:
    lifts = {
        "lift_over_best_constant_pp": evaluation.lift_over_best_constant_pp,
        "lift_over_best_rule_pp": evaluation.lift_over_best_rule_pp,
    }
    return {**evaluation.metrics, **lifts}


def _threshold_interval(chosen: Threshold) -> Interval:
    return Interval(value=chosen.p_up, low=chosen.p_up_low, high=chosen.p_up_high)


def _importance(evidence: Evidence) -> list[Importance]:
    """Mean share of gain over the members that are trees, largest first; of all members where none is a tree."""
    members = {name: each for name, each in evidence.training.members.items() if each.role == "member"}
    shown = [each for name, each in members.items() if name in TREES] or list(members.values())
    totals: dict[str, float] = {}
    for member in shown:
        for feature in member.importance:
            totals[feature.name] = totals.get(feature.name, 0.0) + feature.gain / len(shown)
    ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return [Importance(name=name, gain=gain) for name, gain in ranked]


def _hyperparameters(evidence: Evidence) -> dict[str, Any]:
    """Of the selection, with how many features go in and how many columns come out, and of every member."""
    members = evidence.training.members
    chosen = {
        name: {**member.hyperparameters, "n_rounds": member.n_rounds}
        for name, member in members.items()
        if member.role == "member"
    }
    return {"selection": _selection(evidence.selection), **chosen}


def _selection(fitted: Selection) -> dict[str, Any]:
    return {
        "steps": [step.step for step in fitted.steps],
        "n_features_in": len(fitted.inputs),
        "n_features_out": len(fitted.outputs),
    }
