"""Try every feature for sight of the future, and of more past than it declares; a finding fails a gate, not the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import documents, seeds, tables, user_files
from candlelock.causality.certificate import Request, certify
from candlelock.causality.cuts import segment_ends
from candlelock.causality.subject import subject_of
from candlelock.contracts import files
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.registry import table_schema
from candlelock.features.market import align, with_books
from candlelock.features.plugins import load_plugins
from candlelock.orderbook import book_bars
from candlelock.snapshot import candles
from candlelock.terminal import progress

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params) -> None:
    """data/snapshot, data/features -> reports/causality.json."""
    entries, plugins = user_files.read_registry(Path(), params.features), load_plugins(Path(), params.features)
    manifest, frames = candles.read(files.SNAPSHOT)
    books = book_bars.read_all(files.ORDER_BOOKS, manifest.timeframe)
    market = with_books(align(frames, 1000 * bar_seconds(manifest.timeframe)), books)
    schema = table_schema(entries)
    built = {symbol.symbol: tables.read(files.FEATURES / symbol.file, schema) for symbol in manifest.symbols}
    ends = segment_ends(params.split.calibrate_frac, params.split.decide_frac, params.split.test_frac)
    seed = seeds.derive(params.seed, "causality")
    request = Request(params.causality, seed, ends, manifest.snapshot_id, built)
    with progress.showing("causality", "steps") as show:
        report = certify(subject_of(entries, plugins, market), market, request, show)
    documents.write(files.CAUSALITY_REPORT, report)
    n_passed, n_checks = sum(check.passed for check in report.checks), len(report.checks)
    print(f"causality: {len(entries)} features, {n_passed} of {n_checks} checks passed, {report.n_findings} findings")
