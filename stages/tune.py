"""Search better settings for each learner that has a search space, on the train folds only."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, seeds, tables
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts import files
from candlelock.contracts.documents import StudyReport
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.select_documents import SelectionReport
from candlelock.contracts.tables import FITS
from candlelock.select.transform import compile_report
from candlelock.split.joined import read_matrix
from candlelock.terminal import progress
from candlelock.train.learner import Sample
from candlelock.train.members import fold_samples, folds_of, time_order
from candlelock.train.search import SearchRows, SearchTask, search
from candlelock.train.search_report import history_table, study_text
from candlelock.train.study_file import study_files

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """data/features, data/split, the folds' selections -> reports/<head>/study.json, plots/search.csv, data/fits."""
    own = files.HeadFiles(head)
    rows, x, names = read_matrix(Path(), head, params.features)
    order = time_order(rows)
    sample = Sample(x[order], rows["is_up"].to_numpy()[order], order)
    folds = folds_of(rows.iloc[order], 1000 * bar_seconds(params.snapshot.timeframe) * params.split.embargo_bars)
    selections = compile_report(documents.read(own.report("selection.json"), SelectionReport), names, len(folds))
    samples = SearchRows(fold_samples(sample, folds, selections.folds), rows["open_time_ms"].to_numpy())
    studies, fits, say = {}, FitLedger(), functools.partial(print, flush=True)
    with study_files(files.SEARCHES / head) as open_file:
        for name in type(params.tune.space).model_fields:
            seed, start = seeds.derive(params.seed, f"tune/{head}/{name}"), getattr(params.train, name)
            task = SearchTask(head, name, start, getattr(params.tune.space, name), params.tune, seed, params.threads)
            with progress.telling(f"tune {name}", "trials", say) as tell:
                studies[name] = search(task, samples, fits, open_file, tell, time.monotonic)
            say(f"tune {name}: {study_text(studies[name])}")
        tables.write(own.fits("tune"), fits.table(), FITS)
        atomic.write_bytes(own.plot("search"), tables.csv_bytes(history_table(studies)))
        documents.write(own.report("study.json"), StudyReport(studies=studies))
