"""What `candlelock benchmark` reports and keeps: many bundles on one set of labelled rows, run after run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from candlelock.contracts.documents import ConfusionMatrix, Document, Hardware, Sha256, UtcTime


class BenchmarkData(Document):
    """The labelled rows. `rows_sha256`: of their labels in order; runs on others are not compared.

    What needs no model: the accuracy of the better constant answer and the F1 of always up.
    """

    source: str
    rows_sha256: Sha256
    n_rows: int
    share_up: float
    accuracy_best_constant: float
    f1_always_up: float


class RoundsLatency(Document):
    """Milliseconds for one row, each the median over the rounds; `p95_low` and `p95_high`: of the rounds' p95."""

    mean: float
    p50: float
    p95: float
    p99: float
    p95_low: float
    p95_high: float
    samples: int
    rounds: int


class ModelBenchmark(Document):
    """One bundle on the rows. `bundle_sha256`: of its documents and of the index that holds its models' hashes.

    `compared_with`: the last run in the history with this model on these rows; null where there is none.
    """

    model_name: str
    bundle_sha256: Sha256
    n_features: int
    n_rows: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    auc_roc: float
    log_loss: float
    brier: float
    calibration_ece: float
    confusion: ConfusionMatrix
    latency_ms: RoundsLatency
    compared_with: UtcTime | None
    is_latency_compared: bool


class BenchmarkProblem(Document):
    """As `errors.Problem`."""

    code: str
    place: str
    found: str
    expected: str
    help: str


class FailedBenchmark(Document):
    """A bundle that could not be benchmarked."""

    model_name: str
    problems: list[BenchmarkProblem]


class Regression(Document):
    """A figure that is worse than in the run compared with; `change_frac` is relative to what it was."""

    figure: str
    before: float
    now: float
    change_frac: float


class BenchmarkSummary(Document):
    """How many models there were."""

    total_models: int
    successful_benchmarks: int
    failed_benchmarks: int
    models_with_regressions: int


class TargetAchievement(Document):
    """Whether the best F1 reaches 0.70, and every p95 stays within 80 ms."""

    f1_buy_target_met: bool
    latency_target_met: bool


class PerformanceSummary(Document):
    """Over the models that were benchmarked."""

    avg_f1_score: float
    max_f1_score: float
    target_achievement: TargetAchievement


class BenchmarkReport(Document):
    """One run of `candlelock benchmark`. `ranking`: least log loss first."""

    timestamp: UtcTime
    models: str
    data: BenchmarkData
    hardware: Hardware
    max_fall_frac: float
    summary: BenchmarkSummary
    ranking: list[str]
    benchmarks: list[ModelBenchmark]
    failures: list[FailedBenchmark]
    regressions: dict[str, list[Regression]]
    performance_summary: PerformanceSummary | None


class BenchmarkHistory(Document):
    """The file of `--history`: every run so far, oldest first."""

    kind: Literal["candlelock benchmark history"] = "candlelock benchmark history"
    reports: list[BenchmarkReport] = Field(default_factory=list)
