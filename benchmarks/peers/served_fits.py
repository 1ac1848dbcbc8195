"""What one fit of the served members costs, beside a peer that makes no other."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from candlelock.artifacts import documents, seeds, user_files
from candlelock.contracts import files
from candlelock.contracts.select_documents import SelectionReport
from candlelock.contracts.training_documents import TrainingReport
from candlelock.select.transform import compile_report
from candlelock.split.joined import read_matrix
from candlelock.split.segments import before_test, n_folds
from candlelock.train.members import Task, fit_member, sample_of

if TYPE_CHECKING:
    from pathlib import Path


def fit_seconds(project: Path, head: str) -> float:
    """CPU seconds of training what a built project serves, again, on the rows and for the rounds of its report.

    Features, selection, search, folds and how long to train are there already.
    """
    params, own = user_files.read_params(project), files.HeadFiles(head)
    report = documents.read(project / own.report("training.json"), TrainingReport)
    rows, x, names = read_matrix(project, head, params.features)
    found = documents.read(project / own.report("selection.json"), SelectionReport)
    selection = compile_report(found, names, n_folds(rows)).final
    sample = replace(sample_of(rows, x), x=selection.apply(x), names=selection.outputs)
    before = before_test(rows)
    is_train = before & (rows["segment"] == "train").to_numpy(dtype=bool)
    began = time.process_time()
    for name in params.train.members:
        member = report.members[name]
        trains, rounds = (before, member.refit.n_rounds) if member.refit else (is_train, member.n_rounds)
        settings = type(getattr(params.train, name)).model_validate(member.hyperparameters)
        seed = seeds.derive(params.seed, f"train/{head}/{name}")
        task = Task(name, head, params.train, settings, 0, seed, params.threads, "refit")
        fit_member(task, sample, rows, trains, rounds, lambda *_: None)
    return time.process_time() - began
