"""`candlelock orderbook …`"""

from __future__ import annotations

import re
from pathlib import Path  # noqa: TC003  (typer reads annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from candlelock.cli import output
from candlelock.cli.output import Json  # noqa: TC001  (typer reads annotations)
from candlelock.contracts.errors import Problem, raise_if

if TYPE_CHECKING:
    from candlelock.contracts.book_documents import BookReport

app = typer.Typer(help="Turn recorded order books and trades into bars.", no_args_is_help=True)
MAX_LEVELS = 5_000  # the exchange's largest snapshot


@app.callback()
def group() -> None:
    """Turn recorded order books and trades into bars."""


@app.command(name="import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="Recorded streams of one symbol, text or gzip, in any order.")],
    symbol: Annotated[str, typer.Option("--symbol", help="BASE/QUOTE, such as BTC/USDT.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; an earlier import in it is replaced.")],
    timeframe: Annotated[str, typer.Option("--timeframe", help="Length of a bar, such as 1m or 4h.")] = "1m",
    levels: Annotated[str, typer.Option("--levels", help="Sum depth over so many best levels.")] = "1,5,10,20",
    as_json: Json = False,
) -> None:
    """Import Binance depth, bookTicker and trade streams into one row per bar, with every break in the ids reported."""
    raise_if(_wrong_options(symbol, timeframe, levels))
    from candlelock.orderbook.importer import import_recording
    from candlelock.terminal import progress

    counts = tuple(int(each) for each in levels.split(","))
    with progress.showing("order book", "bytes") as show:
        report = import_recording(files, symbol, timeframe, counts, out, show)
    if as_json:
        output.print_json({"out": str(out), **report.model_dump(mode="json")})
    else:
        _print(out, report)


def _wrong_options(symbol: str, timeframe: str, levels: str) -> list[Problem]:
    counts = [int(each) if re.fullmatch(r"[1-9][0-9]{0,3}", each) else 0 for each in levels.split(",")]
    are_levels = counts == sorted(set(counts)) and counts[0] >= 1 and counts[-1] <= MAX_LEVELS
    checks = (
        (re.fullmatch(r"[A-Z0-9]+/[A-Z0-9]+", symbol), "--symbol", symbol, "BASE/QUOTE in capitals", "BTC/USDT"),
        (re.fullmatch(r"[1-9][0-9]{0,3}[mhd]", timeframe), "--timeframe", timeframe, "minutes, hours or days", "1m"),
        (are_levels, "--levels", levels, f"rising numbers from 1 to {MAX_LEVELS}, with commas", "1,5,10,20"),
    )
    return [
        Problem("book-option", option, value, expected, f"for example {option} {example}")
        for is_right, option, value, expected, example in checks
        if not is_right
    ]


def _print(out: Path, report: BookReport) -> None:
    messages, skew, check = report.messages, report.clock_skew, report.ticker_check
    rows = [
        ("bars", f"{report.n_bars:,} of {report.timeframe}, {report.first_open_utc} to {report.last_open_utc}"),
        ("", f"{report.n_whole_bars:,} whole, {report.n_missing_bars:,} missing"),
        ("", "depth known " + ", ".join(f"in {n:,} at {level}" for level, n in report.n_bars_with_depth.items())),
        ("messages", f"{messages.depth:,} depth, {messages.ticker:,} bookTicker, {messages.trade:,} trade"),
        ("snapshots", f"{messages.snapshot:,}"),
        ("breaks", f"{len(report.sequence_breaks):,} in the ids"),
        (
            "cross-check",
            f"{check.n_contradictions:,} contradictions in {check.n_compared:,} comparisons of best quotes",
        ),
        ("clock", f"exchange less local {skew.median_ms:,.1f} ms, from {skew.min_ms:,.1f} to {skew.max_ms:,.1f}"),
    ]
    output.print_table((report.symbol, ""), rows)
    for each in report.sequence_breaks[:10]:
        typer.echo(f"break in {each.stream} at {each.place}: expected {each.expected_id}, found {each.found_id}")
    typer.echo(f"{report.table} and book.json in {out}")
