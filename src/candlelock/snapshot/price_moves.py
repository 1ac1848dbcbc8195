"""How far each bar's close and open lie from the close before, and which bars do not move at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from candlelock.contracts.documents import utc_text
from candlelock.contracts.quality_documents import N_LISTED, Move, Opens, Outliers
from candlelock.snapshot.decimals import to_float64

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    Mask = npt.NDArray[np.bool_]


def is_still(table: pa.Table, follows: Mask) -> Mask:
    """Per row: open, high, low and close are exactly the close of the bar before. False after a gap."""
    first, *others = (table[name] for name in ("open", "high", "low", "close"))
    still = follows.copy()
    for column in others:
        still &= np.asarray(pc.equal(first, column), dtype=np.bool_)
    still[1:] &= ~_opens_elsewhere(table)
    return still


def measure(
    table: pa.Table, times_ms: npt.NDArray[np.int64], follows: Mask, outlier_mads: float
) -> tuple[Outliers, Opens]:
    """Moves of closes and of opens against the close before; the first bar and bars after a gap have none.

    The unit is the median absolute log return of the closes that moved: it is never zero, also where most bars stand
    still. Without such a close there is no unit, and nothing is far.
    """
    close, opened = to_float64(table["close"]), to_float64(table["open"])
    returns, jumps = (np.log(price[1:][follows[1:]] / close[:-1][follows[1:]]) for price in (close, opened))
    moved = np.abs(returns[returns != 0])
    unit = float(np.median(moved)) if len(moved) else None
    n_outliers, largest = _farthest(returns, times_ms[follows], unit, outlier_mads)
    n_jumps, _ = _farthest(jumps, times_ms[follows], unit, outlier_mads)
    _, first_jumps = _farthest(jumps, times_ms[follows], unit, np.nextafter(0.0, 1.0))
    return (
        Outliers(n_compared=len(returns), mad_log_return=unit, n_bars=n_outliers, largest=largest),
        Opens(
            n_compared=len(jumps),
            n_moved=int(np.count_nonzero(_opens_elsewhere(table) & follows[1:])),
            n_jumps=n_jumps,
            largest=first_jumps[0] if first_jumps else None,
        ),
    )


def _opens_elsewhere(table: pa.Table) -> Mask:
    """Per row from the second: the open is not exactly the close before."""
    return np.asarray(pc.not_equal(table["open"].slice(1), table["close"].slice(0, table.num_rows - 1)), dtype=np.bool_)


def _farthest(
    moves: npt.NDArray[np.float64], times_ms: npt.NDArray[np.int64], unit: float | None, at_least: float
) -> tuple[int, list[Move]]:
    """How many moves are at least so many units, and the largest of them."""
    if unit is None:
        return 0, []
    mads = np.abs(moves) / unit
    far = np.flatnonzero(mads >= at_least)
    listed = far[np.lexsort((far, -mads[far]))][:N_LISTED]
    return len(far), [
        Move(open_time_utc=utc_text(times_ms[i]), log_return=float(moves[i]), mads=float(mads[i])) for i in listed
    ]
