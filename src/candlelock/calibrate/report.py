"""What calibration leaves behind: the documents of the bundle, each with the rows it saw, and the final predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from candlelock.contracts.documents import Calibrator, Stack, Threshold, utc_text
from candlelock.contracts.tables import TIME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from candlelock.calibrate.calibrator import Calibration
    from candlelock.calibrate.stack import StackWeights
    from candlelock.contracts.documents import ThresholdChoice


def describe_stack(stack: StackWeights, seen: pd.DataFrame) -> Stack:
    """The stack and the out-of-fold rows it was fitted on."""
    last = utc_text(seen["label_end_ms"].max())
    return Stack(weights=dict(stack.weights), intercept=stack.intercept, n_rows=len(seen), last_label_end_utc=last)


def describe_calibrator(calibration: Calibration, losses: Mapping[str, float], seen: pd.DataFrame) -> Calibrator:
    """The calibrator, what each method would have lost, and the rows it was fitted on."""
    return Calibrator(
        method=calibration.method,
        slope=calibration.slope,
        intercept=calibration.intercept,
        knots_x=None if calibration.knots_x is None else list(calibration.knots_x),
        knots_y=None if calibration.knots_y is None else list(calibration.knots_y),
        cross_fitted_log_loss=dict(losses),
        n_rows=len(seen),
        first_decision_utc=utc_text(seen["decision_time_ms"].min()),
        last_label_end_utc=utc_text(seen["label_end_ms"].max()),
    )


def describe_threshold(
    p_up: float, choices: Sequence[ThresholdChoice], cost_bps: float, seen: pd.DataFrame
) -> Threshold:
    """The threshold, every candidate's profit, and the rows it was chosen on."""
    chosen = next(choice for choice in choices if choice.p_up == p_up)
    return Threshold(
        p_up=p_up,
        is_profitable=chosen.net_profit_bps > 0,
        round_trip_cost_bps=cost_bps,
        candidates=list(choices),
        n_rows=len(seen),
        first_decision_utc=utc_text(seen["decision_time_ms"].min()),
        last_label_end_utc=utc_text(seen["label_end_ms"].max()),
    )


def predictions_table(rows: pd.DataFrame, threshold: float) -> pa.Table:
    """The PREDICTIONS table of rows with p_up_raw and p_up, labelled or not."""
    return pa.table(
        {
            "symbol": pa.array(rows["symbol"], pa.string()),
            "open_time_utc": pa.array(rows["open_time_ms"].to_numpy()).cast(TIME),
            "segment": pa.array(rows["segment"], pa.string()),
            "p_up_raw": pa.array(rows["p_up_raw"].to_numpy()),
            "p_up": pa.array(rows["p_up"].to_numpy()),
            "has_signal": pa.array(rows["p_up"].to_numpy() >= threshold),
        }
    )
