"""What calibration leaves behind: the documents of the bundle, each with the rows it saw, and the final predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts import documents
from candlelock.contracts.documents import utc_text
from candlelock.contracts.tables import TIME

if TYPE_CHECKING:
    import pandas as pd

    from candlelock.calibrate.combine import Combined
    from candlelock.calibrate.conformal import Array, Conformal, Mask
    from candlelock.calibrate.threshold import Optimum, Trading


def describe_ensemble(combined: Combined, seen: pd.DataFrame) -> documents.Stack:
    """The ensemble, who is used, and the out-of-fold rows the weights were fitted on: none where they are given."""
    return documents.Stack(
        kind=combined.ensemble.kind,
        weights=dict(combined.ensemble.weights),
        used=combined.used,
        comparison=combined.comparison,
        n_rows=len(seen),
        last_label_end_utc=utc_text(seen["label_end_ms"].max()) if len(seen) else None,
    )


def describe_calibrator(combined: Combined, seen: pd.DataFrame) -> documents.Calibrator:
    """The calibrator, what each method would have lost, and the rows it was fitted on."""
    fitted = combined.choice.calibration
    return documents.Calibrator(
        method=fitted.method,
        slope=fitted.slope,
        slope_down=fitted.slope_down,
        intercept=fitted.intercept,
        knots_x=None if fitted.knots_x is None else list(fitted.knots_x),
        knots_y=None if fitted.knots_y is None else list(fitted.knots_y),
        cross_fitted_log_loss=dict(combined.choice.losses),
        value=None if combined.line is None else documents.ValueMap(**vars(combined.line)),
        **_seen(seen),
    )


def describe_conformal(conformal: Conformal, intervals: Conformal | None, seen: pd.DataFrame) -> documents.Conformal:
    """The conformal sets, a head's intervals of values, and the rows whose scores they rest on."""
    widths = None if intervals is None else [None if np.isinf(width) else width for width in intervals.quantiles]
    return documents.Conformal(
        alpha=conformal.alpha,
        gamma=conformal.gamma,
        quantiles=list(conformal.quantiles),
        value_quantiles=widths,
        **_seen(seen),
    )


def describe_threshold(optimum: Optimum, trading: Trading, seen: pd.DataFrame) -> documents.Threshold:
    """The threshold, every candidate's figures, and the rows it was chosen on."""
    chosen = next(choice for choice in optimum.choices if choice.p_up == optimum.p_up)
    return documents.Threshold(
        p_up=optimum.p_up,
        p_up_low=optimum.low,
        p_up_high=optimum.high,
        goal=trading.goal,
        is_profitable=chosen.net_profit_bps > 0,
        round_trip_cost_bps=trading.cost_bps,
        candidates=optimum.choices,
        **_seen(seen),
    )


def _seen(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "n_rows": len(rows),
        "first_decision_utc": utc_text(rows["decision_time_ms"].min()),
        "last_label_end_utc": utc_text(rows["label_end_ms"].max()),
    }


def predictions_table(rows: pd.DataFrame, threshold: float, *, abstains: bool, is_traded: bool) -> pa.Table:
    """The PREDICTIONS table of rows with p_up, what stands beside it and conformal sets, labelled or not."""
    p_up, unknown = rows["p_up"].to_numpy(), np.full(len(rows), np.nan)
    values = {name: np.asarray(rows.get(name, unknown)) for name in ("predicted_value", "value_low", "value_high")}
    up, down = (pa.array(rows[name], pa.bool_()) for name in ("may_be_up", "may_be_down"))
    return pa.table(
        {
            "symbol": pa.array(rows["symbol"], pa.string()),
            "open_time_utc": pa.array(rows["open_time_ms"].to_numpy()).cast(TIME),
            "segment": pa.array(rows["segment"], pa.string()),
            "p_up_raw": pa.array(rows["p_up_raw"].to_numpy()),
            "p_up": pa.array(p_up),
            "confidence": pa.array(np.maximum(p_up, 1 - p_up)),
            "member_spread": pa.array(rows["member_spread"].to_numpy()),
            "disagreement": pa.array(rows["disagreement"].to_numpy()),
            "may_be_up": up,
            "may_be_down": down,
            **{name: pa.array(value, from_pandas=True) for name, value in values.items()},
            "has_signal": pa.array(is_traded & find_signals(p_up, up, down, threshold, abstains)),
        }
    )


def find_signals(p_up: Array, may_be_up: pa.Array, may_be_down: pa.Array, threshold: float, abstains: bool) -> Mask:
    """Whether each row has a signal; `abstains`: none where the conformal set is known and not up alone."""
    reached = p_up >= threshold
    if not abstains:
        return reached
    is_up_alone = pc.fill_null(pc.and_not(may_be_up, may_be_down), True)
    return np.asarray(reached & is_up_alone.to_numpy(zero_copy_only=False))
