"""Prices, volumes and counts of candles: what they must keep, and the columns that hold them exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.contracts.tables import EXTRA_COLUMNS
from candlelock.snapshot import decimals
from candlelock.snapshot.raw_candles import AMOUNTS, PRICES, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from candlelock.snapshot.decimals import Numbers
    from candlelock.snapshot.raw_candles import RawCandles

    Broken = tuple[Rule, tuple[str, ...], npt.NDArray[np.int64]]

EXTRAS = tuple(column.name for column in EXTRA_COLUMNS)
COUNT = "n_trades"
TAKER_SHARES = (("taker_buy_volume", "volume"), ("taker_buy_quote_volume", "quote_volume"))

MEND = "mend or remove the row at its source"
MEND_EXTRA = "mend the row at its source, or remove the column: it is optional"
IS_NUMBER = Rule("candles-number", "a decimal number with at most 38 decimals, below 1e37", MEND)
IS_PRICE = Rule("candles-price", "a price above zero", MEND)
IS_VOLUME = Rule("candles-volume", "a volume of zero or more", MEND)
IS_HIGHEST = Rule("candles-high", "high at or above open, low and close", MEND)
IS_LOWEST = Rule("candles-low", "low at or below open, high and close", MEND)
IS_COUNT = Rule("candles-count", "a whole number of zero or more, below 1e18", MEND_EXTRA)
IS_SHARE = Rule("candles-taker", "the takers' part at or below the whole volume", MEND_EXTRA)
IS_MEAN = Rule("candles-vwap", "vwap from low to high, or zero where the source gives none", MEND_EXTRA)


def parse(raw: RawCandles) -> dict[str, Numbers]:
    """The numbers of each column of `select_columns` that holds some, in the contract's order."""
    names = [name for name in (*AMOUNTS, *EXTRAS) if name in raw.table.column_names]
    return {name: decimals.parse(raw.table[name].combine_chunks()) for name in names}


def find_broken(numbers: Mapping[str, Numbers]) -> Iterator[Broken]:
    """Each rule, the columns to show and the rows (from 0) that break it. What is no number breaks only that rule."""
    for name, each in numbers.items():
        yield IS_NUMBER, (name,), np.flatnonzero(~each.is_known)
    for name in PRICES:
        yield IS_PRICE, (name,), np.flatnonzero(numbers[name].is_known & (numbers[name].mantissas <= 0))
    for name, each in numbers.items():
        if name not in (*PRICES, COUNT, "vwap"):
            yield IS_VOLUME, (name,), np.flatnonzero(each.mantissas < 0)
    prices = decimals.share_scale([numbers[name] for name in PRICES])
    _, high, low, _ = prices
    yield IS_HIGHEST, PRICES, np.flatnonzero(np.any([_is_below(high, each) for each in prices], axis=0))
    yield IS_LOWEST, PRICES, np.flatnonzero(np.any([_is_below(each, low) for each in prices], axis=0))
    yield from _find_broken_extras(numbers)


def columns(numbers: Mapping[str, Numbers]) -> dict[str, pa.Array] | None:
    """The columns that hold the numbers: prices with one scale, others each with its own, counts as int64.

    None when a column needs more than 38 digits.
    """
    narrow = {name: decimals.narrow([each]) for name, each in numbers.items() if name not in PRICES}
    prices = decimals.narrow([numbers[name] for name in PRICES])
    if prices is None or None in narrow.values():
        return None
    found = dict(zip(PRICES, prices, strict=True)) | {name: each[0] for name, each in narrow.items() if each}
    if COUNT in found:
        found[COUNT] = pa.array(_whole(numbers[COUNT])[0])
    return found


def _find_broken_extras(numbers: Mapping[str, Numbers]) -> Iterator[Broken]:
    if COUNT in numbers:
        whole, is_whole = _whole(numbers[COUNT])
        yield IS_COUNT, (COUNT,), np.flatnonzero(numbers[COUNT].is_known & ~(is_whole & (whole >= 0)))
    for part, whole_name in TAKER_SHARES:
        if part in numbers and whole_name in numbers:
            one, other = decimals.share_scale([numbers[part], numbers[whole_name]])
            yield IS_SHARE, (part, whole_name), np.flatnonzero(_is_below(other, one))
    if "vwap" in numbers:
        low, mean, high = decimals.share_scale([numbers[name] for name in ("low", "vwap", "high")])
        is_traded = numbers["volume"].mantissas > 0
        is_outside = (_is_below(mean, low) | _is_below(high, mean)) & is_traded & (mean.mantissas > 0)
        yield IS_MEAN, ("vwap", "low", "high"), np.flatnonzero(is_outside | (mean.mantissas < 0))


def _is_below(one: Numbers, other: Numbers) -> npt.NDArray[np.bool_]:
    return np.asarray(one.is_known & other.is_known & (one.mantissas < other.mantissas), dtype=bool)


def _whole(numbers: Numbers) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The numbers as int64 and where they are whole and below 1e18; 0 elsewhere."""
    unit, end = 10**numbers.scale, 10**decimals.SHORT
    if numbers.mantissas.dtype != object and unit > end:
        is_whole = numbers.mantissas == 0
    else:
        is_whole = (numbers.mantissas % unit == 0) & (abs(numbers.mantissas // unit) < end)
    return (np.where(is_whole, numbers.mantissas, 0) // unit).astype(np.int64), is_whole
