"""The one call: what it rests on, and what it says of a model with skill, without, and of one that copies a rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from candlelock.contracts.stage_params import EvaluateParams
from candlelock.contracts.study_documents import StudyReport
from candlelock.contracts.trial_documents import TrialCount
from candlelock.evaluate.block_length import choose_lengths
from candlelock.evaluate.bootstrap import HOUR_MS
from candlelock.evaluate.circular_blocks import cut_steps
from candlelock.evaluate.return_intervals import bound_returns
from candlelock.evaluate.sharpe_significance import deflated_sharpe, measure_returns
from candlelock.evaluate.significance import assess, judge_sharpe
from tests.unit.evaluate.test_trial_ledger import study

if TYPE_CHECKING:
    from candlelock.contracts.significance_documents import Significance

PARAMS = EvaluateParams(n_bootstrap=300, block_hours=24, confidence=0.95, n_calibration_bins=10)
START_MS = 1_706_659_200_000
N_HOURS, LABEL_HOURS = 2400, 6
TRIALS = TrialCount(
    n_trials=50,
    n_search=40,
    n_experiments=10,
    n_with_sharpe=10,
    daily_sharpe_variance=0.002,
    variance_from="trials",
)
RETURNS = np.random.default_rng(3).normal(0.002, 0.01, 100)


def market(skill: float) -> pd.DataFrame:
    """Hourly rows of two symbols that move together; labels look six hours ahead, past moves reverse a little."""
    random = np.random.default_rng(1)
    shocks = random.normal(size=N_HOURS + 2 * LABEL_HOURS)
    move = np.convolve(shocks, np.ones(LABEL_HOURS), "valid")
    past, future = move[:N_HOURS], move[LABEL_HOURS : LABEL_HOURS + N_HOURS]
    seen = skill * future + (1 - skill) * 3 * random.normal(size=N_HOURS)
    frames = []
    for symbol in ("A/USD", "B/USD"):
        is_up = (future + random.normal(0, 0.5, N_HOURS) > 0).astype(float)
        opens = START_MS + HOUR_MS * np.arange(N_HOURS)
        columns = {"symbol": symbol, "open_time_ms": opens, "decision_time_ms": opens + HOUR_MS}
        columns |= {"label_end_ms": opens + (1 + LABEL_HOURS) * HOUR_MS, "is_up": is_up, "past_return": past}
        columns |= {"p_up": 1 / (1 + np.exp(-seen / 4)), "p_up_logistic": random.uniform(0.45, 0.55, N_HOURS)}
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def judge(rows: pd.DataFrame, **more: Any) -> Significance:
    return assess(rows, RETURNS, TRIALS, 0.52, PARAMS, 4, **more)


@pytest.fixture(scope="module")
def skilled() -> Significance:
    rows = market(0.5)
    losses = [[[0.6, 0.7, 0.6], [0.6, 0.6, 0.7]], [[0.7, 0.8, 0.7], [0.8, 0.7, 0.8]]]  # the first wins everywhere
    studies = StudyReport(
        studies={
            "lightgbm": study(paths={"n_groups": 3, "n_test_groups": 2, "trials": [0, 1], "losses": losses}),
            "xgboost": study(),
            "mlp": study(paths={"n_groups": 3, "n_test_groups": 2, "trials": [0], "losses": losses[:1]}),
        }
    )
    return judge(rows, incumbent=rows["p_up"].to_numpy(), studies=studies)


@pytest.fixture(scope="module")
def blind() -> Significance:
    return judge(market(0.0))


def test_one_length_serves_all_the_longest_asked_for_and_stated(skilled: Significance) -> None:
    length = skilled.block_length
    assert length.label_hours == LABEL_HOURS
    assert length.hours == math.ceil(max(LABEL_HOURS, *length.by_series.values()))
    assert length.n_blocks == N_HOURS // length.hours
    assert f"blocks of {length.hours} h" in skilled.interval_method
    assert "error rate against reversal" in length.by_series
    assert "log loss against logistic" in length.by_series
    assert "log loss against reversal" not in length.by_series


def test_a_length_is_asked_of_differences(skilled: Significance) -> None:
    rows = market(0.5)
    is_wrong = (rows["p_up"] >= 0.5).ne(rows["is_up"] > 0).to_numpy(float)
    rule_is_wrong = (rows["past_return"] < 0).ne(rows["is_up"] > 0).to_numpy(float)
    steps = cut_steps(rows["open_time_ms"].to_numpy())
    expected = choose_lengths(steps, {"own": is_wrong, "difference": rule_is_wrong - is_wrong})
    assert skilled.block_length.by_series["error rate of the model"] == expected["own"]
    assert skilled.block_length.by_series["error rate against reversal"] == pytest.approx(expected["difference"])


def test_blocks_are_at_least_as_long_as_a_label() -> None:
    rows = market(0.5)
    far = judge(rows.assign(label_end_ms=rows["decision_time_ms"] + 100 * HOUR_MS))
    assert far.block_length.hours == 100


def test_every_metric_is_there_with_its_interval(skilled: Significance) -> None:
    rows = market(0.5)
    assert skilled.metrics["auc_roc"].value == pytest.approx(metrics.roc_auc_score(rows["is_up"], rows["p_up"]))
    assert skilled.metrics["log_loss"].value == pytest.approx(metrics.log_loss(rows["is_up"], rows["p_up"]))
    assert len(skilled.metrics) == 9
    assert all(each.low <= each.high for each in skilled.metrics.values())


def by_name(found: Significance) -> dict[tuple[str, str], Any]:
    return {(each.against, each.score): each for each in found.paired}


def test_each_baseline_is_met_on_the_scores_it_has(skilled: Significance) -> None:
    scores: dict[str, set[str]] = {}
    for against, score in by_name(skilled):
        scores.setdefault(against, set()).add(score)
    every = {"accuracy", "auc_roc", "log_loss", "brier"}
    assert scores["always_up"] == scores["always_down"] == {"accuracy"}
    assert scores["reversal"] == scores["persistence"] == {"accuracy", "auc_roc"}
    assert scores["majority"] == every - {"auc_roc"}
    assert scores["logistic"] == scores["incumbent"] == every


def test_skill_is_told_from_every_baseline(skilled: Significance) -> None:
    assert max(skilled.p_no_better.values()) < 0.02
    assert min(each.p_consistent for each in skilled.superior) > 0.5
    gain = by_name(skilled)["reversal", "accuracy"].gain
    rows = market(0.5)
    expected = (rows["p_up"] >= 0.5).eq(rows["is_up"] > 0).mean() - (rows["past_return"] < 0).eq(
        rows["is_up"] > 0
    ).mean()
    assert gain.value == pytest.approx(expected)


def test_an_incumbent_that_is_the_model_itself_is_not_beaten_and_counts_for_no_baseline(skilled: Significance) -> None:
    itself = [each for each in skilled.paired if each.against == "incumbent"]
    assert [each.gain.value for each in itself] == [0.0] * 4
    assert {each.p_value for each in itself} == {1.0}


def test_another_model_in_use_is_told_beside_the_baselines_and_changes_nothing_of_them() -> None:
    rows = market(0.5)
    drift = np.sin(np.arange(len(rows)) / 200)  # its losses ask for far longer blocks
    alone, beside = judge(rows), judge(rows, incumbent=np.clip(rows["p_up"] + 0.3 * drift, 0.01, 0.99).to_numpy())
    own = [each for each in beside.paired if each.against == "incumbent"]
    assert all(each.gain.value > 0 for each in own)
    assert [each for each in beside.paired if each not in own] == alone.paired
    assert (beside.block_length, beside.p_no_better) == (alone.block_length, alone.p_no_better)


def test_a_model_without_skill_is_not_told_from_the_constants(blind: Significance) -> None:
    assert blind.p_no_better["log_loss"] > 0.5
    assert blind.p_no_better["accuracy"] > 0.05
    log_loss = next(each for each in blind.superior if each.loss == "log_loss")
    assert log_loss.p_consistent < 0.01  # probabilities that say much and know nothing lose to the constant
    assert log_loss.gain > 0


def test_a_model_that_copies_the_rule_is_no_better_than_it() -> None:
    rows = market(0.0)
    rows["p_up"] = np.where(rows["past_return"] < 0, 0.6, 0.4)
    found = by_name(judge(rows))["reversal", "accuracy"]
    assert (found.gain.value, found.p_value) == (0.0, 1.0)


def test_searches_and_stability_are_those_of_their_modules(skilled: Significance) -> None:
    assert skilled.returns == bound_returns(RETURNS, PARAMS, 4)
    assert skilled.returns is not None
    assert list(skilled.overfitting) == ["lightgbm"], "a search without paths, or of one trial, says nothing"
    found = skilled.overfitting["lightgbm"]
    assert (found.probability, found.n_trials, found.n_groups, found.n_splits) == (0, 2, 3, 2 * 6)
    assert found.loss_frac is None, "a log loss has no zero"
    assert {each.name for each in skilled.stability.by_symbol} == {"A/USD", "B/USD"}
    assert skilled.stability.months_ahead.n_ahead == skilled.stability.months_ahead.n_months == 5


def test_leads_of_the_parts_add_up_to_the_gains_over_rule_and_constant(skilled: Significance) -> None:
    gains, parts = by_name(skilled), skilled.stability.by_symbol
    n_rows = sum(each.n_rows for each in parts)
    accuracy = sum(each.n_rows * each.accuracy_lead_pp for each in parts) / n_rows
    log_loss = sum(each.n_rows * each.log_loss_lead for each in parts) / n_rows
    assert accuracy == pytest.approx(100 * gains["reversal", "accuracy"].gain.value)
    assert log_loss == pytest.approx(gains["majority", "log_loss"].gain.value)


def test_the_back_test_is_deflated_by_the_count_of_trials(skilled: Significance) -> None:
    shape = measure_returns(RETURNS)
    assert shape is not None
    assert skilled.sharpe is not None
    assert skilled.sharpe.deflated == deflated_sharpe(shape, 50, 0.002)
    assert skilled.sharpe.annual_sharpe == pytest.approx(RETURNS.mean() / RETURNS.std(ddof=1) * math.sqrt(365))
    assert skilled.sharpe.deflated < skilled.sharpe.probability_of_skill
    assert skilled.sharpe.min_track_record_days is not None
    assert skilled.sharpe.min_track_record_days_deflated is not None
    assert skilled.sharpe.min_track_record_days < skilled.sharpe.min_track_record_days_deflated


def test_days_without_a_trade_have_no_sharpe_ratio_to_judge() -> None:
    assert judge_sharpe(np.zeros(100), TRIALS, 0.95) is None


def test_the_same_rows_give_the_same_bytes(blind: Significance) -> None:
    assert judge(market(0.0)).model_dump_json() == blind.model_dump_json()
