"""Bundles on one set of labelled rows: scores, latency over rounds, and what is worse than it was.

Scores are those of the card, without intervals: on the same rows they differ only where the models do. Latency is noise
in part; see `_is_slower`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.benchmark_documents import (
    BenchmarkData,
    BenchmarkReport,
    BenchmarkSummary,
    ModelBenchmark,
    PerformanceSummary,
    Regression,
    RoundsLatency,
    TargetAchievement,
)
from candlelock.evaluate import scores
from candlelock.evaluate.bootstrap import Blocks
from candlelock.evaluate.latency import describe_hardware
from candlelock.evaluate.report import count_outcomes, or_zero

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Sized

    from candlelock.contracts.benchmark_documents import BenchmarkHistory, FailedBenchmark
    from candlelock.contracts.documents import ConfusionMatrix, LatencyReport
    from candlelock.evaluate.labelled_rows import LabelledRows

Array = npt.NDArray[np.float64]
N_BINS = 15  # of the ECE, whatever a project's cards have: runs have to be comparable
F1_TARGET, LATENCY_TARGET_MS = 0.70, 80.0
HIGHER = ("accuracy", "precision", "recall", "f1", "auc_roc")
LOWER = ("log_loss", "brier")


@dataclass(frozen=True)
class Run:
    """What all models of a run have in common."""

    timestamp: str
    models: str
    rows: LabelledRows
    max_fall_frac: float


def score_answers(is_up: Array, p_up: Array) -> dict[str, float | ConfusionMatrix]:
    """Each score, and the confusion matrix; ratios with nothing to divide by are 0. Both of shape (n_rows,)."""
    whole = Blocks(np.zeros(len(is_up), dtype=np.int64), np.ones((0, 1)), 0.95)
    scored = {
        **scores.score_outcomes(is_up, p_up, whole),
        "auc_roc": scores.score_auc(is_up, p_up, whole),
        **scores.score_means(is_up, p_up, whole),
        "calibration_ece": scores.score_ece(is_up, p_up, whole, scores.bin_of(p_up, N_BINS)),
    }
    return {name: or_zero(value) for name, (value, _) in scored.items()} | {"confusion": count_outcomes(is_up, p_up)}


def sum_up_rounds(rounds: Sequence[LatencyReport]) -> RoundsLatency:
    """The median of the rounds, so that a disturbed one does not count, and the span of their p95."""
    middle = {name: float(np.median([getattr(one, name) for one in rounds])) for name in ("mean", "p50", "p95", "p99")}
    p95 = [one.p95 for one in rounds]
    samples = sum(one.samples for one in rounds)
    return RoundsLatency(**middle, p95_low=min(p95), p95_high=max(p95), samples=samples, rounds=len(rounds))


def compare(
    now: ModelBenchmark, before: ModelBenchmark, max_fall_frac: float, *, with_latency: bool
) -> list[Regression]:
    """What is worse by more than `max_fall_frac` of what it was, on the same rows.

    ECE counts as the fall of 1 - ECE: its own changes are noise where it is small.
    """
    found = list(_worse_scores(now, before, max_fall_frac))
    if with_latency and _is_slower(now.latency_ms, before.latency_ms, max_fall_frac):
        found.append(_regression("latency_p95_ms", before.latency_ms.p95, now.latency_ms.p95))
    return found


def _worse_scores(now: ModelBenchmark, before: ModelBenchmark, most: float) -> Iterator[Regression]:
    for name in (*HIGHER, *LOWER, "calibration_ece"):
        was, now_is = getattr(before, name), getattr(now, name)
        if name in HIGHER:
            is_worse = now_is < was * (1 - most)
        elif name in LOWER:
            is_worse = now_is > was * (1 + most)
        else:
            is_worse = 1 - now_is < (1 - was) * (1 - most)
        if is_worse:
            yield _regression(name, was, now_is)


def _is_slower(now: RoundsLatency, before: RoundsLatency, most: float) -> bool:
    """The median p95 by more than `most`, and every round slower than every round was: no overlap, no alarm."""
    return now.p95 > before.p95 * (1 + most) and now.p95_low > before.p95_high


def _regression(name: str, before: float, now: float) -> Regression:
    change = (now - before) / before if before else 0.0
    return Regression(figure=name, before=before, now=now, change_frac=change)


def report_run(
    run: Run, found: Sequence[ModelBenchmark], failed: Sequence[FailedBenchmark], history: BenchmarkHistory
) -> BenchmarkReport:
    """The report, each model compared with its last run in the history on the same rows."""
    hardware, data = describe_hardware(), _describe(run.rows)
    compared: list[ModelBenchmark] = []
    regressions: dict[str, list[Regression]] = {}
    for one in found:
        last = _last(history, one.model_name, data.rows_sha256)
        if last is None:
            compared.append(one)
            continue
        report, before = last
        is_same = report.hardware == hardware
        compared.append(one.model_copy(update={"compared_with": report.timestamp, "is_latency_compared": is_same}))
        if worse := compare(one, before, run.max_fall_frac, with_latency=is_same):
            regressions[one.model_name] = worse
    return BenchmarkReport(
        timestamp=run.timestamp,
        models=run.models,
        data=data,
        hardware=hardware,
        max_fall_frac=run.max_fall_frac,
        summary=_count(found, failed, regressions),
        ranking=[one.model_name for one in sorted(found, key=lambda one: (one.log_loss, one.model_name))],
        benchmarks=compared,
        failures=list(failed),
        regressions=regressions,
        performance_summary=_sum_up(found) if found else None,
    )


def _count(found: Sized, failed: Sized, regressions: Sized) -> BenchmarkSummary:
    return BenchmarkSummary(
        total_models=len(found) + len(failed),
        successful_benchmarks=len(found),
        failed_benchmarks=len(failed),
        models_with_regressions=len(regressions),
    )


def _last(history: BenchmarkHistory, name: str, rows_sha256: str) -> tuple[BenchmarkReport, ModelBenchmark] | None:
    for report in reversed(history.reports):
        for one in report.benchmarks:
            if one.model_name == name and report.data.rows_sha256 == rows_sha256:
                return report, one
    return None


def _describe(rows: LabelledRows) -> BenchmarkData:
    share = float(rows.is_up.mean())
    return BenchmarkData(
        source=rows.place,
        rows_sha256=rows.sha256,
        n_rows=len(rows.is_up),
        share_up=share,
        accuracy_best_constant=max(share, 1 - share),
        f1_always_up=2 * share / (1 + share),
    )


def _sum_up(found: Sequence[ModelBenchmark]) -> PerformanceSummary:
    f1 = [one.f1 for one in found]
    met = TargetAchievement(
        f1_buy_target_met=max(f1) >= F1_TARGET,
        latency_target_met=all(one.latency_ms.p95 <= LATENCY_TARGET_MS for one in found),
    )
    return PerformanceSummary(avg_f1_score=float(np.mean(f1)), max_f1_score=max(f1), target_achievement=met)
