"""The JSON documents the stages write, as frozen models. Their JSON Schemas are generated into `contracts/schemas/`.

Times are RFC 3339 text in UTC; fractions lie in [0, 1]; a number that does not exist is null, never NaN.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


def _refuse_no_time(text: str) -> str:
    """ValueError for what only looks like a time, such as the 30th of February."""
    datetime.fromisoformat(text)
    return text


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
UtcTime = Annotated[
    str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"), AfterValidator(_refuse_no_time)
]
Segment = Literal["train", "calibrate", "decide", "test"]
SEGMENTS: tuple[Segment, ...] = ("train", "calibrate", "decide", "test")


def utc_text(time_ms: int) -> str:
    """RFC 3339 text of a time in milliseconds since 1970 UTC, to the second."""
    return datetime.fromtimestamp(int(time_ms) // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_ms(text: str) -> int:
    """Milliseconds since 1970 UTC of RFC 3339 text in UTC, with or without its time of day."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


class Document(BaseModel):
    """Base of every document: immutable, unknown keys refused, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FeatureSummary(Document):
    """One feature as built."""

    name: str
    group: str
    unit: str
    warmup_bars: int
    n_null_after_warmup: int


class FeatureReport(Document):
    """reports/features.json."""

    snapshot_id: Sha256
    n_rows: int
    plugins: list[str]
    features: list[FeatureSummary]


class Importance(Document):
    """Total gain of one feature, as a share of all."""

    name: str
    gain: float


class ModelFile(Document):
    """A file beside members.json and its hash."""

    file: str
    sha256: Sha256


class MemberModels(Document):
    """models/<head>/members/members.json: learner -> files, one for each seed; its answer is the mean of theirs.

    `models` are served. `before_refit`: those that answered calibrate and decide, where these are others; else empty.
    """

    models: dict[str, list[ModelFile]]
    before_refit: dict[str, list[ModelFile]]


class Compared(Document):
    """A member or the ensemble on the calibrate segment, calibrated by its own best method.

    `loss` is the cross-fitted log loss, or the squared error of a head of values; `lead` is by how much the ensemble
    loses less, in the mean over the blocks of time, with the standard error over them.
    """

    name: str
    method: str
    loss: float
    lead: float
    error: float


class Stack(Document):
    """models/<head>/stack.json: how members become one probability, and whether that or one member alone is used.

    `stack`: logit(p) = Σ weight · logit(p_member); `average`: p = Σ weight · p_member, with weights of sum
    1; `vote`: p = (members that say up + 1) / (members + 2); `linear`: value = Σ weight · value_member. `used` is
    `ensemble` or a member. The rows are those that weights were fitted on; none where they are given.
    """

    kind: Literal["stack", "average", "vote", "linear"]
    weights: dict[str, float]
    used: str
    comparison: list[Compared]
    n_rows: int
    last_label_end_utc: UtcTime | None


class ValueMap(Document):
    """From a head's raw value to the one foretold, slope · value + intercept, and on to p = 1 / (1 + exp(-k · value)).

    `k`: π / √3 over `spread`, the root mean square of the errors, as if these were logistically distributed.
    """

    slope: float
    intercept: float
    spread: float


class Calibrator(Document):
    """models/<head>/calibrator.json: a map of p that never falls.

    Either logit(q) = slope · ln p - slope_down · ln(1 - p) + intercept, `slope_down` null where it equals `slope`; or
    linear between knots; or, with neither, p itself. `value`: what p comes from in a head of values; null elsewhere.
    """

    method: Literal["identity", "temperature", "platt", "beta", "isotonic", "venn_abers"]
    slope: float | None
    slope_down: float | None
    intercept: float | None
    knots_x: list[float] | None
    knots_y: list[float] | None
    cross_fitted_log_loss: dict[str, float]
    value: ValueMap | None
    n_rows: int
    first_decision_utc: UtcTime
    last_label_end_utc: UtcTime


class Conformal(Document):
    """models/<head>/conformal.json: quantiles of 1 - p_up(label) on the decide segment, by level of coverage.

    `quantiles[k]` is that of coverage k / (len - 1). `alpha` is the miscoverage asked for, `gamma` the step by which it
    moves as labels become known; with 0 it stays. `value_quantiles`: the same of how far a foretold value was off; null
    at the levels that no interval can promise, and for other heads than those of values.
    """

    alpha: float
    gamma: float
    quantiles: list[float]
    value_quantiles: list[float | None] | None
    n_rows: int
    first_decision_utc: UtcTime
    last_label_end_utc: UtcTime


class ThresholdChoice(Document):
    """One candidate threshold on the decide segment; `chosen_frac`: how often it is chosen over drawn days.

    Sharpe is annual, of daily net profit; null where that does not vary.
    """

    p_up: float
    n_trades: int
    net_profit_bps: float
    sharpe: float | None
    chosen_frac: float


class Threshold(Document):
    """models/<head>/threshold.json: buy when p_up reaches it. Chosen for profit after costs on the decide segment.

    `p_up_low` and `p_up_high` hold 95 % of the choices made again on whole days drawn with replacement.
    """

    p_up: float
    p_up_low: float
    p_up_high: float
    goal: Literal["profit", "sharpe"]
    is_profitable: bool
    round_trip_cost_bps: float
    candidates: list[ThresholdChoice]
    n_rows: int
    first_decision_utc: UtcTime
    last_label_end_utc: UtcTime


class Interval(Document):
    """A figure with its bootstrap interval."""

    value: float
    low: float
    high: float


class Baseline(Document):
    """A baseline on the test rows; probability scores are null for rules that give none."""

    accuracy: Interval
    f1: float
    auc_roc: float
    log_loss: float | None
    brier: float | None


class BrierParts(Document):
    """brier = reliability - resolution + uncertainty + within_bin_variance - within_bin_covariance."""

    reliability: float
    resolution: float
    uncertainty: float
    within_bin_variance: float
    within_bin_covariance: float


class Coverage(Document):
    """Share of rows whose conformal set held what happened; whose set is one direction alone, or empty."""

    coverage_frac: float
    one_direction_frac: float
    empty_frac: float


class Probabilities(Document):
    """What there is to know of p_up beyond its scores.

    The expected ECEs are those of a perfectly calibrated model on these rows: an ECE near its own is no error. Brier
    parts are over the bins of equal width.
    """

    ece_expected: float
    ece_equal_mass_expected: float
    brier_parts: BrierParts
    conformal: Coverage


class ValueBaseline(Document):
    """A baseline of a head of values on the test rows."""

    rmse: float
    mae: float


class Values(Document):
    """How well the values of a head are foretold, in its unit, on the labelled test rows.

    `metrics`: rmse, mae, r2 (1 - squared error / variance of the labels), rank_correlation (Spearman's) and skill (1 -
    squared error / that of the best baseline, in each draw of the best there). `baselines`: zero, the mean of train's
    labels, the value of the horizon behind (persistence), its opposite (reversal), and a linear regression.
    `coverage_frac`, `mean_width`: of the conformal intervals; a row whose interval has no end counts as held.
    """

    unit: str
    n_rows: int
    metrics: dict[str, Interval]
    baselines: dict[str, ValueBaseline]
    best_baseline: str
    coverage_frac: float
    mean_width: float | None


class Slice(Document):
    """Scores of one symbol or one month; null where only one class occurs."""

    name: str
    n_rows: int
    share_up: float
    mean_p_up: float
    accuracy: float
    auc_roc: float | None
    calibration_ece: float
    coverage_frac: float


class ConfusionMatrix(Document):
    """Counts at p_up 0.5; positive is up."""

    n_true_positive: int
    n_false_positive: int
    n_true_negative: int
    n_false_negative: int


class EvaluationReport(Document):
    """reports/<head>/evaluation.json: the one look at the test segment."""

    n_rows: int
    n_days: int
    n_blocks: int
    share_up: float
    first_decision_utc: UtcTime
    last_label_end_utc: UtcTime
    interval_method: str
    metrics: dict[str, Interval]
    confusion: ConfusionMatrix
    probabilities: Probabilities
    values: Values | None
    baselines: dict[str, Baseline]
    best_constant: str
    best_rule: str
    lift_over_best_constant_pp: Interval
    lift_over_best_rule_pp: Interval
    by_symbol: list[Slice]
    by_month: list[Slice]


class Metrics(Document):
    """reports/<head>/metrics.json: the headline figures, for `dvc metrics diff`."""

    n_rows: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    auc_roc: float
    log_loss: float
    brier: float
    calibration_ece: float
    calibration_ece_equal_mass: float
    calibration_ece_expected: float
    lift_over_best_constant_pp: float
    lift_over_best_rule_pp: float


class CostPoint(Document):
    """The back-test at another cost."""

    cost_multiple: float
    net_return_frac: float
    sharpe: float | None
    n_trades: int


class BacktestReport(Document):
    """reports/<head>/backtest.json: the test segment traded after costs; Sharpe is annual, of daily returns."""

    first_open_utc: UtcTime
    last_close_utc: UtcTime
    capital: float
    final_equity: float
    net_return_frac: float
    buy_and_hold_return_frac: float
    sharpe: float | None
    max_drawdown_frac: float
    win_rate_frac: float | None
    n_trades: int
    n_days: int
    turnover_per_day: float
    exposure_frac: float
    fees_paid: float
    cost_sensitivity: list[CostPoint]


class Hardware(Document):
    """Where a latency was measured."""

    cpu: str
    n_cores: int
    platform: str
    python: str


class LatencyReport(Document):
    """reports/<head>/latency.json: single rows through the whole bundle, in milliseconds. A measurement: it varies."""

    mean: float
    p50: float
    p95: float
    p99: float
    samples: int
    n_threads: int
    hardware: Hardware
