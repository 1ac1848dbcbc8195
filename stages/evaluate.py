"""Score the test segment once, beside every baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, seeds, tables
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts import files
from candlelock.contracts.leakage_documents import TestReads
from candlelock.contracts.tables import FITS
from candlelock.contracts.training_documents import TrainingReport
from candlelock.evaluate.curves import evaluation_curves
from candlelock.evaluate.report import evaluate, headline
from candlelock.evaluate.test_reads import add_read
from candlelock.split.joined import read_test_rows

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """calibrated.parquet, members.parquet, data/split -> evaluation.json, metrics.json, plots, data/fits, ledger."""
    own, seed = files.HeadFiles(head), seeds.derive(params.seed, f"evaluate/{head}")
    training = documents.read(own.report("training.json"), TrainingReport)
    rows = read_test_rows(Path(), head, params.train.members)
    share, unit = training.n_up / training.n_rows, params.heads[head].unit
    report = evaluate(rows, share, params.evaluate, seed, unit=unit, train_mean=training.mean_value)
    for name, plot in evaluation_curves(rows, params.evaluate, seed).items():
        atomic.write_bytes(own.plot(name), tables.csv_bytes(plot))
    fits = FitLedger()
    fits.note("evaluation", "judge", rows["row"].to_numpy())
    tables.write(own.fits("evaluate"), fits.table(), FITS)
    before = documents.read(own.test_reads, TestReads) if own.test_reads.is_file() else TestReads(reads=[])
    documents.write(own.test_reads, add_read(before, rows))
    documents.write(own.report("evaluation.json"), report)
    documents.write(own.report("metrics.json"), headline(report))
    auc, lift = report.metrics["auc_roc"], report.lift_over_best_rule_pp
    skill = f"AUC {auc.value:.4f} [{auc.low:.4f}, {auc.high:.4f}]"
    print(f"evaluate: {skill}, {lift.value:+.2f} points over {report.best_rule}")
    if report.values is not None:
        r2, saved = report.values.metrics["r2"], report.values.metrics["skill"]
        over = f"{saved.value:.4f} [{saved.low:.4f}, {saved.high:.4f}] of the error of {report.values.best_baseline}"
        print(f"evaluate: values R² {r2.value:.4f} [{r2.low:.4f}, {r2.high:.4f}], saves {over}")
