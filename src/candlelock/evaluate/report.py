"""The one look at the test segment: every score beside its baselines, with intervals, per symbol and per month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from candlelock.contracts.documents import (
    Baseline,
    ConfusionMatrix,
    EvaluationReport,
    Interval,
    Metrics,
    Probabilities,
    Slice,
    utc_text,
)
from candlelock.evaluate import baselines, scores
from candlelock.evaluate.bootstrap import Blocks, draw_blocks
from candlelock.evaluate.probabilities import cover, expect_ece, split_brier
from candlelock.evaluate.values import score_values

if TYPE_CHECKING:
    from candlelock.contracts.stage_params import EvaluateParams

Array = npt.NDArray[np.float64]


def evaluate(
    rows: pd.DataFrame,
    train_up_share: float,
    params: EvaluateParams,
    seed: int,
    *,
    unit: str | None = None,
    train_mean: float | None = None,
) -> EvaluationReport:
    """Score labelled test rows.

    `rows`: symbol, open_time_ms, decision_time_ms, label_end_ms, is_up (1.0 or 0.0), past_return, p_up, may_be_up,
    may_be_down, p_up_logistic. Of a head of values, whose `unit` and mean label of train are given, those of
    `score_values` too.
    """
    y, p = rows["is_up"].to_numpy(), rows["p_up"].to_numpy()
    blocks = draw_blocks(rows["open_time_ms"].to_numpy(), params, seed)
    scored = scores.score_all(y, p, blocks, params.n_calibration_bins)
    answers = baselines.predict_baselines(rows, train_up_share)
    accuracy = {name: scores.score_outcomes(y, answer, blocks)["accuracy"] for name, answer in answers.items()}
    best_constant, constant = _best(baselines.CONSTANTS, accuracy)
    best_rule, rule = _best(baselines.RULES, accuracy)
    months = pd.to_datetime(rows["decision_time_ms"], unit="ms").dt.strftime("%Y-%m")
    return EvaluationReport(
        **_extent(rows),
        n_blocks=blocks.n_blocks,
        interval_method=_method(blocks, params),
        metrics={name: blocks.interval(or_zero(value), draws) for name, (value, draws) in scored.items()},
        confusion=count_outcomes(y, p),
        probabilities=_probabilities(rows, blocks, params.n_calibration_bins),
        values=None if unit is None else score_values(rows, train_mean or 0.0, unit, blocks),
        baselines=_baselines(y, answers, accuracy, blocks, are_values=unit is not None),
        best_constant=best_constant,
        best_rule=best_rule,
        lift_over_best_constant_pp=_lift(scored["accuracy"], constant, blocks),
        lift_over_best_rule_pp=_lift(scored["accuracy"], rule, blocks),
        by_symbol=_slices(rows, rows["symbol"], params.n_calibration_bins),
        by_month=_slices(rows, months, params.n_calibration_bins),
    )


def headline(report: EvaluationReport) -> Metrics:
    """The figures for `dvc metrics diff`."""
    figures = {name: interval.value for name, interval in report.metrics.items()}
    return Metrics(
        n_rows=report.n_rows,
        calibration_ece_expected=report.probabilities.ece_expected,
        lift_over_best_constant_pp=report.lift_over_best_constant_pp.value,
        lift_over_best_rule_pp=report.lift_over_best_rule_pp.value,
        **figures,
    )


def _method(blocks: Blocks, params: EvaluateParams) -> str:
    drawn = f"{params.n_bootstrap} draws of {blocks.n_blocks} blocks of {params.block_hours} h, all symbols together"
    return f"percentile block bootstrap, {drawn}, {params.confidence:.0%}"


def _probabilities(rows: pd.DataFrame, blocks: Blocks, n_bins: int) -> Probabilities:
    y, p = rows["is_up"].to_numpy(), rows["p_up"].to_numpy()
    return Probabilities(
        ece_expected=expect_ece(y, p, scores.bin_of(p, n_bins), blocks),
        ece_equal_mass_expected=expect_ece(y, p, scores.mass_bin_of(p, n_bins), blocks),
        brier_parts=split_brier(y, p, scores.bin_of(p, n_bins)),
        conformal=cover(rows),
    )


def _best(names: tuple[str, ...], accuracy: dict[str, scores.Scored]) -> tuple[str, scores.Scored]:
    """The baseline with the highest accuracy; in each replicate the highest there, so that the choice costs nothing."""
    best = max(names, key=lambda name: accuracy[name][0])
    return best, (accuracy[best][0], np.max([accuracy[name][1] for name in names], axis=0))


def _lift(model: scores.Scored, baseline: scores.Scored, blocks: Blocks) -> Interval:
    """Paired difference of accuracies in percentage points: the same draws on both sides."""
    return blocks.interval(100 * (model[0] - baseline[0]), 100 * (model[1] - baseline[1]))


def _extent(rows: pd.DataFrame) -> dict[str, Any]:
    """How many rows and days, from when to when, and the share of ups."""
    return {
        "n_rows": len(rows),
        "n_days": int(pd.Series(rows["open_time_ms"] // 86_400_000).nunique()),
        "share_up": float(rows["is_up"].mean()),
        "first_decision_utc": utc_text(rows["decision_time_ms"].min()),
        "last_label_end_utc": utc_text(rows["label_end_ms"].max()),
    }


def count_outcomes(y: Array, p: Array) -> ConfusionMatrix:
    """Right and wrong answers at p_up 0.5; both of shape (n_rows,)."""
    counts = scores.outcomes(y, p).sum(axis=0).astype(int)
    return ConfusionMatrix(
        n_true_positive=counts[0], n_false_positive=counts[1], n_true_negative=counts[2], n_false_negative=counts[3]
    )


def _baselines(
    y: Array, answers: dict[str, Array], accuracy: dict[str, scores.Scored], blocks: Blocks, *, are_values: bool
) -> dict[str, Baseline]:
    given = [name for name in baselines.PROBABILITIES if not (are_values and name == "logistic")]
    return {
        name: _baseline(y, answer, accuracy[name], blocks, gives_probability=name in given)
        for name, answer in answers.items()
    }


def _baseline(y: Array, answer: Array, accuracy: scores.Scored, blocks: Blocks, *, gives_probability: bool) -> Baseline:
    means = scores.score_means(y, answer, blocks) if gives_probability else {}
    once = Blocks(blocks.index, blocks.draws[:0], blocks.confidence)
    return Baseline(
        accuracy=blocks.interval(*accuracy),
        f1=or_zero(scores.score_outcomes(y, answer, once)["f1"][0]),
        auc_roc=scores.score_auc(y, answer, once)[0],
        log_loss=means["log_loss"][0] if means else None,
        brier=means["brier"][0] if means else None,
    )


def _slices(rows: pd.DataFrame, by: pd.Series[Any], n_bins: int) -> list[Slice]:
    return [_slice(str(name), own, n_bins) for name, own in rows.groupby(by.to_numpy())]


def _slice(name: str, rows: pd.DataFrame, n_bins: int) -> Slice:
    y, p = rows["is_up"].to_numpy(), rows["p_up"].to_numpy()
    whole = Blocks(np.zeros(len(y), dtype=np.int64), np.ones((0, 1)), 0.95)
    auc = scores.score_auc(y, p, whole)[0]
    return Slice(
        name=name,
        n_rows=len(y),
        share_up=float(y.mean()),
        mean_p_up=float(p.mean()),
        accuracy=scores.score_outcomes(y, p, whole)["accuracy"][0],
        auc_roc=None if np.isnan(auc) else auc,
        calibration_ece=scores.score_ece(y, p, whole, scores.bin_of(p, n_bins))[0],
        coverage_frac=cover(rows).coverage_frac,
    )


def or_zero(value: float) -> float:
    """0 for a ratio with nothing to divide by, as scikit-learn has it: no row predicted up gives precision 0."""
    return 0.0 if np.isnan(value) else value
