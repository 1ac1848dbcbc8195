"""The documents of the bundle name the rows they were fitted on; the table keeps the threshold's signals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from candlelock.calibrate.calibrator import Calibration, Choice
from candlelock.calibrate.combine import Combined
from candlelock.calibrate.conformal import Conformal
from candlelock.calibrate.ensemble import Ensemble
from candlelock.calibrate.report import (
    describe_calibrator,
    describe_conformal,
    describe_ensemble,
    describe_threshold,
    predictions_table,
)
from candlelock.calibrate.threshold import Optimum, Trading
from candlelock.calibrate.values import ValueLine
from candlelock.contracts.documents import Compared, ThresholdChoice, ValueMap
from candlelock.contracts.tables import PREDICTIONS

HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
CHOICES = [
    ThresholdChoice(p_up=p_up, n_trades=n_trades, net_profit_bps=net, sharpe=None, chosen_frac=0.25)
    for p_up, n_trades, net in ((0.5, 9, -4.0), (0.6, 3, 0.0), (0.7, 2, 0.5))
]
TRADING = Trading(hold_ms=HOUR_MS, cost_bps=24.0, goal="profit", min_trades=1)
COMPARED = Compared(name="a", method="platt", loss=0.6, lead=0.01, error=0.002)


@pytest.fixture
def seen() -> pd.DataFrame:
    """Two symbols, so that the last row is not the last in time."""
    opens = START_MS + HOUR_MS * np.array([5, 6, 7, 2, 3])
    return pd.DataFrame(
        {
            "symbol": ["A/Q"] * 3 + ["B/Q"] * 2,
            "open_time_ms": opens,
            "decision_time_ms": opens + HOUR_MS,
            "label_end_ms": opens + 3 * HOUR_MS,
            "segment": ["decide", "decide", "test", "calibrate", "decide"],
            "p_up_raw": [0.4, 0.5, 0.6, 0.7, 0.8],
            "p_up": [0.45, 0.5499, 0.55, 0.56, 0.7],
            "member_spread": 0.02,
            "disagreement": [0.0, 1 / 3, 0.0, 0.0, 0.5],
            "may_be_up": pd.array([pd.NA, pd.NA, True, True, pd.NA], dtype="boolean"),
            "may_be_down": pd.array([pd.NA, pd.NA, False, True, pd.NA], dtype="boolean"),
        }
    )


def combined(calibration: Calibration, ensemble: Ensemble, used: str, line: ValueLine | None = None) -> Combined:
    choice = Choice(calibration, {"isotonic": 0.6, "platt": 0.7}, np.zeros(5))
    return Combined(ensemble, used, choice, [COMPARED], {}, line)


def calibrated(calibration: Calibration, line: ValueLine | None = None) -> Combined:
    return combined(calibration, Ensemble("stack", {"a": 1.5}), "ensemble", line)


def test_documents_name_first_decision_and_last_label_end(seen: pd.DataFrame) -> None:
    fitted = calibrated(Calibration("platt", slope=2.0, intercept=0.5))
    stack = describe_ensemble(fitted, seen)
    line = describe_calibrator(fitted, seen)
    sets = describe_conformal(Conformal(0.1, 0.005, (-1.0, 0.5, 1.0)), None, seen)
    threshold = describe_threshold(Optimum(0.7, CHOICES, 0.6, 0.7), TRADING, seen)
    assert (stack.kind, stack.weights, stack.used) == ("stack", {"a": 1.5}, "ensemble")
    assert stack.comparison == [COMPARED]
    assert (line.slope, line.slope_down, line.intercept, line.knots_x, line.knots_y) == (2.0, None, 0.5, None, None)
    assert (sets.alpha, sets.gamma, sets.quantiles) == (0.1, 0.005, [-1.0, 0.5, 1.0])
    assert (threshold.p_up_low, threshold.p_up_high, threshold.goal) == (0.6, 0.7, "profit")
    assert {document.n_rows for document in (stack, line, sets, threshold)} == {5}
    assert {document.last_label_end_utc for document in (stack, line, sets, threshold)} == {"2024-01-01T10:00:00Z"}
    assert {document.first_decision_utc for document in (line, sets, threshold)} == {"2024-01-01T03:00:00Z"}


def test_weights_that_nothing_was_fitted_for_name_no_rows(seen: pd.DataFrame) -> None:
    fitted = combined(Calibration("identity"), Ensemble("vote", {"a": 0.5, "b": 0.5}), "a")
    vote = describe_ensemble(fitted, seen[:0])
    assert (vote.used, vote.n_rows, vote.last_label_end_utc) == ("a", 0, None)


def test_knots_and_slopes_are_kept_as_they_are(seen: pd.DataFrame) -> None:
    knots = Calibration("isotonic", knots_x=(0.1, 0.9), knots_y=(0.2, 0.8))
    document = describe_calibrator(calibrated(knots), seen)
    assert (document.knots_x, document.knots_y, document.slope) == ([0.1, 0.9], [0.2, 0.8], None)
    assert document.cross_fitted_log_loss == {"isotonic": 0.6, "platt": 0.7}
    beta = describe_calibrator(calibrated(Calibration("beta", 1.5, 0.5, 0.1)), seen)
    assert (beta.slope, beta.slope_down, beta.intercept) == (1.5, 0.5, 0.1)


@pytest.mark.parametrize(("p_up", "is_profitable"), [(0.5, False), (0.6, False), (0.7, True)])
def test_a_threshold_is_profitable_only_with_money_left_after_costs(
    seen: pd.DataFrame, p_up: float, is_profitable: bool
) -> None:
    assert describe_threshold(Optimum(p_up, CHOICES, p_up, p_up), TRADING, seen).is_profitable is is_profitable


def test_a_signal_is_a_probability_that_reaches_the_threshold(seen: pd.DataFrame) -> None:
    table = predictions_table(seen, 0.55, abstains=False, is_traded=True)
    assert not PREDICTIONS.problems(table, "predictions")
    assert table["has_signal"].to_pylist() == [False, False, True, True, True]
    for name in ("p_up", "p_up_raw", "member_spread", "disagreement"):
        assert table[name].to_pylist() == seen[name].tolist()
    assert table["confidence"].to_pylist() == pytest.approx([0.55, 0.5499, 0.55, 0.56, 0.7])
    assert table["may_be_up"].to_pylist() == [None, None, True, True, None]


def test_who_abstains_keeps_signals_whose_set_is_up_alone_or_unknown(seen: pd.DataFrame) -> None:
    table = predictions_table(seen, 0.55, abstains=True, is_traded=True)
    assert table["has_signal"].to_pylist() == [False, False, True, False, True]


def test_a_head_that_is_not_traded_has_no_signals(seen: pd.DataFrame) -> None:
    table = predictions_table(seen, 0.5, abstains=False, is_traded=False)
    assert not any(table["has_signal"].to_pylist())


def test_values_stand_beside_probabilities_and_an_interval_without_ends_is_null(seen: pd.DataFrame) -> None:
    foretold = seen.assign(predicted_value=[0.1, 0.2, 0.3, 0.4, 0.5], value_low=[np.nan] * 4 + [-1.0], value_high=2.0)
    table = predictions_table(foretold, 0.55, abstains=False, is_traded=True)
    assert not PREDICTIONS.problems(table, "predictions")
    assert table["predicted_value"].to_pylist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert table["value_low"].to_pylist() == [None] * 4 + [-1.0]
    assert predictions_table(seen, 0.55, abstains=False, is_traded=True)["predicted_value"].null_count == 5
    sets, widths = Conformal(0.1, 0.0, (-1.0, 1.0)), Conformal(0.1, 0.0, (-1.0, 2.5, np.inf))
    assert describe_conformal(sets, widths, seen).value_quantiles == [-1.0, 2.5, None]
    line = describe_calibrator(calibrated(Calibration("identity"), ValueLine(0.5, 0.1, 2.0)), seen).value
    assert line == ValueMap(slope=0.5, intercept=0.1, spread=2.0)
