"""Label every head, and cut time into segments and folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts import tables
from candlelock.contracts import files
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.tables import ROWS
from candlelock.features.market import align
from candlelock.snapshot import candles
from candlelock.split.labels import label
from candlelock.split.rows import to_table
from candlelock.split.segments import assign

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params) -> None:
    """data/snapshot -> data/split/<head>/rows.parquet."""
    manifest, frames = candles.read(files.SNAPSHOT)
    market, cut = align(frames, 1000 * bar_seconds(manifest.timeframe)), params.split
    splits = {}
    for name, head in params.heads.items():
        splits[name] = assign(label(market, head, cut.min_history_bars), cut, market.bar_ms)
    for name, rows in splits.items():
        tables.write(files.HeadFiles(name).rows, to_table(rows), ROWS)
        print(f"split: {name}, {len(rows):,} rows, {int(rows['segment'].notna().sum()):,} of them in a segment")
