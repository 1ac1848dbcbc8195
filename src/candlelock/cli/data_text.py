"""What `candlelock data` prints of versions, differences and proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from candlelock.cli import output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from candlelock.audit.lineage import CardUse
    from candlelock.contracts.errors import Problem
    from candlelock.contracts.quality_documents import QualityReport
    from candlelock.contracts.snapshot_documents import Gap, Manifest, SymbolFile
    from candlelock.contracts.version_documents import (
        CandleProof,
        ListedCandle,
        RevisedCandle,
        SnapshotDifference,
        SymbolDifference,
        VersionRecord,
    )

MAX_LISTED = 10  # candles of each kind and symbol
SHORT = 12  # characters of an id


def version_json(manifest: Manifest, record: VersionRecord | None) -> dict[str, Any]:
    return {
        "manifest": manifest.model_dump(mode="json"),
        "record": record.model_dump(mode="json") if record else None,
        "n_rows": sum(entry.n_rows for entry in manifest.symbols),
        "n_missing_bars": sum(entry.n_missing_bars for entry in manifest.symbols),
    }


def uses_json(uses: Sequence[CardUse]) -> list[dict[str, Any]]:
    return [{**vars(use), "path": str(use.path)} for use in uses]


def print_list(found: Sequence[tuple[Manifest, VersionRecord]]) -> None:
    """Three lines for each version."""
    indent = " " * (SHORT + 2)
    for manifest, record in found:
        note = f"  {record.note}" if record.note else ""
        source, entries = f"{manifest.source.kind} {manifest.source.name}", manifest.symbols
        first, last = min(each.first_open_utc for each in entries), max(each.last_open_utc for each in entries)
        n_rows, n_missing = sum(each.n_rows for each in entries), sum(each.n_missing_bars for each in entries)
        typer.echo(f"{manifest.snapshot_id[:SHORT]}  stored {record.stored_at_utc}{note}")
        typer.echo(f"{indent}{source}, {manifest.timeframe}: {', '.join(each.symbol for each in entries)}")
        typer.echo(f"{indent}{first} to {last}, {n_rows:,} candles, {n_missing:,} missing")


def print_version(folder: Path, manifest: Manifest, record: VersionRecord | None) -> None:
    source = manifest.source
    facts = {
        "id": manifest.snapshot_id,
        "folder": str(folder),
        "source": " ".join(part for part in (source.kind, source.name, source.address) if part),
        "asked": f"{source.asked.start_utc} to {source.asked.end_utc}" if source.asked else "—",
        "bars": manifest.timeframe,
    }
    if record:
        who = f"{record.stored_by.name} <{record.stored_by.email}>" if record.stored_by.email else record.stored_by.name
        facts |= {"stored": f"{record.stored_at_utc} by {who}, candlelock {record.candlelock_version}"}
        facts |= {"note": record.note or "—"}
    for name, value in facts.items():
        typer.echo(f"{name:8}{value}")
    for entry in manifest.symbols:
        _print_symbol(entry)


def _print_symbol(entry: SymbolFile) -> None:
    columns = [column.name if column.scale is None else f"{column.name}.{column.scale}" for column in entry.columns]
    typer.echo(f"\n{entry.symbol}  {entry.n_rows:,} candles, {entry.first_open_utc} to {entry.last_open_utc}")
    typer.echo(f"  file     {entry.file}  sha256 {entry.sha256}")
    typer.echo(f"  rows     Merkle root {entry.merkle_root}")
    typer.echo(f"  columns  {', '.join(columns)}  (.n: decimals)")
    typer.echo(f"  missing  {entry.n_missing_bars:,} bars in {len(entry.gaps)} gaps")
    for gap in entry.gaps:
        typer.echo(f"    {_gap_text(gap)}")


def _gap_text(gap: Gap) -> str:
    confirmed = ", asked for again and absent again" if gap.is_confirmed else ""
    return f"{gap.first_open_utc} to {gap.last_open_utc}  {gap.n_bars} bar{'s' * (gap.n_bars > 1)}{confirmed}"


def print_difference(found: SnapshotDifference) -> None:
    if found.before == found.after:
        typer.echo("the same candles")
    if found.timeframe_before != found.timeframe_after:
        typer.echo(f"timeframe {found.timeframe_before} -> {found.timeframe_after}: no candle is the same")
    for sign, symbols in (("+", found.symbols_added), ("-", found.symbols_removed)):
        for symbol in symbols:
            typer.echo(f"{sign} symbol {symbol}")
    for each in found.symbols:
        _print_symbol_difference(each)


def _print_symbol_difference(found: SymbolDifference) -> None:
    counts = ((len(found.added), "added"), (len(found.removed), "removed"), (len(found.revised), "revised"))
    said = ", ".join(f"{n:,} {word}" for n, word in (*counts, (found.n_unchanged, "unchanged")))
    typer.echo(f"{found.symbol}: {said}")
    for sign, columns in (("+", found.columns_added), ("-", found.columns_removed)):
        for column in columns:
            typer.echo(f"  {sign} column {column}")
    _print_some([f"  + {_candle_text(candle)}" for candle in found.added[:MAX_LISTED]], len(found.added))
    _print_some([f"  - {_candle_text(candle)}" for candle in found.removed[:MAX_LISTED]], len(found.removed))
    _print_some([f"  ~ {_revision_text(candle)}" for candle in found.revised[:MAX_LISTED]], len(found.revised))


def _print_some(lines: Sequence[str], n_all: int) -> None:
    for line in lines:
        typer.echo(line)
    if n_all > len(lines):
        typer.echo(f"    and {n_all - len(lines):,} more; --json lists all")


def _candle_text(candle: ListedCandle) -> str:
    return f"{candle.open_time_utc}  " + ", ".join(f"{name} {value}" for name, value in candle.values.items())


def _revision_text(candle: RevisedCandle) -> str:
    changes = [f"{name} {value} -> {candle.after[name]}" for name, value in candle.before.items()]
    return f"{candle.open_time_utc}  {', '.join(changes)}"


def print_users(snapshot_id: str, uses: Sequence[CardUse], revisions: Sequence[str]) -> None:
    short = snapshot_id[:SHORT]
    for use in uses:
        typer.echo(f"trained on {short}: {_use_text(use)}")
    if revisions:
        typer.echo(f"built from the files of {short}: git revisions {', '.join(each[:10] for each in revisions)}")
    if not uses and not revisions:
        typer.echo(f"no card and no revision here names {short}")


def _use_text(use: CardUse) -> str:
    return f"{use.model} / {use.head}, {use.path}" + ("" if use.is_intact else " (edited: its digest does not fit)")


def print_gap(symbol: str, gap: Gap) -> None:
    typer.echo(f"no candle to prove: the snapshot lists this gap of {symbol}\n  {_gap_text(gap)}")


def print_proof(found: CandleProof, uses: Sequence[CardUse]) -> None:
    """The candle, its block, the way up, and who names the snapshot."""
    from candlelock.artifacts.hashing import canonical_json
    from candlelock.snapshot.proof import candle

    named = found.identity.symbols[found.symbol]
    typer.echo(f"{found.symbol}  " + ", ".join(f"{name} {value}" for name, value in candle(found).items()))
    typer.echo(f"\nblock {found.block}: {len(found.rows)} of {named.n_rows:,} rows")
    output.print_table(tuple(name for name, _ in named.columns), [tuple(row) for row in found.rows])
    typer.echo(f"\nleaf         {found.leaf}")
    for step in found.path:
        typer.echo(f"  with       {step}")
    typer.echo(f"Merkle root  {named.merkle_root}")
    typer.echo(f"identity     {canonical_json(found.identity.model_dump(mode='json'))}")
    typer.echo(f"snapshot     {found.snapshot_id}, its SHA-256")
    _print_cards(found.snapshot_id, uses)
    if not uses:
        typer.echo("card         none found")


def _print_cards(snapshot_id: str, uses: Sequence[CardUse]) -> None:
    for use in uses:
        said = "names" if use.snapshot_id == snapshot_id else f"names another snapshot, {use.snapshot_id[:SHORT]}, not"
        typer.echo(f"card         {_use_text(use)} {said} {snapshot_id[:SHORT]}")


def print_check(given: CandleProof, faults: Sequence[Problem], uses: Sequence[CardUse]) -> None:
    """The verdict, with each fault."""
    if faults:
        typer.echo("\n".join(["FAILED  the proof does not hold", *map(str, faults)]))
    else:
        from candlelock.snapshot.proof import candle

        row = ", ".join(f"{name} {value}" for name, value in candle(given).items())
        typer.echo(f"ok      {given.symbol}  {row}\n        belongs to snapshot {given.snapshot_id}")
    _print_cards(given.snapshot_id, uses)


def print_quality(found: QualityReport) -> None:
    """A line for each symbol. The longest and largest of each kind are on the page and in the JSON."""
    rows = [
        (
            symbol.symbol,
            f"{symbol.n_rows:,}",
            _counted(symbol.missing.n_bars, symbol.missing.n_gaps, "gap"),
            _counted(symbol.frozen.n_bars, symbol.frozen.n_runs, "run"),
            _counted(symbol.zero_volume.n_bars, symbol.zero_volume.n_runs, "run"),
            f"{symbol.outliers.n_bars:,}",
            f"{symbol.opens.n_jumps:,}",
            f"{len(symbol.checks)} rules, {sum(check.n_violations for check in symbol.checks)} broken",
        )
        for symbol in found.symbols
    ]
    header = ("symbol", "candles", "missing", "frozen", "no volume", "outliers", "jumps", "checks")
    output.print_table(header, rows)
    typer.echo(f"snapshot {found.snapshot_id[:SHORT]}, {found.timeframe} bars, {found.first_day} to {found.last_day}")


def _counted(n_bars: int, n_runs: int, what: str) -> str:
    return f"{n_bars:,} in {n_runs:,} {what}{'s' * (n_runs != 1)}" if n_bars else "0"
