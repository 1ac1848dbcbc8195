"""Build every enabled feature from the snapshot; refuse a table that disagrees with the registry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents, tables, user_files
from candlelock.contracts import files
from candlelock.contracts.documents import FeatureReport
from candlelock.contracts.errors import raise_if
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.registry import table_schema
from candlelock.features.audit import refuse_disagreement, summarise
from candlelock.features.build import build_tables
from candlelock.features.market import align, with_books
from candlelock.features.plugins import load_plugins
from candlelock.features.validation import library_problems
from candlelock.orderbook import book_bars
from candlelock.snapshot import candles

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params) -> None:
    """data/snapshot -> data/features, reports/features.json."""
    entries = user_files.read_registry(Path(), params.features)
    manifest, frames = candles.read(files.SNAPSHOT)
    bar_ms = 1000 * bar_seconds(manifest.timeframe)
    raise_if(library_problems(files.REGISTRY, bar_ms))
    market = with_books(align(frames, bar_ms), book_bars.read_all(files.ORDER_BOOKS, manifest.timeframe))
    per_symbol = build_tables(market, entries, load_plugins(Path(), params.features), os.cpu_count() or 1)
    refuse_disagreement(per_symbol, entries, bar_ms)
    with atomic.replacing_folder(files.FEATURES) as folder:
        for entry in manifest.symbols:
            tables.write(folder / entry.file, per_symbol[entry.symbol], table_schema(entries))
    n_rows = sum(table.num_rows for table in per_symbol.values())
    report = FeatureReport(
        snapshot_id=manifest.snapshot_id,
        n_rows=n_rows,
        plugins=params.features.plugins,
        features=summarise(per_symbol, entries, bar_ms),
    )
    documents.write(files.FEATURE_REPORT, report)
    print(f"features: {len(entries)} features of {n_rows:,} candles")
