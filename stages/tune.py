"""Search better settings for each learner that has a search space, on the train folds only."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import documents, seeds, tables
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts import files
from candlelock.contracts.documents import StudyReport
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.select_documents import SelectionReport
from candlelock.contracts.tables import FITS
from candlelock.select.transform import compile_report
from candlelock.split.joined import read_matrix
from candlelock.train.learner import Sample
from candlelock.train.members import fold_samples, folds_of, time_order
from candlelock.train.search import SearchTask, search
from candlelock.train.weights import weigh

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """data/features, data/split, the folds' selections -> reports/<head>/study.json, data/fits."""
    own = files.HeadFiles(head)
    rows, x, names = read_matrix(Path(), head, params.features)
    order = time_order(rows)
    rows, sample = rows.iloc[order], Sample(x[order], rows["is_up"].to_numpy()[order], order)
    folds = folds_of(rows, 1000 * bar_seconds(params.snapshot.timeframe) * params.split.embargo_bars)
    selections = compile_report(documents.read(own.report("selection.json"), SelectionReport), names, len(folds))
    samples = fold_samples(sample, folds, selections.folds, lambda mask: weigh(rows[mask], params.train.weights))
    studies, fits = {}, FitLedger()
    for name in params.train.members:
        if name not in params.tune.space:
            continue
        space, seed = params.tune.space[name], seeds.derive(params.seed, f"tune/{head}/{name}")
        task = SearchTask(name, space, params.tune.n_trials, seed, params.threads)
        studies[name] = search(task, samples, params.train, fits, functools.partial(_tell, task))
    documents.write(own.report("study.json"), StudyReport(studies=studies))
    tables.write(own.fits("tune"), fits.table(), FITS)


def _tell(task: SearchTask, number: int, loss: float) -> None:
    print(f"tune {task.name}: trial {number + 1}/{task.n_trials} log loss {loss:.6f}", flush=True)
