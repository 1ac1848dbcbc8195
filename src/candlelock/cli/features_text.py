"""What `candlelock features` prints of entries and of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from candlelock.cli import output
from candlelock.reference import wording

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from candlelock.contracts.registry import Feature
    from candlelock.reference.values import Spread


def entry_json(entry: Feature, is_on: bool) -> dict[str, Any]:
    return {**entry.model_dump(mode="json"), "is_on": is_on}


def print_list(entries: Sequence[Feature], switched_on: Collection[str]) -> None:
    rows = [
        (
            entry.name,
            entry.group,
            "on" if entry.name in switched_on else "off",
            entry.unit,
            wording.range_words(entry),
            wording.warmup_words(entry),
        )
        for entry in entries
    ]
    output.print_table(("feature", "group", "", "unit", "range", "warm-up"), rows)
    n_on = sum(entry.name in switched_on for entry in entries)
    typer.echo(f"{len(entries)} features, {n_on} switched on")


def print_entry(entry: Feature, timeframe: str, bar_ms: int, is_on: bool) -> None:
    declared = f"{wording.warmup_words(entry)}; " if entry.warmup_days else ""
    facts = {
        "feature": entry.name,
        "group": entry.group,
        "switched": "on" if is_on else "off",
        "formula": entry.formula,
        "unit": entry.unit,
        "range": wording.range_words(entry) or "—",
        "warm-up": f"{declared}on {timeframe}: {wording.warmup_on(entry, bar_ms)}",
        "inputs": ", ".join(entry.inputs),
        "known at": wording.known_words(entry),
        "reference": entry.reference or "—",
    }
    for name, value in facts.items():
        typer.echo(f"{name:11}{value}")


def print_spreads(spreads: Sequence[Spread]) -> None:
    """A line for each symbol."""
    if not spreads:
        typer.echo("\nnot among the tables of data/features: switch it on (features.groups, exclude) and `dvc repro`")
        return
    cuts = tuple(spreads[0].quantiles)
    rows = [
        (
            each.symbol,
            f"{each.n_rows:,}",
            f"{each.n_null:,}",
            output.plain(each.mean),
            *(output.plain(value) for value in each.quantiles.values()),
        )
        for each in spreads
    ]
    typer.echo("")
    output.print_table(("symbol", "rows", "null", "mean", *cuts), rows)
