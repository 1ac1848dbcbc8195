"""One answer held against what was asked: its candles are sound, in order, on the grid and within the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.contracts.documents import utc_text
from candlelock.contracts.errors import InputError
from candlelock.snapshot.exchange.coverage import times_of
from candlelock.snapshot.exchange.faults import BadAnswerError
from candlelock.snapshot.raw_candles import AMOUNTS, RawCandles
from candlelock.snapshot.validation import candle_table

if TYPE_CHECKING:
    from candlelock.snapshot.exchange.span import Span


def check_page(table: pa.Table, page: Span, is_bounded: bool) -> pa.Table:
    """The candles of `table` that open within `page`. `is_bounded`: the exchange was told where the page ends.

    Raises BadAnswerError for unsorted, repeated, shifted, broken or unasked candles. Missing ones are not judged here.
    """
    times_ms = times_of(table)
    _require_order(times_ms, page.bar_ms)
    if len(times_ms) and times_ms[0] < page.start_ms:
        raise BadAnswerError(f"it starts at {utc_text(int(times_ms[0]))}, before {utc_text(page.start_ms)}")
    if is_bounded and len(times_ms) and times_ms[-1] >= page.end_ms:
        raise BadAnswerError(f"it goes to {utc_text(int(times_ms[-1]))}, beyond {utc_text(page.end_ms)}")
    inside = table.slice(0, int(np.searchsorted(times_ms, page.end_ms)))
    if inside.num_rows:
        _require_sound(inside, page)
    return inside


def _require_order(times_ms: np.ndarray, bar_ms: int) -> None:
    steps = np.diff(times_ms)
    for is_wrong, what in ((steps < 0, "is older than the row above"), (steps == 0, "comes twice")):
        if is_wrong.any():
            raise BadAnswerError(f"the candle of {utc_text(int(times_ms[1:][is_wrong][0]))} {what}")
    off = times_ms[times_ms % bar_ms != 0]
    if len(off):
        raise BadAnswerError(f"{utc_text(int(off[0]))} ({off[0]} ms) does not open a bar of {bar_ms // 60_000} minutes")


def _looks_sound(table: pa.Table) -> bool:
    """A quick look in float64, which finds what is broken; the exact one on publication would, too, but too late."""
    try:
        opened, high, low, close, volume = (np.asarray(table[name].cast(pa.float64())) for name in AMOUNTS)
    except pa.ArrowInvalid:
        return False
    is_sound = (low > 0) & (low <= np.minimum(opened, close)) & (high >= np.maximum(opened, close)) & (volume >= 0)
    return bool((is_sound & np.isfinite(high) & np.isfinite(volume)).all())


def _require_sound(table: pa.Table, page: Span) -> None:
    """The rules are those of any source; whether bars are missing shows when all pages are there."""
    if _looks_sound(table):
        return
    try:
        candle_table(RawCandles("answer", has_lines=False, table=table), page.bar_ms, min_rows=1)
    except InputError as error:
        problems = [problem for problem in error.problems if problem.code != "candles-timeframe"]
        if problems:
            first = problems[0]
            raise BadAnswerError(
                f"{first.place.removeprefix('answer ')}: {first.found}; not {first.expected}"
            ) from None
