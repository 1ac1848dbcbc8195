"""`candlelock audit table`: what somebody else's training table gives away of its own future."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from candlelock.cli import output
from candlelock.cli.leaks_text import HEADER, check_line, print_leaks
from candlelock.cli.output import HERE, Json
from candlelock.contracts.errors import EXIT_CHECK_FAILED, InputError, Problem

if TYPE_CHECKING:
    from candlelock.contracts.leakage_documents import LeakCheck
    from candlelock.leakage.rows import LabelledRows
    from candlelock.leakage.table import AuditTable

TableFile = Annotated[Path, typer.Argument(help="The table: parquet, feather or CSV.")]


def table(
    file: TableFile,
    time: Annotated[str, typer.Option("--time", help="Column of the decision times.")],
    label: Annotated[str, typer.Option("--label", help="Column of the labels; null where unknown.")],
    split: Annotated[str, typer.Option("--split", help="Column of the parts: train, validation, …, test.")],
    label_end: Annotated[str | None, typer.Option("--label-end", help="Column of when each label is known.")] = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", help="Column of the symbols; one symbol if left out.")
    ] = None,
    features: Annotated[
        str | None, typer.Option("--features", help="Columns, with commas; all other numeric ones if left out.")
    ] = None,
    embargo: Annotated[str, typer.Option("--embargo", help="Distance between label intervals, such as 4h.")] = "0h",
    candles: Annotated[
        Path | None, typer.Option("--candles", help="Candle files of all symbols there were, or a snapshot.")
    ] = None,
    timeframe: Annotated[
        str | None, typer.Option("--timeframe", help="Length of a candle, such as 1h, where file names leave it open.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look for leaks in a training table; exit code 1 with what was found."""
    from candlelock.leakage.columns import ColumnNames, read_audit_table
    from candlelock.leakage.table import audit_rows

    embargo_ms = _milliseconds(embargo)
    named = tuple(dict.fromkeys(name.strip() for name in features.split(","))) if features is not None else None
    read = read_audit_table(file, ColumnNames(time, label, label_end, split, symbol, named))
    universe = [_check_universe(read.rows, candles, timeframe)] if candles is not None else []
    checks = [*audit_rows(read, embargo_ms), *universe]
    if as_json:
        output.print_json(_document(read, checks))
    else:
        _print(read, checks)
    if not all(check.passed for check in checks):
        raise typer.Exit(EXIT_CHECK_FAILED)


def _milliseconds(text: str) -> int:
    import pandas as pd

    try:
        if not any(map(str.isalpha, text)):
            raise ValueError("a number without a unit")
        length = pd.Timedelta(text)
        if pd.isna(length) or length < pd.Timedelta(0):
            raise ValueError("not a length of time")
    except ValueError as error:
        found, expected = f"{text!r}: {error}", "a length of time that is not negative, such as 4h or 1d"
        raise InputError(Problem("audit-table-embargo", "--embargo", found, expected, "give it a unit")) from None
    return int(length.total_seconds() * 1000)


def _check_universe(rows: LabelledRows, candles: Path, timeframe: str | None) -> LeakCheck:
    """The table's symbols against those of a candle folder."""
    from candlelock.cli.audit_candles import read_market
    from candlelock.leakage.universe import check_universe, match_names

    market, _ = read_market(HERE, candles, timeframe)
    known = {}
    for symbol, has_bar in zip(market.symbols, market.has_bar, strict=True):
        times = market.open_time_ms[has_bar]
        known[symbol] = (int(times[0]), int(times[-1]) + market.bar_ms)
    names = match_names(rows.symbols, known)
    lost = [symbol for symbol in rows.symbols if symbol not in names]
    if lost:
        found = f"no candles of {', '.join(lost[:5])}{' …' if len(lost) > 5 else ''}"
        help_line = f"name --symbol, or add the candles; they are of {', '.join(sorted(known)[:5])}"
        expected = "candles of every symbol of the table"
        raise InputError(Problem("audit-table-universe", str(candles), found, expected, help_line))
    used = {}
    for number, symbol in enumerate(rows.symbols):
        times = rows.decision_ms[rows.symbol == number]
        used[names[symbol]] = (int(times.min()), int(times.max()))
    return check_universe(used, known)


def _document(read: AuditTable, checks: list[LeakCheck]) -> dict[str, object]:
    shown = [check.model_dump(mode="json") for check in checks]
    found = [leak for check in shown for leak in check["findings"]]
    counts = {part: int((read.rows.part == number).sum()) for number, part in enumerate(read.rows.parts)}
    return {
        "passed": all(check.passed for check in checks),
        "n_rows": len(read.label),
        "n_rows_of_part": counts,
        "symbols": list(read.rows.symbols),
        "features": list(read.names),
        "notes": list(read.notes),
        "checks": shown,
        "findings": found,
    }


def _print(read: AuditTable, checks: list[LeakCheck]) -> None:
    """Every check, then the findings."""
    output.print_table(HEADER, [check_line(check) for check in checks])
    print_leaks([leak for check in checks for leak in check.findings])
    for note in read.notes:
        typer.echo(f"note: {note}")
    n_found = sum(check.n_findings for check in checks)
    parts = ", ".join(
        f"{int((read.rows.part == number).sum()):,} {part}" for number, part in enumerate(read.rows.parts)
    )
    said = f"{n_found:,} findings" if n_found else "no finding"
    typer.echo(f"{said} in {len(read.label):,} rows ({parts}) with {len(read.names):,} features")
