"""Bars a source does not have. They are listed, never filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.documents import Gap, utc_text

if TYPE_CHECKING:
    import numpy.typing as npt


def list_gaps(open_time_ms: npt.NDArray[np.int64], bar_ms: int) -> list[Gap]:
    """Runs of missing bars between the first and the last candle, in time order.

    `open_time_ms`: int64 milliseconds since 1970 UTC, ascending, on the grid of `bar_ms`.
    """
    n_steps = np.diff(open_time_ms) // bar_ms
    before = np.flatnonzero(n_steps > 1)
    return [
        Gap(first_open_utc=utc_text(start + bar_ms), last_open_utc=utc_text(end - bar_ms), n_bars=n - 1)
        for start, end, n in zip(
            open_time_ms[before].tolist(), open_time_ms[before + 1].tolist(), n_steps[before].tolist(), strict=True
        )
    ]
