"""Scores of values beside scikit-learn's and SciPy's; baselines, skill and coverage as they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn import metrics

from candlelock.contracts.stage_params import EvaluateParams
from candlelock.evaluate.bootstrap import HOUR_MS, draw_blocks
from candlelock.evaluate.values import predict_baselines, score_values

if TYPE_CHECKING:
    from candlelock.contracts.documents import Values

PARAMS = EvaluateParams(n_bootstrap=300, block_hours=24, confidence=0.95, n_calibration_bins=10)
OPENS = np.tile(1_706_659_200_000 + HOUR_MS * np.arange(800), 2)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """A part that is foretold, a smaller one that a linear model knows too, and noise with ties."""
    random = np.random.default_rng(3)
    known, half, rest = random.normal(0, 1, (3, len(OPENS)))
    value = np.round(known + half + 1.5 * rest, 1)
    foretold = 0.9 * (known + half)
    return pd.DataFrame(
        {
            "open_time_ms": OPENS,
            "value": value,
            "past_value": np.where(random.random(len(OPENS)) < 0.1, np.nan, random.normal(0, 1, len(OPENS))),
            "predicted_value": foretold,
            "value_low": np.where(random.random(len(OPENS)) < 0.05, np.nan, foretold - 2.5),
            "value_high": foretold + 2.5,
            "value_logistic": 0.8 * half,
        }
    ).assign(value_high=lambda each: each["value_high"].where(each["value_low"].notna()))


def score(rows: pd.DataFrame, train_mean: float = 0.1) -> Values:
    return score_values(rows, train_mean, "unit", draw_blocks(rows["open_time_ms"].to_numpy(), PARAMS, 6))


def test_scores_are_those_of_the_libraries_with_the_value_inside_its_interval(rows: pd.DataFrame) -> None:
    found, y, answer = score(rows), rows["value"], rows["predicted_value"]
    expected = {
        "rmse": metrics.root_mean_squared_error(y, answer),
        "mae": metrics.mean_absolute_error(y, answer),
        "r2": metrics.r2_score(y, answer),
        "rank_correlation": spearmanr(y, answer).statistic,
        "skill": 1 - metrics.mean_squared_error(y, answer) / metrics.mean_squared_error(y, rows["value_logistic"]),
    }
    assert {name: one.value for name, one in found.metrics.items()} == pytest.approx(expected)
    for one in found.metrics.values():
        assert one.low < one.value < one.high


def test_skill_is_over_the_best_baseline_and_none_beats_itself(rows: pd.DataFrame) -> None:
    assert score(rows).best_baseline == "linear"
    as_linear = score(rows.assign(predicted_value=rows["value_logistic"]))
    assert as_linear.metrics["skill"].value == 0
    assert as_linear.metrics["skill"].low <= as_linear.metrics["skill"].high <= 0, "in a draw another one may be best"
    foolish = score(rows.assign(value_logistic=9.0, predicted_value=0.0), train_mean=5.0)
    assert foolish.best_baseline == "zero"
    assert foolish.metrics["skill"].value == 0


def test_baselines_by_hand() -> None:
    rows = pd.DataFrame({"past_value": [2.0, np.nan, -1.0], "value_logistic": [0.1, 0.2, 0.3]})
    found = {name: answer.tolist() for name, answer in predict_baselines(rows, 0.5).items()}
    assert found == {
        "zero": [0, 0, 0],
        "train_mean": [0.5, 0.5, 0.5],
        "persistence": [2.0, 0.0, -1.0],
        "reversal": [-2.0, 0.0, 1.0],
        "linear": [0.1, 0.2, 0.3],
    }


def test_an_interval_without_ends_holds_everything_and_has_no_width(rows: pd.DataFrame) -> None:
    found = score(rows)
    held = rows["value_low"].isna() | rows["value"].between(rows["value_low"], rows["value_high"])
    assert found.coverage_frac == pytest.approx(held.mean())
    assert found.mean_width == pytest.approx(5.0)
    endless = score(rows.assign(value_low=np.nan, value_high=np.nan))
    assert (endless.coverage_frac, endless.mean_width) == (1.0, None)


def test_a_constant_answer_has_no_rank_correlation(rows: pd.DataFrame) -> None:
    assert score(rows.assign(predicted_value=0.3)).metrics["rank_correlation"].value == 0


def test_intervals_widen_where_whole_days_go_wrong_together(rows: pd.DataFrame) -> None:
    """The same errors, once by the row and once by the day."""
    random = np.random.default_rng(4)
    by_row = random.normal(0, 1, len(rows))
    by_day = pd.Series(random.normal(0, 1, 40))[(rows["open_time_ms"] - OPENS[0]) // (24 * HOUR_MS)].to_numpy()
    widths = []
    for error in (by_row, by_day):
        interval = score(rows.assign(predicted_value=rows["value"] + error)).metrics["mae"]
        widths.append(interval.high - interval.low)
    assert widths[1] > 2 * widths[0]
