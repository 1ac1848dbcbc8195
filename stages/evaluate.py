"""Score the test segment once, beside every baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, seeds
from candlelock.contracts import files
from candlelock.contracts.documents import TrainingReport
from candlelock.evaluate.bootstrap import draw_blocks
from candlelock.evaluate.curves import reliability_curve, roc_curve
from candlelock.evaluate.report import evaluate, headline
from candlelock.split.joined import read_test_rows

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """calibrated.parquet, members.parquet, data/split -> evaluation.json, metrics.json, plots."""
    own, seed = files.HeadFiles(head), seeds.derive(params.seed, f"evaluate/{head}")
    training = documents.read(own.report("training.json"), TrainingReport)
    rows = read_test_rows(Path(), head)
    report = evaluate(rows, training.n_up / training.n_rows, params.evaluate, seed)
    y, p = rows["is_up"].to_numpy(), rows["p_up"].to_numpy()
    blocks = draw_blocks(rows["open_time_ms"].to_numpy(), params.evaluate, seed)
    plots = {"roc": roc_curve(y, p), "reliability": reliability_curve(y, p, blocks, params.evaluate.n_calibration_bins)}
    for name, plot in plots.items():
        atomic.write_bytes(own.plot(name), plot.to_csv(index=False, lineterminator="\n").encode())
    documents.write(own.report("evaluation.json"), report)
    documents.write(own.report("metrics.json"), headline(report))
    auc, lift = report.metrics["auc_roc"], report.lift_over_best_rule_pp
    skill = f"AUC {auc.value:.4f} [{auc.low:.4f}, {auc.high:.4f}]"
    print(f"evaluate: {skill}, {lift.value:+.2f} points over {report.best_rule}")
