"""Label every head, cut time into segments and folds, and check for leaks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import documents, tables, user_files
from candlelock.contracts import files
from candlelock.contracts.causality_documents import CausalityReport
from candlelock.contracts.documents import LeakageReport
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.tables import ROWS
from candlelock.features.audit import disagreements
from candlelock.features.market import align
from candlelock.snapshot import candles
from candlelock.split import guard
from candlelock.split.joined import read_feature_tables
from candlelock.split.labels import label_direction
from candlelock.split.rows import feature_matrix, to_table
from candlelock.split.segments import assign

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params) -> None:
    """data/snapshot, data/features, reports/causality.json -> data/split/<head>/rows.parquet, reports/leakage.json."""
    manifest, frames = candles.read(files.SNAPSHOT)
    market, cut = align(frames, 1000 * bar_seconds(manifest.timeframe)), params.split
    entries = user_files.read_registry(Path(), params.features)
    built = read_feature_tables(Path(), params.features)
    splits = {}
    for name, head in params.heads.items():
        labels = label_direction(market, head.horizon_bars, cut.min_history_bars)
        splits[name] = assign(labels, cut, market.bar_ms)
    rows = next(iter(splits.values()))
    matrix, ahead = feature_matrix(rows, built), rows["future_return"].to_numpy()
    certificate = documents.read(files.CAUSALITY_REPORT, CausalityReport)
    report = LeakageReport(
        future_info=guard.check_future_info(certificate, manifest.snapshot_id, [entry.name for entry in entries]),
        feature_audit=guard.check_feature_audit(disagreements(built, entries, market.bar_ms), *matrix, ahead),
        time_split={name: guard.check_time_split(it, cut.embargo_bars * market.bar_ms) for name, it in splits.items()},
    )
    for name, split in splits.items():
        tables.write(files.HeadFiles(name).rows, to_table(split), ROWS)
    documents.write(files.LEAKAGE_REPORT, report)
    checks = [report.future_info, report.feature_audit, *report.time_split.values()]
    print(f"split: {len(rows):,} rows; leakage checks passed: {sum(each.passed for each in checks)} of {len(checks)}")
