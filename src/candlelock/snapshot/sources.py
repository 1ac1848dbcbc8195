"""The candles that `snapshot` of params.yaml asks for, from whichever source it names."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from candlelock.snapshot import files, sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from candlelock.contracts.snapshot_documents import Source
    from candlelock.contracts.stage_params import SnapshotParams
    from candlelock.snapshot.raw_candles import RawCandles


@contextlib.contextmanager
def reading(
    wanted: SnapshotParams, root: Path, downloads: Path, on_progress: Callable[[int, int], None]
) -> Iterator[tuple[dict[str, RawCandles], Source]]:
    """Symbol -> candles as the source printed them, and what the source was.

    `root` is where `files.path` starts from, `downloads` where the sample and an exchange's answers are kept; an
    exchange's answers only until a clean exit.
    """
    if wanted.source == "sample":
        yield sample.read(wanted.symbols, wanted.timeframe, downloads)
    elif wanted.source == "files":
        yield files.read(wanted.symbols, wanted.timeframe, root / wanted.files.path)
    else:
        from candlelock.snapshot.exchange.client import Patience
        from candlelock.snapshot.exchange.fetch import taking  # ccxt takes half a second to load

        with taking(wanted, downloads, Patience(), on_progress) as taken:
            yield taken
