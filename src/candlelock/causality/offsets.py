"""How far from a row the bar lies that its value must not depend on, found by bisection over what is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts import seeds
from candlelock.causality.other_candles import between, replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.causality.examination import Examination
    from candlelock.features.market import Array, Market

REACHES = (64, 1_024)  # bars tried before the whole history: most leaks are short
SIZES = (3.0, 1 / 3)  # a maximum answers to larger candles, a minimum to smaller ones


def bars_ahead(exam: Examination, number: int, symbol: int, bar: int) -> int | None:
    """Bars from a row to the first later one whose candles, once others, alter its value; None where none does."""
    for reach in (*REACHES, exam.n_bars):
        found = altered_by(exam, number, symbol, bar, reach)
        if found and (found < reach or bar + found == exam.n_bars - 1):  # else it may be the last row that matters
            return found
    return _bars_needed(exam, number, symbol, bar)


def altered_by(exam: Examination, number: int, symbol: int, bar: int, reach: int) -> int | None:
    """The same among the next `reach` bars, in a market of as many bars before the look-back."""
    first = max(0, bar - int(exam.warmup[number]) - reach)
    market = between(exam.market, first, bar + 1 + reach)
    at = bar - first
    is_altered = _altered(exam, number, symbol, market, at)
    return _smallest(lambda n: is_altered(at + 1, at + 1 + n), len(market.open_time_ms) - 1 - at)


def bars_behind(exam: Examination, number: int, symbol: int, bar: int) -> int | None:
    """Bars from a row back to the furthest one whose candles, once others, alter its value.

    Not sought further back than eight look-backs or a thousand bars. None where no old candle alters it.
    """
    warmup = int(exam.warmup[number])
    first = max(0, bar - max(8 * warmup, REACHES[-1]))
    is_altered = _altered(exam, number, symbol, between(exam.market, first, bar + 1), bar - first)
    n_kept = _smallest(lambda n: not is_altered(0, bar - first + 1 - n), bar - first + 1)
    return n_kept - 1 if n_kept and n_kept - 1 > warmup else None


def _altered(exam: Examination, number: int, symbol: int, market: Market, bar: int) -> Callable[[int, int], bool]:
    """Whether replacing bars `first` up to `end` of all symbols alters the value at `bar`."""
    before = _value(exam, number, market, symbol, bar)

    def test(first: int, end: int) -> bool:
        if end <= first or before is None:
            return False
        for turn, size in enumerate(SIZES):
            seed = seeds.derive(exam.seed, f"offset/{turn}")
            now = _value(exam, number, replaced(market, first, end, seed, size=size), symbol, bar)
            if now is not None and exam.differ(number, now, before):
                return True
        return False

    return test


def _bars_needed(exam: Examination, number: int, symbol: int, bar: int) -> int | None:
    """Later bars that have to exist for the value to be that of all candles, where what is in them does not matter."""
    whole = exam.values[number, symbol, bar : bar + 1]

    def is_as_whole(n_bars: int) -> bool:
        now = _value(exam, number, between(exam.market, 0, bar + 1 + n_bars), symbol, bar)
        return now is not None and not exam.differ(number, now, whole)

    return None if is_as_whole(0) else _smallest(is_as_whole, exam.n_bars - 1 - bar)


def _value(exam: Examination, number: int, market: Market, symbol: int, bar: int) -> Array | None:
    """The value at one row as an array of one; None when the build fails."""
    entry = exam.entries[number]
    try:
        return np.asarray(exam.subject.build(market, [entry])[entry.name][symbol, bar : bar + 1])
    except Exception:  # a plug-in may raise on drawn candles; the violation it is asked about stands without an offset
        return None


def _smallest(holds: Callable[[int], bool], most: int) -> int | None:
    """The smallest n from 1 to `most` that holds, if holding goes on once it has begun; None if `most` does not."""
    low, high = 0, 1
    while high < most and not holds(high):
        low, high = high, 2 * high
    high = min(high, most)
    if high < 1 or not holds(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
