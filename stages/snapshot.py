"""Take candles from the source and publish them as an exact, hashed snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents
from candlelock.contracts import files
from candlelock.snapshot import candles as published
from candlelock.snapshot import quality, quality_page
from candlelock.snapshot.publication import publish
from candlelock.snapshot.sources import reading
from candlelock.terminal import progress

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params) -> None:
    """An exchange, files or the sample -> data/snapshot and the report of its quality."""
    wanted = params.snapshot
    with (
        progress.showing("candles", "bars") as show,
        reading(wanted, Path(), files.DOWNLOADS, show) as (candles, source),
    ):
        publish(files.SNAPSHOT, candles, source, wanted)
    manifest, tables = published.read_exact(files.SNAPSHOT)
    report = quality.report(tables, manifest, wanted.quality)
    atomic.write_bytes(files.QUALITY_PAGE, quality_page.render(report).encode())
    documents.write(files.QUALITY_REPORT, report)
    n_rows = sum(symbol.n_rows for symbol in manifest.symbols)
    n_missing = sum(symbol.n_missing_bars for symbol in manifest.symbols)
    size = f"{len(manifest.symbols)} symbols, {n_rows:,} candles, {n_missing} missing bars listed"
    print(f"snapshot {manifest.snapshot_id[:12]}: {size}")
