"""Run the whole flow on markets of which it is known whether there is anything to know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import documents, seeds
from candlelock.audit.controls import run_controls
from candlelock.contracts import files
from candlelock.contracts.params import bar_seconds
from candlelock.snapshot import candles
from candlelock.terminal import progress
from stages import backtest, calibrate, evaluate, features, select, snapshot, split, train, tune

if TYPE_CHECKING:
    from candlelock.contracts.params import Params

FLOW = (snapshot, features, split, select, tune, train, calibrate, evaluate, backtest)  # that the controls run


def run(params: Params) -> None:
    """data/snapshot, features.yml, plugins, the code of the flow -> reports/controls.json."""
    manifest, frames = candles.read(files.SNAPSHOT)
    bar_ms, seed = 1000 * bar_seconds(manifest.timeframe), seeds.derive(params.seed, "controls")
    with progress.showing("controls", "markets") as show:
        report = run_controls(Path(), params, frames, bar_ms, seed, show)
    documents.write(files.CONTROLS_REPORT, report)
    for control in report.controls:
        print(
            f"controls: {control.name}: {control.verdict}, AUC {control.auc_roc:.4f}, Sharpe {control.sharpe or 0:.2f}"
        )
