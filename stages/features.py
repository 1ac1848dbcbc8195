"""Build every enabled feature from the snapshot; refuse a table that disagrees with the registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, tables, user_files
from candlelock.contracts import files
from candlelock.contracts.documents import FeatureReport
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.registry import table_schema
from candlelock.features.audit import refuse_disagreement, summarise
from candlelock.features.build import build_tables
from candlelock.features.market import align
from candlelock.snapshot import candles

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params) -> None:
    """data/snapshot -> data/features, reports/features.json."""
    entries = user_files.read_registry(Path(), params.features.groups)
    manifest, frames = candles.read(files.SNAPSHOT)
    market = align(frames, 1000 * bar_seconds(manifest.timeframe))
    per_symbol = build_tables(market, entries)
    refuse_disagreement(per_symbol, entries)
    with atomic.replacing_folder(files.FEATURES) as folder:
        for entry in manifest.symbols:
            tables.write(folder / entry.file, per_symbol[entry.symbol], table_schema(entries))
    n_rows = sum(table.num_rows for table in per_symbol.values())
    summaries = summarise(entries, per_symbol)
    documents.write(
        files.FEATURE_REPORT, FeatureReport(snapshot_id=manifest.snapshot_id, n_rows=n_rows, features=summaries)
    )
    print(f"features: {len(entries)} features of {n_rows:,} candles")
