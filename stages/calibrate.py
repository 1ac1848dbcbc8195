"""Stack the members, calibrate, choose the threshold: each on rows the step before has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import documents, tables
from candlelock.calibrate.calibrator import choose_calibration
from candlelock.calibrate.report import describe_calibrator, describe_stack, describe_threshold, predictions_table
from candlelock.calibrate.stack import apply_stack, fit_stack
from candlelock.calibrate.threshold import optimize_threshold
from candlelock.contracts import files
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.tables import MEMBERS, PREDICTIONS
from candlelock.split.joined import read_member_predictions

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """members.parquet, data/split -> models/<head>/{stack,calibrator,threshold}.json, calibrated.parquet."""
    own, horizon_ms = (
        files.HeadFiles(head),
        1000 * bar_seconds(params.snapshot.timeframe) * params.heads[head].horizon_bars,
    )
    rows = read_member_predictions(Path(), head)
    is_labelled = rows["is_up"].notna()
    train, calibrate = (is_labelled & (rows["segment"] == name) for name in ("train", "calibrate"))

    members = {name: rows[f"p_up_{name}"].to_numpy() for name in MEMBERS}
    stack = fit_stack(
        {name: p[train] for name, p in members.items()}, rows["is_up"][train].to_numpy(), params.calibrate.stack_l2
    )
    rows["p_up_raw"] = apply_stack(stack, members)
    seen = rows[calibrate]
    calibration, losses = choose_calibration(
        params.calibrate.methods, seen["p_up_raw"].to_numpy(), seen["is_up"].to_numpy(), seen["open_time_ms"].to_numpy()
    )
    rows["p_up"] = calibration.apply(rows["p_up_raw"].to_numpy())
    decide = rows[rows["segment"] == "decide"]
    cost_bps = 2 * (params.backtest.fee_bps + params.backtest.slippage_bps)
    threshold, choices = optimize_threshold(decide, horizon_ms, cost_bps, params.calibrate.min_trades)

    documents.write(own.models / "stack.json", describe_stack(stack, rows[train]))
    documents.write(own.models / "calibrator.json", describe_calibrator(calibration, losses, seen))
    documents.write(own.models / "threshold.json", describe_threshold(threshold, choices, cost_bps, decide))
    tables.write(own.predictions, predictions_table(rows[rows["segment"] != "train"], threshold), PREDICTIONS)
    print(f"calibrate: {calibration.method}, buy from p_up {threshold:.2f}")
