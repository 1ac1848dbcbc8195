"""Where time is cut: ends of days and months, edges of gaps and of segments, the last bar but one, and at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.features.market import Market

DAY_MS = 86_400_000
Bars = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cut:
    """The last bar that is known, and why the cut is there."""

    bar: int
    why: str


def choose_cuts(market: Market, n_cuts: int, segment_fracs: Sequence[float], first: int, seed: int) -> list[Cut]:
    """At most `n_cuts` cuts at or after bar `first` in order of time, at least a third of them at random.

    `segment_fracs`: shares of the candles, pooled over the symbols, after which a segment ends.
    """
    n_bars, random = len(market.open_time_ms), np.random.default_rng(seed)
    last = n_bars - 2
    first = min(first, last)
    few = max(n_cuts // 12, 1)
    kinds = {
        "end of a segment": (_segment_ends(market, segment_fracs), 3),
        "last bar but one": (np.array([last]), 1),
        "before a gap": (gap_edges(market)[0], few),
        "end of a month": (_calendar_ends(market, "M"), few),
        "end of a day": (_calendar_ends(market, "D"), few),
        "inside or at the end of a gap": (gap_edges(market)[1], few),
        "first bar after a gap": (gap_edges(market)[1] + 1, few),
    }
    cuts: dict[int, str] = {}
    n_placed = max(2 * n_cuts // 3, 1)
    for why, (bars, n_wanted) in kinds.items():
        usable = np.setdiff1d(bars[(bars >= first) & (bars <= last)], list(cuts))
        chosen = random.permutation(usable)[: min(n_wanted, n_placed - len(cuts))]
        cuts |= dict.fromkeys(chosen.tolist(), why)
    free = np.setdiff1d(np.arange(max(first, 0), last + 1), list(cuts))
    cuts |= dict.fromkeys(random.permutation(free)[: n_cuts - len(cuts)].tolist(), "at random")
    return [Cut(bar, cuts[bar]) for bar in sorted(cuts)]


def segment_ends(calibrate_frac: float, decide_frac: float, test_frac: float) -> tuple[float, float, float]:
    """Shares of the candles after which train, calibrate and decide end."""
    return 1 - calibrate_frac - decide_frac - test_frac, 1 - decide_frac - test_frac, 1 - test_frac


def gap_edges(market: Market) -> tuple[Bars, Bars]:
    """Of every gap of every symbol, the last bar before it and its last missing bar, in order of time."""
    before, ends = [], []
    for is_there in market.has_bar:
        bars = np.flatnonzero(is_there)
        is_gap = np.diff(bars) > 1
        before.append(bars[:-1][is_gap])
        ends.append(bars[1:][is_gap] - 1)
    return np.unique(np.concatenate(before)), np.unique(np.concatenate(ends))


def densest_gaps(market: Market, n_bars: int) -> int:
    """First bar of the stretch of `n_bars` bars in which most gaps begin; the earliest of equals."""
    n_all = len(market.open_time_ms)
    if not 0 < n_bars < n_all:
        return 0
    n_begin = np.bincount(gap_edges(market)[0], minlength=n_all)
    totals = np.concatenate([[0], np.cumsum(n_begin)])
    return int((totals[n_bars:] - totals[:-n_bars]).argmax())


def _calendar_ends(market: Market, unit: str) -> Bars:
    """Last bars of calendar days or months, UTC."""
    period = market.open_time_ms.astype("datetime64[ms]").astype(f"datetime64[{unit}]")
    return np.flatnonzero(period[1:] != period[:-1])


def _segment_ends(market: Market, fracs: Sequence[float]) -> Bars:
    n_candles = np.cumsum(market.has_bar.sum(axis=0))
    return np.array([int(np.searchsorted(n_candles, frac * n_candles[-1])) - 1 for frac in fracs], dtype=np.int64)
