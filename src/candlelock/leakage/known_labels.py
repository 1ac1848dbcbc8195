"""Whether labels are known when they say: from the candles up to their end, and not from any later one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.leakage_documents import Leak, LeakCheck
from candlelock.leakage.rows import leak_check, when

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt
    import pandas as pd

    from candlelock.leakage.rows import Times

    Values = npt.NDArray[np.float64]

WHAT = "labels made again without the candles after a time: known ones unchanged up to it, none known beyond it"
CUTS = (1 / 7, 2 / 7, 3 / 7, 4 / 7, 5 / 7, 6 / 7)  # of the bars
LEARNED = ("value", "share_above")  # in place of the label


def check_known_labels(
    label: Callable[[int], pd.DataFrame], open_time_ms: Times, bar_ms: int, stored: pd.DataFrame | None = None
) -> LeakCheck:
    """Make the labels of a market's first bars, up to several times, and hold them to those of all bars.

    `label(n_bars)`: symbol, open_time_ms, label_end_ms and is_up, NaN where unknown, of the rows in the first so many
    bars; and of the columns in LEARNED those that models learn. A label that ends later than its candles has looked at
    less than it says, or is none. `stored`: the same columns of the table that is used, which has to hold the labels of
    all bars.
    """
    n_bars, n_compared = len(open_time_ms), 0
    findings: list[Leak] = []
    whole = label(n_bars)
    for end in sorted({max(1, int(n_bars * share)) for share in CUTS}):
        part = label(end)
        cut_ms = int(open_time_ms[end - 1]) + bar_ms
        both = _beside(part, whole[whole["open_time_ms"] < cut_ms])
        n_compared += len(both)
        findings += list(_differing(both, cut_ms))[: 1 - len(findings)]
    if stored is not None:
        both = _beside(stored, whole)
        n_compared += len(both)
        findings += _stored(both)
    return leak_check("known labels", WHAT, n_compared, findings)


def _beside(some: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Every row of either, with the labels of both; the first half of the names are those of `some`."""
    columns = ["symbol", "open_time_ms", "label_end_ms", "is_up", *(name for name in LEARNED if name in whole)]
    return some[columns].merge(whole[columns], on=columns[:2], how="outer", suffixes=("", "_whole"))


def _pairs(both: pd.DataFrame) -> dict[str, tuple[Values, Values]]:
    """Labels by column, of the one table and of the other."""
    names = [name for name in ("is_up", *LEARNED) if name in both]
    return {name: (both[name].to_numpy(float), both[f"{name}_whole"].to_numpy(float)) for name in names}


def _differ(one: Values, other: Values) -> npt.NDArray[np.bool_]:
    return np.asarray((one != other) & ~(np.isnan(one) & np.isnan(other)))


def _stored(both: pd.DataFrame) -> Iterator[Leak]:
    """The first row whose label or label end in the table is not what the candles give."""
    end_of, true_end_of = (both[name].to_numpy(float) for name in ("label_end_ms", "label_end_ms_whole"))
    for name, (told, true) in _pairs(both).items():
        wrong = _differ(told, true) | _differ(end_of, true_end_of)
        if not wrong.any():
            continue
        row = int(np.flatnonzero(wrong)[0])
        end, true_end = float(end_of[row]), float(true_end_of[row])
        yield Leak(
            code="label-differs",
            subject="label",
            symbol=str(both["symbol"].iloc[row]),
            known_utc=None if np.isnan(true_end) else when(true_end),
            used_utc=None if np.isnan(end) else when(end),
            detail=f"{int(wrong.sum()):,} rows; {name} of this one is {told[row]:g}, the candles give {true[row]:g}",
            help="labels and their ends come from the candles alone: rebuild with `dvc repro split`",
        )
        return


def _differing(both: pd.DataFrame, cut_ms: int) -> Iterator[Leak]:
    """The first row whose label changed, was lost or is known too early when later candles are gone."""
    ends = both["label_end_ms_whole"].fillna(both["label_end_ms"]).to_numpy()
    pairs = _pairs(both).values()
    is_other = np.any([_differ(here, there) for here, there in pairs], axis=0)
    is_known = np.any([~np.isnan(here) for here, _ in pairs], axis=0)
    sees_further, too_early = is_other & (ends <= cut_ms), is_known & (ends > cut_ms)
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
