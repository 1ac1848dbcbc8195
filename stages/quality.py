"""Report what the snapshot's candles lack, repeat or overdo, as JSON and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents
from candlelock.contracts import files
from candlelock.snapshot import candles, quality, quality_page

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params) -> None:
    """data/snapshot -> reports/quality.json, reports/quality.html."""
    manifest, tables = candles.read_exact(files.SNAPSHOT)
    report = quality.report(tables, manifest, params.snapshot.quality)
    atomic.write_bytes(files.QUALITY_PAGE, quality_page.render(report).encode())
    documents.write(files.QUALITY_REPORT, report)
    n_gaps = sum(symbol.missing.n_gaps for symbol in report.symbols)
    n_outliers = sum(symbol.outliers.n_bars for symbol in report.symbols)
    print(f"quality: {n_gaps} gaps, {n_outliers} outliers; {files.QUALITY_PAGE}")
