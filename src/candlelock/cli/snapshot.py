"""`candlelock snapshot`: the stage of that name with other settings, into a folder of one's own."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads annotations)
from typing import TYPE_CHECKING, Annotated, Any

import typer

from candlelock.cli import output
from candlelock.cli.output import HERE, Json, Root
from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from candlelock.contracts.snapshot_documents import Manifest

OPTIONS = {
    "name": "exchange",
    "base_url": "base-url",
    "start": "start",
    "end": "end",
    "days": "days",
    "n_readings": "readings",
}


def snapshot(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; replaced as a whole.")],
    exchange: Annotated[str | None, typer.Option("--exchange", help="Ask this exchange, as ccxt names it.")] = None,
    candle_files: Annotated[Path | None, typer.Option("--files", help="Take candle files from this folder.")] = None,
    symbols: Annotated[str | None, typer.Option("--symbols", help="BASE/QUOTE, with commas between them.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", help="Length of a bar, such as 1m or 4h.")] = None,
    days: Annotated[int | None, typer.Option("--days", help="As many days up to the end.")] = None,
    start: Annotated[str | None, typer.Option("--start", help="First bar, 2025-01-01 or 2025-01-01T12:00Z.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Bars open before it; now if left out.")] = None,
    readings: Annotated[
        int | None, typer.Option("--readings", help="2: ask for every candle twice and compare.")
    ] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Send all requests to this address.")] = None,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Take a snapshot of candles: as `snapshot` in params.yaml says, but for the options given."""
    from candlelock.artifacts.user_files import read_snapshot_params
    from candlelock.contracts import files
    from candlelock.snapshot.publication import publish, refuse_strangers
    from candlelock.snapshot.sources import reading
    from candlelock.terminal import progress

    asked = {"name": exchange, "base_url": base_url, "start": start, "end": end, "days": days, "n_readings": readings}
    wanted = read_snapshot_params(root, _changes(exchange, candle_files, symbols, timeframe, asked))
    _refuse_idle_options(wanted.source, asked)
    refuse_strangers(out)
    with (
        progress.showing("candles", "bars") as show,
        reading(wanted, root, root / files.DOWNLOADS, show) as (candles, source),
    ):
        manifest = publish(out, candles, source, wanted)
    if as_json:
        output.print_json({"out": str(out), **manifest.model_dump(mode="json")})
    else:
        _print(out, manifest)


def _refuse_idle_options(source: str, asked: dict[str, Any]) -> None:
    idle = [name for name, value in asked.items() if value is not None]
    if source != "exchange" and idle:
        found = f"{', '.join(f'--{OPTIONS[name]}' for name in idle)} with the source {source}"
        help_line = "name an exchange with --exchange, or leave them out"
        raise InputError(Problem("snapshot-options", "candlelock snapshot", found, "an exchange to ask", help_line))


def _changes(
    exchange: str | None,
    candle_files: Path | None,
    symbols: str | None,
    timeframe: str | None,
    asked: dict[str, Any],
) -> dict[str, Any]:
    """The options as keys of `snapshot` in params.yaml."""
    if exchange and candle_files:
        found, help_line = "--exchange and --files", "leave one of them out"
        raise InputError(Problem("snapshot-options", "candlelock snapshot", found, "one source", help_line))
    section: dict[str, Any] = {"exchange": {key: value for key, value in asked.items() if value is not None}}
    if asked["start"]:
        section["exchange"].setdefault("days", None)
    elif asked["days"]:
        section["exchange"]["start"] = None
    if candle_files:
        section |= {"source": "files", "files": {"path": str(candle_files.absolute())}}
    if exchange:
        section["source"] = "exchange"
    if symbols:
        section["symbols"] = [symbol.strip().upper() for symbol in symbols.split(",")]
    if timeframe:
        section["timeframe"] = timeframe
    return section


def _print(out: Path, manifest: Manifest) -> None:
    rows = [
        (
            symbol.symbol,
            f"{symbol.n_rows:,}",
            symbol.first_open_utc,
            symbol.last_open_utc,
            f"{symbol.n_missing_bars:,} in {len(symbol.gaps)} gaps",
        )
        for symbol in manifest.symbols
    ]
    output.print_table(("symbol", "candles", "first", "last", "missing bars"), rows)
    if asked := manifest.source.asked:
        typer.echo(f"asked {manifest.source.name} for {asked.start_utc} to {asked.end_utc}; every gap was confirmed")
    typer.echo(f"snapshot {manifest.snapshot_id[:12]} in {out}")
