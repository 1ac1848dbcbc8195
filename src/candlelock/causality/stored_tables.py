"""Check that the feature tables on disk are the build that was examined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.causality.examination import Built

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from candlelock.causality.examination import Probe
    from candlelock.features.market import Array, Market

TABLES = "the feature tables that the stage wrote, against the build of all candles"


def check_tables(probe: Probe, tables: Mapping[str, pa.Table]) -> dict[str, Any]:
    """Compare every row of the tables that lies in the examined bars. Evidence: the number of rows."""
    exam = probe.exam
    on_grid = [np.full(exam.market.close.shape, np.nan) for _ in exam.entries]
    n_rows = 0
    for symbol, name in enumerate(exam.market.symbols):
        table = tables[name]
        bars = _bars(exam.market, table)
        is_inside = (bars >= 0) & (bars < exam.n_bars)
        n_rows += int(is_inside.sum())
        for number, entry in enumerate(exam.entries):
            values: Array = table[entry.name].to_numpy(zero_copy_only=False)
            on_grid[number][symbol, bars[is_inside]] = values[is_inside]
    has_bar = np.broadcast_to(exam.market.has_bar, (len(exam.entries), *exam.market.close.shape))
    probe.compare(Built(exam.everything, on_grid), 0, "table-differs", "in the table on disk", has_bar)
    return {"n_rows": n_rows}


def _bars(market: Market, table: pa.Table) -> np.ndarray:
    times = table["open_time_utc"].cast("int64").to_numpy()
    return np.asarray((times - market.open_time_ms[0]) // market.bar_ms)
