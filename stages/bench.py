"""Time single rows through the whole bundle. A measurement: its file differs from run to run and machine to machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import documents
from candlelock.contracts import files
from candlelock.evaluate.latency import measure_latency
from candlelock.serve.bundle import load_bundle
from candlelock.split.joined import read_matrix

if TYPE_CHECKING:
    from candlelock.contracts.params import Params

SERVING_THREADS = 1


def run(params: Params, head: str) -> None:
    """models/<head>, data/features, data/split -> latency.json."""
    own = files.HeadFiles(head)
    rows, x, _ = read_matrix(Path(), head, params.features)
    latest = x[(rows["segment"] == "test").to_numpy()][-(params.bench.n_rows + params.bench.n_warmup_rows) :]
    report = measure_latency(load_bundle(own.models).predict, latest, params.bench.n_warmup_rows, SERVING_THREADS)
    documents.write(own.report("latency.json"), report)
    print(f"bench: p50 {report.p50:.3f} ms, p95 {report.p95:.3f} ms over {report.samples} rows")
