"""What stands beside what."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from candlelock.card import layout
from candlelock.contracts.card_document import Artifact, CardRange

if TYPE_CHECKING:
    from candlelock.card.evidence import Evidence
    from candlelock.contracts.card_document import ModelCard


def test_baselines_follow_the_model_from_the_most_accurate_down(card: ModelCard) -> None:
    strip = layout.compare_accuracies(card)
    names = [one.name for one in strip.contenders]
    assert names == ["sample_direction", "logistic", "reversal", "always_up", "majority", "always_down", "persistence"]
    leads = {one.name: one.lead_pp for one in strip.contenders}
    assert leads["sample_direction"] is None
    assert leads["reversal"] == pytest.approx(1.90)
    assert {one.name: one.remark for one in strip.contenders if one.remark} == {
        "reversal": "best rule",
        "always_up": "best constant",
    }


def test_places_on_the_strip_keep_the_order_of_the_figures(card: ModelCard) -> None:
    strip = layout.compare_accuracies(card)
    for one in strip.contenders:
        assert 0 < one.low_at < one.value_at < one.high_at < 100
        assert (one.value_at > strip.half_at) == (one.accuracy.value > 0.5)


def test_hardest_baseline_knows_which_scores_are_losses(card: ModelCard) -> None:
    assert layout.best_baseline(card, "log_loss") == ("logistic", 0.68227)
    assert layout.best_baseline(card, "auc_roc") == ("logistic", 0.5811)
    without = {name: one.model_copy(update={"brier": None}) for name, one in card.baselines.items()}
    assert layout.best_baseline(card.model_copy(update={"baselines": without}), "brier") is None


def test_metrics_and_intervals_are_listed_once_each_and_an_unknown_one_last(card: ModelCard) -> None:
    more = card.model_copy(update={"metrics": {"matthews_corr": 0.12, **card.metrics}})
    listed = layout.list_metrics(more)
    assert listed[0][0] == "accuracy"
    assert listed[-1] == ("matthews_corr", 0.12, None)
    assert {name for name, _, _ in listed} == set(more.metrics) | set(more.intervals)


def test_failed_gates_stand_before_those_without_evidence(card: ModelCard) -> None:
    statuses = ["PASS", "INSUFFICIENT EVIDENCE", "FAIL", "PASS"]
    gates = [gate.model_copy(update={"status": s}) for gate, s in zip(card.gates, statuses, strict=False)]
    unmet = layout.unmet_gates(card.model_copy(update={"gates": gates}))
    assert [gate.status for gate in unmet] == ["FAIL", "INSUFFICIENT EVIDENCE"]


def test_segments_fill_the_line_of_time_in_order(card: ModelCard) -> None:
    shuffled = {name: card.segments[name] for name in ("test", "train", "decide", "calibrate")}
    spans = layout.lay_out_segments(card.model_copy(update={"segments": shuffled}))
    assert [span.name for span in spans] == ["train", "calibrate", "decide", "test"]
    for span, after in pairwise(spans):
        assert span.left + span.width == pytest.approx(after.left)
    assert spans[-1].left + spans[-1].width == pytest.approx(100)


def test_segment_width_is_its_share_of_the_days(card: ModelCard) -> None:
    ranges = {
        "train": CardRange(start="2020-01-01T00:00:00Z", end="2020-01-04T00:00:00Z"),
        "test": CardRange(start="2020-01-04T00:00:00Z", end="2020-01-05T00:00:00Z"),
    }
    spans = layout.lay_out_segments(card.model_copy(update={"segments": ranges}))
    assert [span.width for span in spans] == [75, 25]


def test_twenty_features_of_the_largest_gain(card: ModelCard) -> None:
    backwards = card.model_copy(update={"feature_importance": card.feature_importance[::-1]})
    assert layout.top_features(backwards) == card.feature_importance[:20]


def test_members_stand_before_baselines(evidence: Evidence) -> None:
    members = dict(reversed(evidence.training.members.items()))
    assert [name for name, _ in layout.ordered_members(members)] == ["lightgbm", "mlp", "xgboost", "logistic"]


def test_settings_are_flattened_to_dotted_keys() -> None:
    nested = {"b": {"y": {"z": [1, "ü"]}, "x": None}, "a": True, "c": {}}
    assert list(layout.flatten(nested)) == [("a", "true"), ("b.x", "null"), ("b.y.z", '[1, "ü"]'), ("c", "{}")]


def test_lineage_leads_from_the_reports_to_the_candles(card: ModelCard) -> None:
    paths = [
        "features.yml",
        "data/snapshot/A.parquet",
        "data/snapshot/manifest.json",
        "models/up/a.txt",
        "reports/l.json",
    ]
    mixed = card.model_copy(update={"lineage": [Artifact(path=path, sha256="0" * 64) for path in paths]})
    expected = ["reports/l.json", "models/up/a.txt", "data/snapshot/manifest.json", "data/snapshot/A.parquet"]
    assert [artifact.path for artifact in layout.trace_lineage(mixed)] == [*expected, "features.yml"]


def test_brier_parts_add_up_to_the_brier_score_they_are_of(card: ModelCard) -> None:
    parts = dict(layout.brier_parts(card))
    assert list(parts) == ["reliability", "resolution", "uncertainty", "within bins"]
    assert sum(parts.values()) == pytest.approx(0.000118 - 0.006461 + 0.249973 + 0.000132 - 0.000092)
