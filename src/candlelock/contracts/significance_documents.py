"""How far the figures of test can be told from luck, as frozen models: reports/<head>/significance.json.

Sharpe ratios are per day unless their name says annual; kurtosis is raw, 3 for a normal distribution; a gain is above 0
where the model is the better one, whatever the score; a figure that does not exist is null.
"""

from __future__ import annotations

from typing import Literal

from candlelock.contracts.documents import Document, Interval
from candlelock.contracts.trial_documents import TrialCount  # noqa: TC001  (pydantic reads annotations)

ScoreName = Literal["accuracy", "auc_roc", "log_loss", "brier"]
LossName = Literal["error_rate", "log_loss"]


class BlockLength(Document):
    """The one block length of the evaluation: the longest that a series asks for, and at least the label's length.

    `by_series`: what each asks for, in hours (Politis and White 2004, circular blocks). `n_blocks`: how many of them
    the test span has.
    """

    hours: int
    label_hours: float
    by_series: dict[str, float]
    n_blocks: int


class PairedTest(Document):
    """The model against another answer to the same rows, over the same draws.

    `p_value`: of the hypothesis that the model is no better, one-sided.
    """

    against: str
    score: ScoreName
    gain: Interval
    p_value: float


class SuperiorAbility(Document):
    """Hansen's 2005 test of the hypothesis that no alternative has a lower expected loss than the benchmark.

    `gain`: by how much the alternative that leads most, in its own standard errors, loses less than the benchmark;
    below 0 where none leads. A low p-value says that one is better; a high one says only that none was found.
    """

    loss: LossName
    benchmark: str
    n_alternatives: int
    best_alternative: str
    gain: float
    p_lower: float
    p_consistent: float
    p_upper: float
    p_reality_check: float


class SharpeEvidence(Document):
    """What a Sharpe ratio is worth after the days it was measured on and the tries it is the best of.

    `effective_days`: independent days worth as much as these. `probability_of_skill`: that the true ratio is above 0;
    `deflated`: that it is above `expected_max`, the best to be expected of so many tries without skill.
    `min_track_record_days`, `..._deflated`: days that a ratio as high must be seen for, to be above 0 or `expected_max`
    with the confidence of the intervals; null where it is not above. `min_backtest_days`: days after which the best of
    so many tries without skill falls below this ratio; null where it is not above 0.
    """

    n_days: int
    effective_days: float
    daily_sharpe: float
    annual_sharpe: float
    skewness: float
    kurtosis: float
    probability_of_skill: float
    trials: TrialCount
    expected_max: float
    expected_max_annual: float
    deflated: float
    min_track_record_days: float | None
    min_track_record_days_deflated: float | None
    min_backtest_days: float | None


class ReturnIntervals(Document):
    """What the back-test earned, by days and their block bootstrap, in blocks of `block_days`.

    `sharpe`: annual. `max_drawdown_frac`: between the ends of days, so less than between those of bars.
    """

    block_days: int
    sharpe: Interval
    net_return_frac: Interval
    max_drawdown_frac: Interval


class Overfitting(Document):
    """Probability of back-test overfitting by combinatorially symmetric cross-validation (Bailey et al. 2017).

    `probability`: how often the winner of one half of time is no better than the median on the other. `median_logit`:
    of its relative rank there. `degradation_slope`: of its score outside on its score inside, null where the latter
    does not vary. `loss_frac`: how often its score outside is below 0, null for scores to which 0 means nothing.
    """

    n_trials: int
    n_groups: int
    n_splits: int
    probability: float
    median_logit: float
    degradation_slope: float | None
    loss_frac: float | None


class SliceScore(Document):
    """Scores of a part of the test rows; leads are over the rule "against the last H bars" and over the constant."""

    name: str
    n_rows: int
    share_up: float
    accuracy: float
    auc_roc: float | None
    log_loss: float
    accuracy_lead_pp: float
    log_loss_lead: float


class MonthsAhead(Document):
    """In how many months the model is right more often than the rule; months in which neither is, are left out.

    The interval is Clopper and Pearson's, the p-value that of the one-sided sign test.
    """

    n_ahead: int
    n_months: int
    share: Interval
    p_value: float


class Stability(Document):
    """Where and when the model is good. Volatility regimes are thirds of each symbol's rows, by moves before them.

    `lead_slope`: by how much the lead in log loss over the constant changes in 30 days.
    """

    by_month: list[SliceScore]
    by_symbol: list[SliceScore]
    by_volatility: list[SliceScore]
    by_utc_hour: list[SliceScore]
    months_ahead: MonthsAhead
    lead_slope: Interval


class Significance(Document):
    """Everything that stands between the figures of test and a verdict.

    `p_no_better`: the largest of the paired p-values of that score, so that of the hypothesis that some baseline is as
    good. `overfitting`: by learner, of its search; one whose trials were not judged along paths is left out.
    """

    block_length: BlockLength
    interval_method: str
    metrics: dict[str, Interval]
    paired: list[PairedTest]
    p_no_better: dict[ScoreName, float]
    superior: list[SuperiorAbility]
    sharpe: SharpeEvidence | None
    returns: ReturnIntervals | None
    overfitting: dict[str, Overfitting]
    stability: Stability
