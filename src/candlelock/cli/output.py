"""What commands print: JSON for machines, tables for people; and the options they share."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

Root = Annotated[Path, typer.Option("--root", help="Project folder that holds params.yaml and the artifacts.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
HERE = Path()
MIN_WIDTH = 110  # columns; narrower tables wrap into noise


def plain(value: Any) -> str:  # noqa: ANN401
    return f"{value:.6g}" if isinstance(value, float) else "—" if value is None else str(value)


def print_json(value: Any) -> None:  # noqa: ANN401
    typer.echo(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))


def console() -> Console:
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, width=max(shutil.get_terminal_size().columns, MIN_WIDTH))


def print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console().print(table)
