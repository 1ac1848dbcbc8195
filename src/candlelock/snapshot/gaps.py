"""Bars a source does not have. They are listed, never filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.documents import utc_ms, utc_text
from candlelock.contracts.snapshot_documents import Gap

if TYPE_CHECKING:
    import numpy.typing as npt

    from candlelock.contracts.snapshot_documents import AskedRange


def list_gaps(open_time_ms: npt.NDArray[np.int64], bar_ms: int, asked: AskedRange | None) -> list[Gap]:
    """Runs of missing bars, in time order: of the asked range, or between the first and the last candle.

    `open_time_ms`: int64 milliseconds since 1970 UTC, ascending, on the grid of `bar_ms`. What was asked of an exchange
    and is missing has been asked for again: those gaps are confirmed.
    """
    edges = np.array([utc_ms(asked.start_utc) - bar_ms, utc_ms(asked.end_utc)] if asked else [], dtype=np.int64)
    times_ms = np.concatenate([edges[:1], open_time_ms, edges[1:]])
    n_steps = np.diff(times_ms) // bar_ms
    before = np.flatnonzero(n_steps > 1)
    runs = zip(times_ms[before].tolist(), times_ms[before + 1].tolist(), n_steps[before].tolist(), strict=True)
    return [_gap(start + bar_ms, end - bar_ms, n - 1, asked is not None) for start, end, n in runs]


def _gap(first_ms: int, last_ms: int, n_bars: int, is_confirmed: bool) -> Gap:
    first, last = utc_text(first_ms), utc_text(last_ms)
    return Gap(first_open_utc=first, last_open_utc=last, n_bars=n_bars, is_confirmed=is_confirmed)
