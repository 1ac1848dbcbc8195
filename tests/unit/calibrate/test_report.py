"""The documents of the bundle name the rows they were fitted on; the table keeps the threshold's signals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from candlelock.calibrate.calibrator import Calibration
from candlelock.calibrate.report import describe_calibrator, describe_stack, describe_threshold, predictions_table
from candlelock.calibrate.stack import StackWeights
from candlelock.contracts.documents import ThresholdChoice
from candlelock.contracts.tables import PREDICTIONS

HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
CHOICES = [
    ThresholdChoice(p_up=0.5, n_trades=9, net_profit_bps=-4.0),
    ThresholdChoice(p_up=0.6, n_trades=3, net_profit_bps=0.0),
    ThresholdChoice(p_up=0.7, n_trades=2, net_profit_bps=0.5),
]


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
        }
    )


def test_documents_name_first_decision_and_last_label_end(seen: pd.DataFrame) -> None:
    stack = describe_stack(StackWeights({"a": 1.5}, 0.25), seen)
    line = describe_calibrator(Calibration("platt", slope=2.0, intercept=0.5), {"platt": 0.6}, seen)
    threshold = describe_threshold(0.7, CHOICES, 24.0, seen)
    assert (stack.weights, stack.intercept) == ({"a": 1.5}, 0.25)
    assert (line.slope, line.intercept, line.knots_x, line.knots_y) == (2.0, 0.5, None, None)
    assert {document.n_rows for document in (stack, line, threshold)} == {5}
    assert {document.last_label_end_utc for document in (stack, line, threshold)} == {"2024-01-01T10:00:00Z"}
    assert line.first_decision_utc == threshold.first_decision_utc == "2024-01-01T03:00:00Z"


def test_isotonic_knots_are_kept_as_they_are(seen: pd.DataFrame) -> None:
    knots = Calibration("isotonic", knots_x=(0.1, 0.9), knots_y=(0.2, 0.8))
    document = describe_calibrator(knots, {"isotonic": 0.6, "platt": 0.7}, seen)
    assert (document.knots_x, document.knots_y, document.slope) == ([0.1, 0.9], [0.2, 0.8], None)
    assert document.cross_fitted_log_loss == {"isotonic": 0.6, "platt": 0.7}


@pytest.mark.parametrize(("p_up", "is_profitable"), [(0.5, False), (0.6, False), (0.7, True)])
def test_a_threshold_is_profitable_only_with_money_left_after_costs(
    seen: pd.DataFrame, p_up: float, is_profitable: bool
) -> None:
    assert describe_threshold(p_up, CHOICES, 24.0, seen).is_profitable is is_profitable


def test_a_signal_is_a_probability_that_reaches_the_threshold(seen: pd.DataFrame) -> None:
    table = predictions_table(seen, 0.55)
    assert not PREDICTIONS.problems(table, "predictions")
    assert table["has_signal"].to_pylist() == [False, False, True, True, True]
    assert table["p_up"].to_pylist() == seen["p_up"].tolist()
    assert table["p_up_raw"].to_pylist() == seen["p_up_raw"].tolist()
