"""Everything between member probabilities and signals, each part fitted on rows the part before has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from candlelock.calibrate.calibrator import choose_calibration
from candlelock.calibrate.report import describe_calibrator, describe_stack, describe_threshold, predictions_table
from candlelock.calibrate.stack import apply_stack, fit_stack
from candlelock.calibrate.threshold import optimize_threshold

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.contracts.documents import Calibrator, Stack, Threshold
    from candlelock.contracts.stage_params import CalibrateParams


@dataclass(frozen=True)
class Calibrated:
    """The documents of the bundle and the PREDICTIONS table of all rows after train."""

    stack: Stack
    calibrator: Calibrator
    threshold: Threshold
    predictions: pa.Table


def calibrate_members(
    rows: pd.DataFrame, params: CalibrateParams, horizon_ms: int, cost_bps: float, fits: FitLedger
) -> Calibrated:
    """Stack on labelled train rows (out of fold), calibrate on calibrate, choose the threshold on decide.

    `rows`: the split joined with `p_up_<member>` of the members alone, as `split.joined.read_member_predictions` gives
    it. `cost_bps` is that of a round trip.
    """
    rows = rows.copy()
    is_labelled = rows["is_up"].notna()
    train, calibrate = (is_labelled & (rows["segment"] == name) for name in ("train", "calibrate"))
    members = {name: rows[f"p_up_{name}"].to_numpy() for name in _members(rows)}
    own = {name: p[train] for name, p in members.items()}
    number = rows["row"].to_numpy()
    fits.note("stack", "fit", number[train])
    stack = fit_stack(own, rows["is_up"][train].to_numpy(), params.stack_l2)
    rows["p_up_raw"] = apply_stack(stack, members)
    seen = rows[calibrate]
    raw, is_up, times = (seen[name].to_numpy() for name in ("p_up_raw", "is_up", "open_time_ms"))
    fits.note("calibrator", "fit", seen["row"].to_numpy())
    fits.note("calibrator", "choose", seen["row"].to_numpy())
    calibration, losses = choose_calibration(params.methods, raw, is_up, times)
    rows["p_up"] = calibration.apply(rows["p_up_raw"].to_numpy())
    decide = rows[rows["segment"] == "decide"]
    fits.note("threshold", "choose", decide["row"].to_numpy())
    threshold, choices = optimize_threshold(decide, horizon_ms, cost_bps, params.min_trades)
    later = rows[rows["segment"] != "train"]
    fits.note("calibrator", "predict", later["row"].to_numpy())
    return Calibrated(
        describe_stack(stack, rows[train]),
        describe_calibrator(calibration, losses, seen),
        describe_threshold(threshold, choices, cost_bps, decide),
        predictions_table(later, threshold),
    )


def _members(rows: pd.DataFrame) -> list[str]:
    return [name.removeprefix("p_up_") for name in rows.columns if name.startswith("p_up_")]
