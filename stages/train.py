"""Train the members and the baseline; predict train rows out of fold and the later segments with the final models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, seeds, tables
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts import files
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.select_documents import SelectionReport
from candlelock.contracts.study_documents import StudyReport
from candlelock.contracts.tables import FITS, member_predictions, with_baselines
from candlelock.select.transform import compile_report
from candlelock.split.joined import read_matrix
from candlelock.split.segments import n_folds
from candlelock.train.members import Task, sample_of, settings_of, train_members
from candlelock.train.model_files import save_models
from candlelock.train.report import describe_training, importance_table, predict_rows

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """Features, split, selections, study -> models/<head>/members, members.parquet, data/fits, training.json …"""
    own = files.HeadFiles(head)
    study = documents.read(own.report("study.json"), StudyReport)
    rows, x, names = read_matrix(Path(), head, params.features)
    selections = compile_report(documents.read(own.report("selection.json"), SelectionReport), names, n_folds(rows))
    sample = sample_of(rows, x)
    embargo_ms = 1000 * bar_seconds(params.snapshot.timeframe) * params.split.embargo_bars
    tasks, fits = {}, FitLedger()
    for name in with_baselines(params.train.members):
        found = study.studies[name].best_parameters if name in study.studies else {}
        settings, seed = settings_of(name, params.train, found), seeds.derive(params.seed, f"train/{head}/{name}")
        tasks[name] = Task(name, head, params.train, settings, embargo_ms, seed, params.threads)
    trained = train_members(tasks, sample, rows, selections, fits)
    report = describe_training(tasks, trained, sample, rows, selections.final, fits)
    for name, it in report.members.items():
        print(f"train {name}: {it.n_rounds} rounds, out-of-fold loss {it.out_of_fold_loss:.6f}")
    with atomic.replacing_folder(own.member_models) as folder:
        save_models(folder, trained)
    answers = member_predictions(list(tasks), are_values=sample.is_value)
    tables.write(own.members, predict_rows(rows, x, selections.final, trained, fits), answers)
    tables.write(own.fits("train"), fits.table(), FITS)
    atomic.write_bytes(own.plot("importance"), tables.csv_bytes(importance_table(report)))
    documents.write(own.report("training.json"), report)
