"""Whether labels are known when they say: from the candles up to their end, and not from any later one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.leakage_documents import Leak, LeakCheck
from candlelock.leakage.rows import leak_check, when

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from candlelock.leakage.rows import Times

WHAT = "labels made again without the candles after a time: known ones unchanged up to it, none known beyond it"
CUTS = (1 / 7, 2 / 7, 3 / 7, 4 / 7, 5 / 7, 6 / 7)  # of the bars


def check_known_labels(label: Callable[[int], pd.DataFrame], open_time_ms: Times, bar_ms: int) -> LeakCheck:
    """Make the labels of a market's first bars, up to several times, and hold them to those of all bars.

    `label(n_bars)`: symbol, open_time_ms, label_end_ms and is_up, NaN where unknown, of the rows in the first so many
    bars. A label that ends later than its candles has looked at less than it says, or is none.
    """
    n_bars, n_compared = len(open_time_ms), 0
    findings: list[Leak] = []
    whole = label(n_bars)
    for end in sorted({max(1, int(n_bars * share)) for share in CUTS}):
        part = label(end)
        cut_ms = int(open_time_ms[end - 1]) + bar_ms
        both = part.merge(whole, on=["symbol", "open_time_ms"], suffixes=("", "_whole"))
        n_compared += len(both)
        findings += list(_differing(both, cut_ms))[: 1 - len(findings)]
    return leak_check("known labels", WHAT, n_compared, findings)


def _differing(both: pd.DataFrame, cut_ms: int) -> Iterator[Leak]:
    """The first row whose label changed, was lost or is known too early when later candles are gone."""
    ends = both["label_end_ms_whole"].to_numpy()
    here, there = both["is_up"].to_numpy(), both["is_up_whole"].to_numpy()
    is_other = (here != there) & ~(np.isnan(here) & np.isnan(there))
    sees_further, too_early = is_other & (ends <= cut_ms), ~np.isnan(here) & (ends > cut_ms)
    for wrong, words in (
        (sees_further, "changes when candles after its end are taken away"),
        (too_early, "is known although its candles are not there yet"),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            yield Leak(
                code="label-sees-further",
                subject="label",
                symbol=str(both["symbol"].iloc[row]),
                known_utc=when(ends[row]),
                used_utc=when(cut_ms),
                detail=f"{int(wrong.sum()):,} labels; this one {words}",
                help="a label's end is the close of the last bar it looks at; unknown labels are null",
            )
