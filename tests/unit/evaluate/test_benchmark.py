"""Benchmark runs: scores against scikit-learn, and what counts as worse than before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics

from candlelock.contracts.benchmark_documents import (
    BenchmarkHistory,
    BenchmarkReport,
    FailedBenchmark,
    ModelBenchmark,
    RoundsLatency,
)
from candlelock.contracts.documents import ConfusionMatrix, Hardware, LatencyReport
from candlelock.evaluate import benchmark as b
from candlelock.evaluate.labelled_rows import LabelledRows

RANDOM = np.random.default_rng(5)
IS_UP = (RANDOM.random(400) < 0.6).astype(float)
P_UP = np.clip(0.5 + 0.2 * (IS_UP - 0.5) + 0.2 * RANDOM.normal(size=400), 0.01, 0.99)
LATENCY = RoundsLatency(mean=1.0, p50=0.9, p95=2.0, p99=3.0, p95_low=1.8, p95_high=2.2, samples=5000, rounds=5)
HARDWARE = Hardware(cpu="some", n_cores=2, platform="Linux", python="3.11.7")


def some_model(name: str = "direction", **figures: Any) -> ModelBenchmark:
    base: dict[str, Any] = {
        "model_name": name,
        "bundle_sha256": "0" * 64,
        "n_features": 3,
        "n_rows": 400,
        "confusion": ConfusionMatrix(n_true_positive=1, n_false_positive=1, n_true_negative=1, n_false_negative=1),
        "latency_ms": LATENCY,
        "compared_with": None,
        "is_latency_compared": False,
        **dict.fromkeys(b.HIGHER, 0.6),
        "log_loss": 0.6,
        "brier": 0.2,
        "calibration_ece": 0.01,
    }
    return ModelBenchmark(**base | figures)


def slower(factor: float, half: float) -> RoundsLatency:
    p95 = LATENCY.p95 * factor
    return LATENCY.model_copy(update={"p95": p95, "p95_low": p95 - half, "p95_high": p95 + half})


def worse(now: ModelBenchmark, most: float = 0.05, with_latency: bool = True) -> list[str]:
    return [one.figure for one in b.compare(now, some_model(), most, with_latency=with_latency)]


def test_scores_are_those_of_scikit_learn() -> None:
    found = b.score_answers(IS_UP, P_UP)
    says_up = P_UP >= 0.5
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(IS_UP, says_up))
    assert found["precision"] == pytest.approx(metrics.precision_score(IS_UP, says_up))
    assert found["recall"] == pytest.approx(metrics.recall_score(IS_UP, says_up))
    assert found["f1"] == pytest.approx(metrics.f1_score(IS_UP, says_up))
    assert found["auc_roc"] == pytest.approx(metrics.roc_auc_score(IS_UP, P_UP))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(IS_UP, P_UP))
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(IS_UP, P_UP))
    (down_right, down_wrong), (up_wrong, up_right) = metrics.confusion_matrix(IS_UP, says_up)
    matrix = found["confusion"]
    assert isinstance(matrix, ConfusionMatrix)
    assert (matrix.n_true_negative, matrix.n_false_positive) == (down_right, down_wrong)
    assert (matrix.n_false_negative, matrix.n_true_positive) == (up_wrong, up_right)


def test_a_model_that_never_says_up_has_scores() -> None:
    found = b.score_answers(IS_UP, np.full(400, 0.25))
    assert (found["precision"], found["recall"], found["f1"], found["auc_roc"]) == (0.0, 0.0, 0.0, 0.5)
    assert found["calibration_ece"] == pytest.approx(IS_UP.mean() - 0.25)


@pytest.mark.parametrize("name", [*b.HIGHER, *b.LOWER])
@pytest.mark.parametrize(("share", "is_found"), [(0.049, False), (0.051, True), (-0.2, False)])
def test_a_score_worse_by_more_than_five_in_a_hundred_is_found(name: str, share: float, is_found: bool) -> None:
    sign = -1 if name in b.HIGHER else 1
    before = getattr(some_model(), name)
    found = b.compare(some_model(**{name: before * (1 + sign * share)}), some_model(), 0.05, with_latency=True)
    assert [one.figure for one in found] == ([name] if is_found else [])
    if is_found:
        assert found[0].change_frac == pytest.approx(sign * share)


def test_the_share_is_a_parameter() -> None:
    now = some_model(auc_roc=0.593)
    assert (worse(now, 0.01), worse(now, 0.05)) == (["auc_roc"], [])


@pytest.mark.parametrize(("ece", "is_found"), [(0.02, False), (0.058, False), (0.061, True)])
def test_a_small_calibration_error_may_double(ece: float, is_found: bool) -> None:
    assert worse(some_model(calibration_ece=ece)) == (["calibration_ece"] if is_found else [])


@pytest.mark.parametrize(
    ("latency", "is_found"),
    [
        (slower(1.04, 0.0), False),
        (slower(1.12, 0.0), True),
        (slower(1.12, 0.03), True),
        (slower(1.12, 0.05), False),
        (slower(3.0, 3.9), False),
        (slower(3.0, 3.7), True),
        (slower(0.5, 0.1), False),
    ],
)
def test_a_latency_is_worse_only_where_no_round_was_as_quick_as_one_before(
    latency: RoundsLatency, is_found: bool
) -> None:
    now = some_model(latency_ms=latency)
    assert worse(now) == (["latency_p95_ms"] if is_found else [])
    assert worse(now, with_latency=False) == []


def test_one_disturbed_round_does_not_count() -> None:
    def of(p95: float) -> LatencyReport:
        return LatencyReport(mean=1, p50=1, p95=p95, p99=p95, samples=10, n_threads=1, hardware=HARDWARE)

    summed = b.sum_up_rounds([of(2.0), of(900.0), of(1.0)])
    assert (summed.p95, summed.p95_low, summed.p95_high) == (2.0, 1.0, 900.0)
    assert (summed.samples, summed.rounds) == (30, 3)


def run_once(
    history: list[BenchmarkReport],
    *found: ModelBenchmark,
    failed: list[FailedBenchmark] | None = None,
    time: str = "2026-01-09T00:00:00Z",
    is_up: Any = IS_UP,
) -> BenchmarkReport:
    rows = LabelledRows("v.parquet", pa.table({"x": np.zeros(len(is_up))}), is_up)
    return b.report_run(b.Run(time, "models", rows, 0.05), found, failed or [], BenchmarkHistory(reports=history))


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(b, "describe_hardware", lambda: HARDWARE)


def test_a_run_is_compared_with_the_last_one_that_had_the_model() -> None:
    first = run_once([], some_model(auc_roc=0.9), time="2026-01-01T00:00:00Z")
    second = run_once([first], some_model(auc_roc=0.6), some_model("other"), time="2026-01-02T00:00:00Z")
    third = run_once([first, second], some_model("other"), time="2026-01-03T00:00:00Z")
    now = run_once([first, second, third], some_model(auc_roc=0.59))
    assert (now.benchmarks[0].compared_with, now.regressions) == ("2026-01-02T00:00:00Z", {})
    assert list(second.regressions) == ["direction"]
    assert second.summary.models_with_regressions == 1
    assert first.benchmarks[0].compared_with is None


def test_runs_on_other_labels_are_passed_over() -> None:
    first = run_once([], some_model(auc_roc=0.9), time="2026-01-01T00:00:00Z")
    other = run_once([first], some_model(auc_roc=0.6), is_up=1 - IS_UP, time="2026-01-02T00:00:00Z")
    assert other.benchmarks[0].compared_with is None
    now = run_once([first, other], some_model(auc_roc=0.6))
    assert now.benchmarks[0].compared_with == "2026-01-01T00:00:00Z"
    assert [one.figure for one in now.regressions["direction"]] == ["auc_roc"]


def test_the_latency_of_another_machine_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_once([], some_model())
    slow = some_model(latency_ms=slower(9.0, 0.0), accuracy=0.1)
    same = run_once([first], slow)
    assert [one.figure for one in same.regressions["direction"]] == ["accuracy", "latency_p95_ms"]
    assert same.benchmarks[0].is_latency_compared
    monkeypatch.setattr(b, "describe_hardware", lambda: HARDWARE.model_copy(update={"cpu": "another"}))
    other = run_once([first], slow)
    assert [one.figure for one in other.regressions["direction"]] == ["accuracy"]
    assert not other.benchmarks[0].is_latency_compared


def test_a_report_counts_ranks_and_sums_up() -> None:
    failed = [FailedBenchmark(model_name="broken", problems=[])]
    found = [some_model("b", f1=0.6), some_model("a", f1=0.72, log_loss=0.7), some_model("c", log_loss=0.5)]
    report = run_once([], *found, failed=failed)
    summary = {"total_models": 4, "successful_benchmarks": 3, "failed_benchmarks": 1, "models_with_regressions": 0}
    assert report.summary.model_dump() == summary
    assert report.ranking == ["c", "b", "a"]
    whole = report.performance_summary
    assert whole is not None
    assert (whole.avg_f1_score, whole.max_f1_score) == (pytest.approx(0.64), 0.72)
    assert whole.target_achievement.model_dump() == {"f1_buy_target_met": True, "latency_target_met": True}
    share = IS_UP.mean()
    assert report.data.f1_always_up == pytest.approx(metrics.f1_score(IS_UP, np.ones(400)))
    assert (report.data.share_up, report.data.accuracy_best_constant) == (share, max(share, 1 - share))
    assert run_once([], failed=failed).performance_summary is None
