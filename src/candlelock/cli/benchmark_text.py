"""A benchmark run as text: best model first, then what failed and what is worse than it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from candlelock.cli import output

if TYPE_CHECKING:
    from candlelock.contracts.benchmark_documents import BenchmarkReport, ModelBenchmark

HEADER = ("model", "log loss", "AUC", "accuracy", "F1", "Brier", "ECE", "p50 ms", "p95 ms", "since")


def print_report(report: BenchmarkReport) -> None:
    """Print it."""
    data = report.data
    typer.echo(f"{data.source}: {data.n_rows:,} rows, {data.share_up:.2%} up")
    typer.echo(f"best constant: accuracy {data.accuracy_best_constant:.4f}; always up: F1 {data.f1_always_up:.4f}\n")
    by_name = {one.model_name: one for one in report.benchmarks}
    if report.ranking:
        output.print_table(HEADER, [_line(by_name[name]) for name in report.ranking])
    for failure in report.failures:
        typer.echo(f"\nFAILED: {failure.model_name}")
        for problem in failure.problems:
            typer.echo(
                f"  [{problem.code}] {problem.place}\n  {problem.found}, expected {problem.expected}: {problem.help}"
            )
    for name, worse in sorted(report.regressions.items()):
        typer.echo(f"\nWORSE: {name}, than on {by_name[name].compared_with}")
        for one in worse:
            typer.echo(f"  {one.figure}  {output.plain(one.before)} -> {output.plain(one.now)}  {one.change_frac:+.1%}")
    summary = report.summary
    typer.echo(
        f"\n{summary.successful_benchmarks} of {summary.total_models} models benchmarked, "
        f"{summary.models_with_regressions} worse than before"
    )


def _line(one: ModelBenchmark) -> tuple[str, ...]:
    scores = (one.log_loss, one.auc_roc, one.accuracy, one.f1, one.brier, one.calibration_ece)
    latency = (one.latency_ms.p50, one.latency_ms.p95)
    since = one.compared_with or "—"
    note = "" if one.compared_with is None or one.is_latency_compared else ", other machine"
    return one.model_name, *(f"{value:.4f}" for value in (*scores, *latency)), f"{since}{note}"
