"""Model Card v2 and its parts, as frozen models. Its JSON Schema is generated into `contracts/schemas/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from candlelock.contracts.backtest_documents import TradingReport  # noqa: TC001  (pydantic reads annotations)
from candlelock.contracts.documents import (
    SEGMENTS,
    BacktestReport,
    Baseline,
    Calibrator,
    Document,
    Hardware,
    Importance,
    Interval,
    Probabilities,
    Segment,
    Sha256,
    Stack,
    UtcTime,
    Values,
)
from candlelock.contracts.significance_documents import Significance  # noqa: TC001  (pydantic reads annotations)

if TYPE_CHECKING:
    from collections.abc import Mapping

Verdict = Literal["GO", "NO-GO", "INSUFFICIENT EVIDENCE"]
GateStatus = Literal["PASS", "FAIL", "INSUFFICIENT EVIDENCE"]
HEADLINE = ("accuracy", "auc_roc", "log_loss", "brier", "calibration_ece")


class Gate(Document):
    """One gate of the policy with its figure, and how many of `evidence` stand behind it.

    `interval`: of the figure, or of the score whose worse end it is; null where that has none.
    """

    name: str
    status: GateStatus
    figure_name: str
    figure: float | None
    interval: Interval | None
    bound: str
    evidence: str | None
    n_evidence: int | None
    min_n: int | None
    why: str


class Artifact(Document):
    """One file the card rests on."""

    path: str
    sha256: Sha256


class CardRange(Document):
    """First and last bar of the train segment."""

    start: UtcTime
    end: UtcTime


class ClassBalance(Document):
    """Labels of the train segment."""

    pos: int
    neg: int


class CardRefit(Document):
    """All rows before test, that the members were trained on once more after everything else was chosen."""

    rows: int
    end: UtcTime


class CardTrain(Document):
    """What the model was trained on. `refit`: null where calibrate and decide were kept out to the end."""

    snapshot_id: Sha256
    range: CardRange
    rows: int
    class_balance: ClassBalance
    symbols: list[str]
    timeframe: str
    horizon_bars: int
    refit: CardRefit | None


class CardLatency(Document):
    """Milliseconds for one row; outside the card's digest."""

    mean: float
    p50: float
    p95: float
    p99: float
    samples: int


class LeakageChecks(Document):
    """Results of checks that ran; evidence in reports/leakage.json."""

    future_info: bool
    time_split: bool
    feature_audit: bool


class ModelCard(Document):
    """reports/<head>/model_card.json: Model Card v2. `digest` is the SHA-256 of all but latency and what quotes it."""

    version: Literal["2"] = "2"
    model_name: str
    head: str
    created_at: UtcTime
    digest: Sha256
    verdict: Verdict
    gates: list[Gate]
    policy_version: str
    train: CardTrain
    segments: dict[Segment, CardRange]
    metrics: dict[str, float]
    intervals: dict[str, Interval]
    baselines: dict[str, Baseline]
    best_constant: str
    best_rule: str
    backtest: BacktestReport
    trading: TradingReport
    significance: Significance
    ensemble: Stack
    calibration: Calibrator
    probabilities: Probabilities
    values: Values | None
    threshold: float
    threshold_interval: Interval
    latency_ms: CardLatency
    latency_hardware: Hardware
    leakage_checks: LeakageChecks
    feature_importance: list[Importance] = Field(min_length=1)
    hyperparameters: dict[str, Any]
    parameters: dict[str, Any]
    lineage: list[Artifact]
    notes: str

    @model_validator(mode="after")
    def _figures_are_there(self) -> Self:
        lifts = ("lift_over_best_constant_pp", "lift_over_best_rule_pp")
        wanted: dict[str, tuple[tuple[str, ...], Mapping[Any, object]]] = {
            "segments": (SEGMENTS, self.segments),
            "metrics": (HEADLINE, self.metrics),
            "intervals": ((*HEADLINE, *lifts), self.intervals),
            "baselines": ((self.best_constant, self.best_rule, "logistic"), self.baselines),
        }
        missing = [f"{field}.{name}" for field, (names, there) in wanted.items() for name in names if name not in there]
        if missing:
            raise ValueError(f"figures that every card has; missing: {', '.join(missing)}")
        return self
