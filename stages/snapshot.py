"""Take candles from the source and publish them as an exact, hashed snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.contracts import files
from candlelock.snapshot.publication import publish, refuse_strangers
from candlelock.snapshot.sources import reading
from candlelock.terminal import progress

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params) -> None:
    """An exchange, files or the sample -> data/snapshot."""
    wanted = params.snapshot
    refuse_strangers(files.SNAPSHOT)
    with (
        progress.showing("candles", "bars") as show,
        reading(wanted, Path(), files.DOWNLOADS, show) as (candles, source),
    ):
        manifest = publish(files.SNAPSHOT, candles, source, wanted)
    n_rows = sum(symbol.n_rows for symbol in manifest.symbols)
    n_missing = sum(symbol.n_missing_bars for symbol in manifest.symbols)
    size = f"{len(manifest.symbols)} symbols, {n_rows:,} candles, {n_missing} missing bars listed"
    print(f"snapshot {manifest.snapshot_id[:12]}: {size}")
