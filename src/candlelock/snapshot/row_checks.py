"""The rules that every row of a snapshot keeps, checked once more on the rows as they were published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.quality_documents import RowCheck
from candlelock.snapshot.raw_candles import PRICES

if TYPE_CHECKING:
    import numpy.typing as npt


def check(table: pa.Table, times_ms: npt.NDArray[np.int64], bar_ms: int) -> list[RowCheck]:
    """Each rule with the rows it was checked on and those that break it. Codes are those of the refusals.

    Publication refuses rows that break one, so anything but 0 means that the rows are not those that were published.
    """
    prices = [table[name] for name in PRICES]
    lowest, highest = pc.min_element_wise(*prices), pc.max_element_wise(*prices)
    steps = np.diff(times_ms)
    broken = {
        "candles-unsorted": ("a later time than the row above", steps < 0),
        "candles-duplicate": ("each time once", steps == 0),
        "candles-off-grid": ("a multiple of the bar since 1970 UTC", times_ms % bar_ms != 0),
        "candles-price": ("open, high, low and close above zero", pc.less_equal(lowest, pa.scalar(0, lowest.type))),
        "candles-volume": ("a volume of zero or more", pc.less(table["volume"], pa.scalar(0, table["volume"].type))),
        "candles-high": ("high at or above open, low and close", pc.less(table["high"], highest)),
        "candles-low": ("low at or below open, high and close", pc.greater(table["low"], lowest)),
    }
    return [
        RowCheck(code=code, expected=expected, n_checked=len(times_ms), n_violations=int(np.count_nonzero(rows)))
        for code, (expected, rows) in broken.items()
    ]
