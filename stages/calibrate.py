"""Combine the members, calibrate, fit sets, choose the threshold: each on rows the step before has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import documents, seeds, tables
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.calibrate.fit import Terms, calibrate_members
from candlelock.contracts import files
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.tables import FITS, PREDICTIONS
from candlelock.split.joined import read_member_predictions

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """members.parquet, data/split -> stack, calibrator, conformal and threshold.json, calibrated.parquet, data/fits."""
    own = files.HeadFiles(head)
    horizon_ms = 1000 * bar_seconds(params.snapshot.timeframe) * params.heads[head].horizon_bars
    fits, rows = FitLedger(), read_member_predictions(Path(), head, params.train.members)
    trading, seed = params.backtest, seeds.derive(params.seed, f"calibrate/{head}")
    terms = Terms(horizon_ms, trading.round_trip_bps, seed, params.heads[head].is_traded)
    fitted = calibrate_members(rows, params.train.members, params.calibrate, terms, fits)
    documents.write(own.models / "stack.json", fitted.stack)
    documents.write(own.models / "calibrator.json", fitted.calibrator)
    documents.write(own.models / "conformal.json", fitted.conformal)
    documents.write(own.models / "threshold.json", fitted.threshold)
    tables.write(own.predictions, fitted.predictions, PREDICTIONS)
    tables.write(own.fits("calibrate"), fits.table(), FITS)
    buys = f"buy from p_up {fitted.threshold.p_up:.2f}" if terms.is_traded else "not traded"
    print(f"calibrate: {fitted.stack.used}, {fitted.calibrator.method}, {buys}")
