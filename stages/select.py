"""Choose and scale features on training rows alone: once for every walk-forward fold, and once on all of train."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import documents, seeds, tables
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts import files
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.tables import FITS
from candlelock.select.fit import fit_selections
from candlelock.split.joined import read_matrix
from candlelock.train.importance import find_gains

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """data/features, data/split -> models/<head>/selection.json, reports/<head>/selection.json, data/fits."""
    own = files.HeadFiles(head)
    rows, x, names = read_matrix(Path(), head, params.features)
    embargo_ms = 1000 * bar_seconds(params.snapshot.timeframe) * params.split.embargo_bars
    gains = functools.partial(find_gains, seed=seeds.derive(params.seed, f"select/{head}"), threads=params.threads)
    fits = FitLedger()
    report = fit_selections(rows, x, names, params.select, embargo_ms, gains, fits)
    documents.write(own.models / "selection.json", report.final)
    documents.write(own.report("selection.json"), report)
    tables.write(own.fits("select"), fits.table(), FITS)
    n_folds = ", ".join(str(len(fold.outputs)) for fold in report.folds)
    print(f"select: {len(report.final.outputs)} columns of {len(names)} features; in the folds {n_folds}")
