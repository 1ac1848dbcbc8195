"""Say how far the figures of test can be told from luck, after every trial there was; keep the ledger of trials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import documents, seeds
from candlelock.contracts import files
from candlelock.contracts.documents import BacktestReport, EvaluationReport
from candlelock.contracts.leakage_documents import TestReads
from candlelock.contracts.study_documents import StudyReport
from candlelock.contracts.training_documents import TrainingReport
from candlelock.evaluate.figures import read_returns
from candlelock.evaluate.significance import assess
from candlelock.evaluate.test_reads import describe_read
from candlelock.evaluate.trial_ledger import batch_file, count_trials, find_records, join, new_batch, read_ledger
from candlelock.serve.incumbent import ask_incumbent
from candlelock.split.joined import read_test_rows

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """Predictions, split, back-test, study, ledger of reads, the model in use -> significance.json, trials."""
    own, seed = files.HeadFiles(head), seeds.derive(params.seed, f"significance/{head}")
    rows = read_test_rows(Path(), head, params.train.members)
    training = documents.read(own.report("training.json"), TrainingReport)
    study = documents.read(own.report("study.json"), StudyReport)
    reads = documents.read(own.test_reads, TestReads).reads
    returns = read_returns(own.plot("equity"), documents.read(own.report("backtest.json"), BacktestReport).capital)
    loss = documents.read(own.report("evaluation.json"), EvaluationReport).metrics["log_loss"].value
    known = read_ledger(own.trials)
    rules = params.backtest.of(params.heads[head])
    found = find_records(head, known, study, reads, describe_read(rows), rules, loss, returns)
    own.trials.mkdir(parents=True, exist_ok=True)
    if (batch := new_batch(known, found)) is not None:
        documents.write(own.trials / batch_file(batch), batch)
    trials = count_trials(join(known, found), len(returns))
    share = training.n_up / training.n_rows
    incumbent = ask_incumbent(Path(), head, params.features, rows)
    report = assess(rows, returns, trials, share, params.evaluate, seed, study, incumbent)
    documents.write(own.report("significance.json"), report)
    deflated = "no Sharpe" if report.sharpe is None else f"deflated Sharpe {report.sharpe.deflated:.4f}"
    print(f"significance: {deflated} after {trials.n_trials} trials, blocks of {report.block_length.hours} h")
