"""Stretches of bars: what is asked, how it is cut into pages, what is missing of it. Pure arithmetic on times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Times = npt.NDArray[np.int64]


@dataclass(frozen=True, order=True)
class Span:
    """Bars of `bar_ms` that open at or after `start_ms` and before `end_ms`, both on the grid, since 1970 UTC."""

    start_ms: int
    end_ms: int
    bar_ms: int

    @property
    def n_bars(self) -> int:
        """How many bars it holds."""
        return (self.end_ms - self.start_ms) // self.bar_ms

    def pages(self, n_rows: int) -> list[Span]:
        """Pages of at most `n_rows` bars; each shares one bar with the next, and there are two at least.

        The shared bar comes in two answers, which have to agree: a page of something else is found by it.
        """
        n_rows = max(2, min(n_rows, self.n_bars // 2 + 1))
        step = (n_rows - 1) * self.bar_ms
        starts = range(self.start_ms, max(self.end_ms - self.bar_ms, self.start_ms + 1), step)
        return [Span(start, min(start + n_rows * self.bar_ms, self.end_ms), self.bar_ms) for start in starts]

    def readings(self, n_rows: int, n_readings: int) -> list[Span]:
        """The pages of one reading, or of two without a page in common: the same page would be asked for once."""
        pages = self.pages(n_rows)
        if n_readings == 1:
            return pages
        others = (self.pages(size) for size in range(pages[0].n_bars * 2 // 3, 1, -1))
        return pages + (next((other for other in others if not set(other) & set(pages)), []) or self.split(1))

    def split(self, n_bars: int) -> list[Span]:
        """Parts of at most `n_bars` bars, without overlap."""
        step = n_bars * self.bar_ms
        starts = range(self.start_ms, self.end_ms, step)
        return [Span(start, min(start + step, self.end_ms), self.bar_ms) for start in starts]

    def holds_any(self, times_ms: Times) -> bool:
        """Whether any of these times, ascending, lies in it."""
        first, end = np.searchsorted(times_ms, [self.start_ms, self.end_ms])
        return bool(first < end)

    def missing(self, times_ms: Times) -> list[Span]:
        """Runs of bars without a candle, in time order. `times_ms`: ascending, on the grid, within the span."""
        edges = np.concatenate([[self.start_ms - self.bar_ms], times_ms, [self.end_ms]])
        before = np.flatnonzero(np.diff(edges) > self.bar_ms)
        runs = zip(edges[before].tolist(), edges[before + 1].tolist(), strict=True)
        return [Span(left + self.bar_ms, right, self.bar_ms) for left, right in runs]


def ceil_to(time_ms: int, bar_ms: int) -> int:
    """The first open time at or after a time."""
    return -(-time_ms // bar_ms) * bar_ms


def floor_to(time_ms: int, bar_ms: int) -> int:
    """The last open time at or before a time: bars that open before it are closed by then."""
    return time_ms // bar_ms * bar_ms
