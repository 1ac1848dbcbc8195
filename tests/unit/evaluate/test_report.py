"""The evaluation report: baselines chosen and subtracted as it says, parts that add up to the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from candlelock.contracts.stage_params import EvaluateParams
from candlelock.evaluate.bootstrap import HOUR_MS, draw_blocks
from candlelock.evaluate.report import evaluate, headline

if TYPE_CHECKING:
    from candlelock.contracts.documents import EvaluationReport

SEED = 6
PARAMS = EvaluateParams(n_bootstrap=300, block_hours=24, confidence=0.95, n_calibration_bins=10)
START_MS = 1_706_659_200_000  # 2024-01-31T00:00:00Z


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Three symbols over 600 hours from the end of January into February; past moves that reverse in six of ten."""
    random = np.random.default_rng(1)
    opens = np.tile(START_MS + HOUR_MS * np.arange(600), 3)
    z = random.normal(0, 0.6, 1800)
    is_up = (random.random(1800) < 1 / (1 + np.exp(-z - 0.1))).astype(float)
    against = np.where(random.random(1800) < 0.6, -1, 1)
    return pd.DataFrame(
        {
            "symbol": np.repeat(["ADA/USD", "BTC/USD", "ETH/USD"], 600),
            "open_time_ms": opens,
            "decision_time_ms": opens + HOUR_MS,
            "label_end_ms": opens + 5 * HOUR_MS,
            "is_up": is_up,
            "past_return": against * (2 * is_up - 1) * random.random(1800),
            "p_up": 1 / (1 + np.exp(-z)),
            "may_be_up": z > -0.5,
            "may_be_down": z < 0.4,
            "p_up_logistic": random.uniform(0.4, 0.6, 1800),
        }
    )


@pytest.fixture(scope="module")
def report(rows: pd.DataFrame) -> EvaluationReport:
    return evaluate(rows, 0.55, PARAMS, SEED)


def test_metrics_are_scikit_learns_with_the_value_inside_its_interval(
    rows: pd.DataFrame, report: EvaluationReport
) -> None:
    y, p = rows["is_up"], rows["p_up"]
    expected = {
        "accuracy": metrics.accuracy_score(y, p >= 0.5),
        "precision": metrics.precision_score(y, p >= 0.5),
        "recall": metrics.recall_score(y, p >= 0.5),
        "f1": metrics.f1_score(y, p >= 0.5),
        "auc_roc": metrics.roc_auc_score(y, p),
        "log_loss": metrics.log_loss(y, p),
        "brier": metrics.brier_score_loss(y, p),
    }
    assert report.metrics.keys() == {*expected, "calibration_ece", "calibration_ece_equal_mass"}
    for name, value in expected.items():
        interval = report.metrics[name]
        assert interval.value == pytest.approx(value)
        assert interval.low < interval.value < interval.high
    assert headline(report).auc_roc == report.metrics["auc_roc"].value
    assert headline(report).calibration_ece_expected == report.probabilities.ece_expected
    assert headline(report).lift_over_best_rule_pp == report.lift_over_best_rule_pp.value


def test_confusion_counts_every_row_once_and_gives_the_accuracy(rows: pd.DataFrame, report: EvaluationReport) -> None:
    counts = report.confusion
    expected = metrics.confusion_matrix(rows["is_up"], rows["p_up"] >= 0.5)
    assert [counts.n_true_negative, counts.n_false_positive] == expected[0].tolist()
    assert [counts.n_false_negative, counts.n_true_positive] == expected[1].tolist()
    assert (counts.n_true_positive + counts.n_true_negative) / 1800 == report.metrics["accuracy"].value


def test_the_report_names_the_rows_it_scored(report: EvaluationReport) -> None:
    assert (report.n_rows, report.n_days) == (1800, 25)
    assert (report.first_decision_utc, report.last_label_end_utc) == ("2024-01-31T01:00:00Z", "2024-02-25T04:00:00Z")
    assert "300 draws of 25 blocks of 24 h" in report.interval_method
    assert report.interval_method.endswith("95%")


def test_baselines_are_scored_as_the_model_is(rows: pd.DataFrame, report: EvaluationReport) -> None:
    y, share = rows["is_up"], rows["is_up"].mean()
    found = report.baselines
    assert found["always_up"].accuracy.value == share == pytest.approx(report.share_up)
    assert found["always_down"].accuracy.value == pytest.approx(1 - share)
    assert found["majority"].accuracy.value == share
    assert (found["always_down"].f1, found["always_up"].auc_roc) == (0, 0.5)
    assert found["majority"].brier == pytest.approx(np.mean((0.55 - y) ** 2))
    assert found["logistic"].auc_roc == pytest.approx(metrics.roc_auc_score(y, rows["p_up_logistic"]))
    assert found["logistic"].log_loss == pytest.approx(metrics.log_loss(y, rows["p_up_logistic"]))
    assert found["reversal"].accuracy.value == pytest.approx(1 - found["persistence"].accuracy.value)
    assert found["reversal"].log_loss is found["persistence"].brier is None
    assert found["reversal"].f1 == pytest.approx(metrics.f1_score(y, rows["past_return"] < 0))


def flip(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows in a falling market whose moves persist."""
    return rows.assign(is_up=1 - rows["is_up"], p_up=1 - rows["p_up"])


def test_the_best_constant_and_the_best_rule_are_those_with_the_higher_accuracy(
    rows: pd.DataFrame, report: EvaluationReport
) -> None:
    assert rows["is_up"].mean() > 0.5
    assert (report.best_constant, report.best_rule) == ("always_up", "reversal")
    flipped = evaluate(flip(rows), 0.45, PARAMS, SEED)
    assert (flipped.best_constant, flipped.best_rule) == ("always_down", "persistence")
    assert flipped.lift_over_best_constant_pp.value == pytest.approx(report.lift_over_best_constant_pp.value)


def test_lifts_are_paired_differences_on_the_same_draws(rows: pd.DataFrame) -> None:
    n_too_many = int(2 * rows["is_up"].sum() - len(rows))
    rows = rows.drop(index=rows.index[rows["is_up"] == 1][:n_too_many]).reset_index(drop=True)
    report = evaluate(rows, 0.55, PARAMS, SEED)  # of even classes: which constant is better changes with the draw
    y, p = rows["is_up"].to_numpy(), rows["p_up"].to_numpy()
    blocks = draw_blocks(rows["open_time_ms"].to_numpy(), PARAMS, SEED)
    is_right = {
        "model": (p >= 0.5) == y,
        "up": y == 1,
        "down": y == 0,
        "reversal": (rows["past_return"].to_numpy() < 0) == y,
    }
    share: dict[str, Any] = {}
    for name, right in is_right.items():
        total, drawn = blocks.sums(np.column_stack([right, np.ones(len(y))]).astype(float))
        share[name] = np.r_[total[0] / total[1], drawn[:, 0] / drawn[:, 1]]
    for lift, beaten in (
        (report.lift_over_best_constant_pp, np.maximum(share["up"], share["down"])),
        (report.lift_over_best_rule_pp, share["reversal"]),
    ):
        difference = 100 * (share["model"] - beaten)
        expected = (difference[0], *np.percentile(difference[1:], [2.5, 97.5]))
        assert (lift.value, lift.low, lift.high) == pytest.approx(expected)


def test_pairing_makes_the_lift_of_a_model_over_itself_exactly_zero(rows: pd.DataFrame) -> None:
    as_rule = rows.assign(p_up=(rows["past_return"] < 0).astype(float))
    lift = evaluate(as_rule, 0.55, PARAMS, SEED).lift_over_best_rule_pp
    assert (lift.value, lift.low, lift.high) == (0, 0, 0)


@pytest.mark.parametrize("slices", ["by_symbol", "by_month"])
def test_slices_add_up_to_the_whole(rows: pd.DataFrame, report: EvaluationReport, slices: str) -> None:
    parts = getattr(report, slices)
    assert sum(part.n_rows for part in parts) == report.n_rows
    wholes = {"share_up": report.share_up, "accuracy": report.metrics["accuracy"].value}
    wholes |= {"mean_p_up": rows["p_up"].mean(), "coverage_frac": report.probabilities.conformal.coverage_frac}
    for value, whole in wholes.items():
        assert sum(part.n_rows * getattr(part, value) for part in parts) / report.n_rows == pytest.approx(whole)


def test_a_slice_is_scored_on_its_own_rows(rows: pd.DataFrame, report: EvaluationReport) -> None:
    assert [part.name for part in report.by_symbol] == ["ADA/USD", "BTC/USD", "ETH/USD"]
    own = rows[rows["symbol"] == "BTC/USD"]
    assert report.by_symbol[1].auc_roc == pytest.approx(metrics.roc_auc_score(own["is_up"], own["p_up"]))
    assert [(part.name, part.n_rows) for part in report.by_month] == [("2024-01", 69), ("2024-02", 1731)]


def test_a_slice_with_one_class_has_no_auc(rows: pd.DataFrame) -> None:
    only_ups = rows["is_up"].where(rows["symbol"] != "ETH/USD", 1.0)
    parts = evaluate(rows.assign(is_up=only_ups), 0.55, PARAMS, SEED).by_symbol
    assert [part.auc_roc is None for part in parts] == [False, False, True]


@pytest.mark.parametrize(("p_up", "confusion"), [(0.4, (0, 0)), (0.5, (1, 1))])
def test_a_model_that_always_says_the_same_is_reported_and_not_an_error(
    rows: pd.DataFrame, p_up: float, confusion: tuple[int, int]
) -> None:
    report = evaluate(rows.assign(p_up=p_up), 0.55, PARAMS, SEED)
    counts = report.confusion
    assert (min(counts.n_true_positive, 1), min(counts.n_false_positive, 1)) == confusion
    expected = metrics.precision_score(rows["is_up"], np.full(1800, p_up >= 0.5), zero_division=0)
    assert report.metrics["precision"].value == pytest.approx(expected)
    assert report.metrics["auc_roc"].value == 0.5


def test_the_same_seed_gives_the_same_report_and_another_only_other_intervals(
    rows: pd.DataFrame, report: EvaluationReport
) -> None:
    assert evaluate(rows, 0.55, PARAMS, SEED) == report
    other = evaluate(rows, 0.55, PARAMS, SEED + 1)
    assert other.metrics["accuracy"].low != report.metrics["accuracy"].low
    assert {name: m.value for name, m in other.metrics.items()} == {name: m.value for name, m in report.metrics.items()}


def test_one_symbol_and_one_day_are_scored(rows: pd.DataFrame) -> None:
    day = rows[(rows["symbol"] == "BTC/USD") & (rows["open_time_ms"] < START_MS + 24 * HOUR_MS)]
    report = evaluate(day.reset_index(drop=True), 0.55, PARAMS, SEED)
    assert (report.n_rows, report.n_days, len(report.by_symbol)) == (24, 1, 1)
