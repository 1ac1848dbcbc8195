"""How far the figures of test can be told from luck: all of it by one call, over one set of draws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.significance_documents import BlockLength, SharpeEvidence, Significance
from candlelock.evaluate import baselines
from candlelock.evaluate.block_length import choose_lengths
from candlelock.evaluate.bootstrap import HOUR_MS
from candlelock.evaluate.circular_blocks import cut_steps, draw_circular
from candlelock.evaluate.figures import DAYS_PER_YEAR
from candlelock.evaluate.overfitting import MIN_TRIALS, describe_overfitting, halve_paths
from candlelock.evaluate.predictive_ability import compare_paired, examine_superiority
from candlelock.evaluate.return_intervals import bound_returns
from candlelock.evaluate.scores import UP_FROM, log_losses, score_all, score_auc, score_means, score_outcomes
from candlelock.evaluate.sharpe_significance import (
    deflated_sharpe,
    expected_max_sharpe,
    measure_returns,
    min_backtest_length,
    min_track_record,
    probability_above,
)
from candlelock.evaluate.stability import examine_stability

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from candlelock.contracts.significance_documents import Overfitting, PairedTest, ScoreName, SuperiorAbility
    from candlelock.contracts.stage_params import EvaluateParams
    from candlelock.contracts.study_documents import StudyReport
    from candlelock.contracts.trial_documents import TrialCount
    from candlelock.evaluate.bootstrap import Blocks
    from candlelock.evaluate.circular_blocks import Steps
    from candlelock.evaluate.scores import Scored

Array = npt.NDArray[np.float64]
MODEL, INCUMBENT = "model", "incumbent"


def assess(
    rows: pd.DataFrame,
    daily_returns: Array,
    trials: TrialCount,
    train_up_share: float,
    params: EvaluateParams,
    seed: int,
    studies: StudyReport | None = None,
    incumbent: Array | None = None,
) -> Significance:
    """Judge labelled test rows and the back-test on them.

    `rows`: symbol, open_time_ms, decision_time_ms, label_end_ms, is_up (1.0 or 0.0), past_return, p_up, p_up_logistic;
    of a head of values past_value and value_logistic in place of the last. `daily_returns`: of the back-test,
    (n_days,). `trials`: what it is the best of, itself included. `incumbent`: p_up of the model in use on the same
    rows, (n_rows,). `params`: n_bootstrap, confidence and bins; the block length is chosen from the rows.
    """
    y, p = rows["is_up"].to_numpy(), rows["p_up"].to_numpy()
    answers = baselines.predict_baselines(rows, train_up_share)
    if "value_logistic" in rows:  # of a head of values it has a value, and no probability
        answers["linear"] = answers.pop("logistic")
    steps = cut_steps(rows["open_time_ms"].to_numpy())
    length = choose_length(rows, answers, steps)
    answers |= {} if incumbent is None else {INCUMBENT: incumbent}
    blocks = draw_circular(steps, length.hours, params, seed)
    own = score_all(y, p, blocks, params.n_calibration_bins)
    paired = _compare(y, answers, own, blocks)
    return Significance(
        block_length=length,
        interval_method=_method(length, params),
        metrics={name: blocks.interval(float(np.nan_to_num(value)), drawn) for name, (value, drawn) in own.items()},
        paired=paired,
        p_no_better=_worst(paired),
        superior=_superior(y, p, answers, blocks, steps.n_steps),
        sharpe=judge_sharpe(daily_returns, trials, params.confidence),
        returns=bound_returns(daily_returns, params, seed),
        overfitting={} if studies is None else _overfitting(studies),
        stability=examine_stability(rows, answers["reversal"], answers["majority"], blocks),
    )


def choose_length(rows: pd.DataFrame, answers: Mapping[str, Array], steps: Steps) -> BlockLength:
    """The longest block that the model's losses, or their differences from another's, ask for; whole hours.

    `rows`: as in `assess`; `answers`: name -> p_up, (n_rows,).
    """
    y, p = rows["is_up"].to_numpy(), rows["p_up"].to_numpy()
    series = {f"{loss} of the model": own for loss, own in _losses(y, p, gives_probability=True)}
    for name, answer in answers.items():
        own = dict(_losses(y, p, gives_probability=True))
        for loss, its in _losses(y, answer, gives_probability=_gives_probability(name)):
            series[f"{loss} against {name}"] = its - own[loss]
    by_series = choose_lengths(steps, series)
    label_hours = float((rows["label_end_ms"] - rows["decision_time_ms"]).max() / HOUR_MS)
    hours = math.ceil(max(label_hours, steps.hours, *by_series.values()))
    n_blocks = max(steps.n_steps * steps.hours // hours, 1)
    return BlockLength(hours=hours, label_hours=label_hours, by_series=by_series, n_blocks=n_blocks)


def judge_sharpe(daily_returns: Array, trials: TrialCount, confidence: float) -> SharpeEvidence | None:
    """All there is to say of a Sharpe ratio of daily returns (n_days,); None for too few days, or all alike."""
    shape = measure_returns(daily_returns)
    if shape is None:
        return None
    n_trials, variance = max(trials.n_trials, 1), trials.daily_sharpe_variance
    best_of_luck = expected_max_sharpe(n_trials, variance)
    return SharpeEvidence(
        n_days=shape.n_periods,
        effective_days=shape.n_effective,
        daily_sharpe=shape.sharpe,
        annual_sharpe=shape.sharpe * math.sqrt(DAYS_PER_YEAR),
        skewness=shape.skewness,
        kurtosis=shape.kurtosis,
        probability_of_skill=probability_above(shape),
        trials=trials,
        expected_max=best_of_luck,
        expected_max_annual=best_of_luck * math.sqrt(DAYS_PER_YEAR),
        deflated=deflated_sharpe(shape, n_trials, variance),
        min_track_record_days=min_track_record(shape, 0.0, confidence),
        min_track_record_days_deflated=min_track_record(shape, best_of_luck, confidence),
        min_backtest_days=min_backtest_length(n_trials, shape.sharpe),
    )


def _losses(y: Array, p: Array, *, gives_probability: bool) -> Iterator[tuple[str, Array]]:
    yield "error rate", ((p >= UP_FROM) != (y > 0)).astype(np.float64)
    if gives_probability:
        yield "log loss", log_losses(y, p)
        yield "brier", (p - y) ** 2


def _gives_probability(name: str) -> bool:
    return name in (*baselines.PROBABILITIES, INCUMBENT)


def _compare(y: Array, answers: Mapping[str, Array], own: Mapping[str, Scored], blocks: Blocks) -> list[PairedTest]:
    return [
        compare_paired(name, score, own[score], other, blocks)
        for name, answer in answers.items()
        for score, other in _scores(y, name, answer, blocks)
    ]


def _scores(y: Array, name: str, answer: Array, blocks: Blocks) -> Iterator[tuple[ScoreName, Scored]]:
    """The scores that an answer has: a constant ranks no rows, a rule gives no probability."""
    yield "accuracy", score_outcomes(y, answer, blocks)["accuracy"]
    if np.ptp(answer) > 0:
        yield "auc_roc", score_auc(y, answer, blocks)
    if _gives_probability(name):
        means = score_means(y, answer, blocks)
        yield "log_loss", means["log_loss"]
        yield "brier", means["brier"]


def _worst(paired: list[PairedTest]) -> dict[ScoreName, float]:
    out: dict[ScoreName, float] = {}
    for each in paired:
        if each.against != INCUMBENT:
            out[each.score] = max(each.p_value, out.get(each.score, 0.0))
    return out


def _superior(
    y: Array, p: Array, answers: Mapping[str, Array], blocks: Blocks, n_periods: int
) -> list[SuperiorAbility]:
    """Is any other answer better than the model?"""
    errors, losses = {}, {}
    for name, answer in {MODEL: p, **answers}.items():
        its = dict(_losses(y, answer, gives_probability=name == MODEL or _gives_probability(name)))
        errors[name] = its["error rate"]
        if "log loss" in its:
            losses[name] = its["log loss"]
    model_error, model_loss = errors.pop(MODEL), losses.pop(MODEL)
    return [
        examine_superiority("error_rate", (MODEL, model_error), errors, blocks, n_periods),
        examine_superiority("log_loss", (MODEL, model_loss), losses, blocks, n_periods),
    ]


def _overfitting(studies: StudyReport) -> dict[str, Overfitting]:
    """Of each search whose trials were judged along paths: losses, of which lower is better."""
    return {
        learner: describe_overfitting(halve_paths(-np.array(study.paths.losses)), has_zero=False)
        for learner, study in sorted(studies.studies.items())
        if study.paths is not None and len(study.paths.trials) >= MIN_TRIALS  # fewer where the time was over
    }


def _method(length: BlockLength, params: EvaluateParams) -> str:
    drawn = f"{params.n_bootstrap} draws of {length.n_blocks} blocks of {length.hours} h, all symbols together"
    return f"percentile circular block bootstrap, {drawn}, {params.confidence:.0%}"
