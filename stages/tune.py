"""Search better settings for each learner that has a search space, on the train folds only."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, fit_ledger, seeds, tables
from candlelock.contracts import files
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.select_documents import SelectionReport
from candlelock.contracts.study_documents import StudyReport
from candlelock.contracts.tables import FITS
from candlelock.select.transform import compile_report
from candlelock.split.joined import read_matrix
from candlelock.terminal import progress
from candlelock.train import paths, study_file
from candlelock.train.members import fold_samples, folds_of, sample_of, time_order
from candlelock.train.search import SearchRows, SearchTask, search_all
from candlelock.train.search_report import history_table, study_text
from candlelock.train.weights import weigh

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """data/features, data/split, the folds' selections -> reports/<head>/study.json, plots/search.csv, data/fits."""
    rows, x, names = read_matrix(Path(), head, params.features)
    own, order = files.HeadFiles(head), time_order(rows)
    n_groups, weights = params.tune.path_groups(params.train.members), params.train.weights
    timed, sample = rows.iloc[order], sample_of(rows, x).take(order)
    embargo_ms = 1000 * bar_seconds(params.snapshot.timeframe) * params.split.embargo_bars
    folds, along = folds_of(timed, embargo_ms), paths.cut_paths(timed, sample, n_groups, embargo_ms, weights)
    selections = compile_report(documents.read(own.report("selection.json"), SelectionReport), names, len(folds))
    weighed = fold_samples(sample, folds, selections.folds, lambda mask: weigh(timed[mask], weights))
    samples = SearchRows(weighed, rows["open_time_ms"].to_numpy(), along)
    tasks, fits, say = {}, fit_ledger.FitLedger(), functools.partial(print, flush=True)
    for name, space in params.tune.spaces(params.train.members).items():
        seed, start = seeds.derive(params.seed, f"tune/{head}/{name}"), getattr(params.train, name)
        tasks[name] = SearchTask(head, name, start, space, params.tune, seed, params.threads, params.train.device)
    with study_file.study_files(files.SEARCHES / head) as open_file, progress.telling("tune", "trials", say) as tell:
        studies = search_all(tasks, samples, fits, open_file, tell, time.monotonic)
        for name, study in studies.items():
            say(f"tune: {name} {study_text(study)}")
        tables.write(own.fits("tune"), fits.table(), FITS)
        atomic.write_bytes(own.plot("search"), tables.csv_bytes(history_table(studies)))
        documents.write(own.report("study.json"), StudyReport(studies=studies))
