"""The candles of one symbol in memory, rendered once so that a page of them is a slice of bytes.

Does not belong here: which rows an exchange would send (`binance`, `kraken`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

TIME = "open_time_utc"


@dataclass(frozen=True)
class Market:
    """A symbol's candles: `table` as in contracts.tables, `open_time_ms` its times as int64, `bar_ms` the bar."""

    symbol: str
    timeframe: str
    bar_ms: int
    open_time_ms: npt.NDArray[np.int64]
    table: pa.Table

    @classmethod
    def of(cls, symbol: str, timeframe: str, bar_ms: int, table: pa.Table) -> Market:
        """A market of a checked candle table."""
        times = np.asarray(table[TIME].combine_chunks().cast(pa.int64()), dtype=np.int64)
        return cls(symbol, timeframe, bar_ms, times, table)

    @property
    def end_ms(self) -> int:
        """When the last candle closes."""
        return int(self.open_time_ms[-1]) + self.bar_ms

    def scale_of(self, name: str) -> int:
        """Decimals of a column."""
        return int(self.table[name].type.scale)

    def texts(self, name: str, min_decimals: int, default: str) -> pa.Array | str:
        """A column as plain text with at least `min_decimals` decimals, or `default` where there is no such column."""
        if name not in self.table.column_names:
            return default
        values = self.table[name].combine_chunks()
        return decimal_texts(values, min_decimals) if pa.types.is_decimal(values.type) else _integer_texts(values)

    def times(self, unit_ms: int, offset_ms: int = 0) -> pa.Array:
        """Open times, moved by `offset_ms`, as whole numbers of `unit_ms` in text."""
        return pa.array((self.open_time_ms + offset_ms) // unit_ms).cast(pa.large_string())

    def between(self, start_ms: int | None, end_ms: int) -> tuple[int, int]:
        """First row that opens at or after `start_ms` (None: 0), and the row after the last that opens by `end_ms`."""
        first = 0 if start_ms is None else int(np.searchsorted(self.open_time_ms, start_ms))
        return first, int(np.searchsorted(self.open_time_ms, end_ms, side="right"))

    def is_open(self, row: int, now_ms: int) -> bool:
        """Whether the bar of `row` (from 0) closes later than now."""
        return int(self.open_time_ms[row]) + self.bar_ms > now_ms


@dataclass(frozen=True)
class Rows:
    """Rows as one run of bytes: row n (from 0) and its comma are `content[edges[n]:edges[n + 1]]`."""

    content: memoryview
    edges: npt.NDArray[np.int64]

    def page(self, first: int, stop: int) -> bytes:
        """Rows `first` up to, not including, `stop`, joined by commas."""
        return bytes(self.content[self.edges[first] : self.edges[stop] - 1]) if first < stop else b""


def render(pieces: Sequence[pa.Array | str]) -> Rows:
    """Each row the texts of `pieces` (columns and constants) in order, in brackets."""
    parts = [piece if isinstance(piece, str) else piece.cast(pa.large_string()) for piece in ("[", *pieces, "],")]
    scalars = [_text(part) if isinstance(part, str) else part for part in parts]
    joined = pc.binary_join_element_wise(*scalars, _text(""), null_handling="replace", null_replacement="0")
    _, edges, content = joined.buffers()
    return Rows(memoryview(content), np.frombuffer(edges, dtype=np.int64)[: len(joined) + 1])


def decimal_texts(values: pa.Array, min_decimals: int) -> pa.Array:
    """Non-negative decimal128 values digit by digit. Arrow's own cast prints small ones with an exponent."""
    scale = values.type.scale
    whole = pa.Array.from_buffers(pa.decimal128(38, 0), len(values), values.buffers(), offset=values.offset)
    digits = pc.utf8_lpad(whole.cast(pa.large_string()), scale + 1, "0")
    if scale:
        before = pc.utf8_slice_codeunits(digits, 0, -scale)
        digits = pc.binary_join_element_wise(before, pc.utf8_slice_codeunits(digits, -scale), _text("."))
    missing = max(min_decimals - scale, 0)
    ending = ("" if scale or not missing else ".") + "0" * missing
    return pc.binary_join_element_wise(digits, _text(ending), _text(""))


def _integer_texts(values: pa.Array) -> pa.Array:
    return values.cast(pa.large_string())


def _text(value: str) -> pa.Scalar:
    return pa.scalar(value, pa.large_string())
