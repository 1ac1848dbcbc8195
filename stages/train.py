"""Train the members and the baseline; predict train rows out of fold and the later segments with the final models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, seeds, tables
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts import files
from candlelock.contracts.documents import StudyReport
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.select_documents import SelectionReport
from candlelock.contracts.tables import BASELINES, FITS, MEMBER_PREDICTIONS, MEMBERS
from candlelock.select.transform import compile_report
from candlelock.split.joined import read_matrix
from candlelock.split.segments import n_folds
from candlelock.train.learner import Sample
from candlelock.train.members import Task, settings_of, train_member
from candlelock.train.report import describe_member, describe_training, importance_table, member_predictions

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """Features, split, selections, study -> models/<head>/<learner>.*, members.parquet, data/fits, training.json …"""
    own = files.HeadFiles(head)
    study = documents.read(own.report("study.json"), StudyReport)
    rows, x, names = read_matrix(Path(), head, params.features)
    selections = compile_report(documents.read(own.report("selection.json"), SelectionReport), names, n_folds(rows))
    sample = Sample(x, rows["is_up"].to_numpy(), rows.index.to_numpy())
    embargo_ms = 1000 * bar_seconds(params.snapshot.timeframe) * params.split.embargo_bars
    trained, described, fits = {}, {}, FitLedger()
    for name in (*MEMBERS, *BASELINES):
        found = study.studies[name].best_parameters if name in study.studies else {}
        seed = seeds.derive(params.seed, f"train/{head}/{name}")
        settings, tail_frac = settings_of(name, params.train, found), params.train.early_stop_frac
        task = Task(name, settings, tail_frac, embargo_ms, seed, params.threads)
        trained[name] = train_member(task, sample, rows, selections, fits)
        described[name] = it = describe_member(task, trained[name], rows, selections.final)
        print(f"train {name}: {it.n_rounds} rounds, out-of-fold log loss {it.out_of_fold_log_loss:.6f}", flush=True)
    for member in trained.values():
        for file_name, content in member.model.files().items():
            atomic.write_bytes(own.models / file_name, content)
    tables.write(own.members, member_predictions(rows, x, selections.final, trained, fits), MEMBER_PREDICTIONS)
    tables.write(own.fits("train"), fits.table(), FITS)
    report = describe_training(rows, described)
    atomic.write_bytes(own.plot("importance"), tables.csv_bytes(importance_table(report)))
    documents.write(own.report("training.json"), report)
