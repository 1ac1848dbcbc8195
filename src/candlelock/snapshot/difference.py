"""What differs between two snapshots, candle by candle: added, removed, and revised under the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.version_documents import ListedCandle, RevisedCandle, SnapshotDifference, SymbolDifference
from candlelock.snapshot.manifest import open_time_ms
from candlelock.snapshot.raw_candles import TIME
from candlelock.snapshot.row_text import print_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from candlelock.contracts.snapshot_documents import Manifest

    Snapshot = tuple[Manifest, Mapping[str, pa.Table]]

WIDEST = 76  # digits of decimal256


def compare_snapshots(before: Snapshot, after: Snapshot) -> SnapshotDifference:
    """Every candle that was added, removed or revised, by symbol.

    A value is the same when the number is, whatever the decimals of its column. Of a symbol that only one has, and
    between two timeframes, every candle is added or removed.
    """
    (old, old_tables), (new, new_tables) = before, after
    is_same_bar = old.timeframe == new.timeframe
    symbols = []
    for symbol in sorted({*old_tables, *new_tables}):
        one, other = old_tables.get(symbol), new_tables.get(symbol)
        found = _compare(symbol, one, other) if is_same_bar else _exchange(symbol, one, other)
        if found.added or found.removed or found.revised or found.columns_added or found.columns_removed:
            symbols.append(found)
    return SnapshotDifference(
        before=old.snapshot_id,
        after=new.snapshot_id,
        timeframe_before=old.timeframe,
        timeframe_after=new.timeframe,
        symbols_added=sorted(new_tables.keys() - old_tables.keys()),
        symbols_removed=sorted(old_tables.keys() - new_tables.keys()),
        symbols=symbols,
    )


def _exchange(symbol: str, before: pa.Table | None, after: pa.Table | None) -> SymbolDifference:
    """Everything removed and everything added, at one time or not."""
    parts = [_compare(symbol, before, None)] if before is not None else []
    parts += [_compare(symbol, None, after)] if after is not None else []
    return parts[0].model_copy(update={"added": parts[-1].added})


def _compare(symbol: str, before: pa.Table | None, after: pa.Table | None) -> SymbolDifference:
    either = [table for table in (before, after) if table is not None]
    old, new = (either[0].slice(0, 0) if table is None else table for table in (before, after))
    _, in_old, in_new = np.intersect1d(open_time_ms(old), open_time_ms(new), assume_unique=True, return_indices=True)
    kept, now = old.take(in_old), new.take(in_new)
    names = [name for name in old.column_names if name in new.column_names]
    is_changed = {name: _changed(kept[name], now[name]) for name in names}
    rows = np.flatnonzero(np.any(list(is_changed.values()), axis=0))
    return SymbolDifference(
        symbol=symbol,
        columns_added=[name for name in new.column_names if name not in names],
        columns_removed=[name for name in old.column_names if name not in names],
        n_unchanged=len(in_old) - len(rows),
        added=_listed(new, in_new),
        removed=_listed(old, in_old),
        revised=_revised(kept.take(rows), now.take(rows), {name: mask[rows] for name, mask in is_changed.items()}),
    )


def _changed(one: pa.ChunkedArray, other: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    if pa.types.is_decimal(one.type) and pa.types.is_decimal(other.type):
        common = pa.decimal256(WIDEST, max(one.type.scale, other.type.scale))
        one, other = one.cast(common), other.cast(common)
    return np.asarray(pc.not_equal(one, other), dtype=bool)


def _listed(table: pa.Table, shared: npt.NDArray[np.int64]) -> list[ListedCandle]:
    rows = np.setdiff1d(np.arange(table.num_rows), shared, assume_unique=True)
    columns = print_columns(table.take(rows))
    times = columns.pop(TIME)
    values = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [ListedCandle(open_time_utc=t, values=each) for t, each in zip(times, values, strict=True)]


def _revised(old: pa.Table, new: pa.Table, is_changed: Mapping[str, npt.NDArray[np.bool_]]) -> list[RevisedCandle]:
    one, other = print_columns(old), print_columns(new)
    return [
        RevisedCandle(
            open_time_utc=one[TIME][row],
            before={name: one[name][row] for name, mask in is_changed.items() if mask[row]},
            after={name: other[name][row] for name, mask in is_changed.items() if mask[row]},
        )
        for row in range(old.num_rows)
    ]
