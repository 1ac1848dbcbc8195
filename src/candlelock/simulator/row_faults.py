"""Faults in the rows of a page: what a server may say about candles that is not so."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from candlelock.simulator.dialect import Row, RowShape, partial_row

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

UNICODE_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
UNITS = {"s": 1 / 1000, "ms": 1, "us": 1000}


@dataclass(frozen=True)
class PageContext:
    """What an edit may look at besides the rows. Times and `bar` in the units of the rows.

    `rows_between` gives the market's own rows by their numbers, `first` and `stop` are the page's, `previous` the page
    of this symbol sent before it, `other` the page of another symbol, `current` the open time of the running bar.
    """

    shape: RowShape
    bar: int
    first: int
    stop: int
    current: int
    rows_between: Callable[[int, int], list[Row]]
    previous: list[Row]
    other: list[Row]
    argument: Any
    chance: np.random.Generator

    def pick(self, rows: list[Row]) -> int:
        """The row to spoil: the first, last or middle one as the argument says, else one by the seed."""
        fixed = {"first": 0, "last": len(rows) - 1, "middle": len(rows) // 2}
        return fixed.get(self.argument, int(self.chance.integers(len(rows))))


def empty_page(rows: list[Row], page: PageContext) -> list[Row]:
    """No rows, although there are some."""
    return []


def short_page(rows: list[Row], page: PageContext) -> list[Row]:
    """Only the first half of the rows."""
    return rows[: len(rows) // 2]


def missing_rows(rows: list[Row], page: PageContext) -> list[Row]:
    """Rows lack in the middle, as while an exchange is under maintenance."""
    n = min(page.argument, max(len(rows) - 2, 0))
    at = 1 + int(page.chance.integers(max(len(rows) - n - 1, 1)))
    return rows[:at] + rows[at + n :]


def duplicate_rows(rows: list[Row], page: PageContext) -> list[Row]:
    """A row stands twice."""
    at = page.pick(rows)
    return [*rows[: at + 1], *rows[at:]]


def conflicting_rows(rows: list[Row], page: PageContext) -> list[Row]:
    """A time stands twice, with two different closes."""
    at = page.pick(rows)
    return [*rows[: at + 1], _revised(rows[at], page.shape), *rows[at + 1 :]]


def duplicate_page(rows: list[Row], page: PageContext) -> list[Row]:
    """The page sent before for this symbol, again."""
    return page.previous


def unsorted_rows(rows: list[Row], page: PageContext) -> list[Row]:
    """The rows in another order."""
    order = page.chance.permutation(len(rows)).tolist()
    return [rows[i] for i in (order if order != sorted(order) else order[::-1])]


def reversed_rows(rows: list[Row], page: PageContext) -> list[Row]:
    """The newest row first."""
    return rows[::-1]


def rows_before_start(rows: list[Row], page: PageContext) -> list[Row]:
    """Rows before the asked start."""
    n = page.argument
    before = page.rows_between(max(page.first - n, 0), page.first)
    return [*(before or [_moved(row, page, -n * page.bar) for row in rows[:n]]), *rows]


def rows_after_end(rows: list[Row], page: PageContext) -> list[Row]:
    """Rows after the asked end."""
    n = page.argument
    after = page.rows_between(page.stop, page.stop + n)
    return [*rows, *(after or [_moved(row, page, n * page.bar) for row in rows[-n:]])]


def open_candle(rows: list[Row], page: PageContext) -> list[Row]:
    """The candle of the running bar at the end, unfinished."""
    if rows[-1][page.shape.time] >= page.current:
        return [*rows[:-1], partial_row(rows[-1], page.shape)]
    return [*rows, _moved(partial_row(rows[-1], page.shape), page, page.current - rows[-1][page.shape.time])]


def changed_row(rows: list[Row], page: PageContext) -> list[Row]:
    """A candle whose high and close are one digit above those it has otherwise; it looks sound."""
    at = page.pick(rows)
    return [*rows[:at], _revised(rows[at], page.shape), *rows[at + 1 :]]


def wrong_symbol(rows: list[Row], page: PageContext) -> list[Row]:
    """Candles of another symbol; of other bars where there is no other symbol."""
    time = page.shape.time
    if page.other:
        return page.other
    return [[own[time], *row[time + 1 :]] for own, row in zip(rows, rows[1:] + rows[:1], strict=True)]


def wrong_timeframe(rows: list[Row], page: PageContext) -> list[Row]:
    """Bars of twice the length."""
    return rows[::2]


def off_grid(rows: list[Row], page: PageContext) -> list[Row]:
    """A time that is not a multiple of the bar."""
    at = page.pick(rows)
    return [*rows[:at], _moved(rows[at], page, page.bar // 3), *rows[at + 1 :]]


def wrong_unit(rows: list[Row], page: PageContext) -> list[Row]:
    """Times in another unit."""
    factor = UNITS[page.argument] * page.shape.unit_ms
    places = {page.shape.time, page.shape.close_time}
    return [[int(value * factor) if i in places else value for i, value in enumerate(row)] for row in rows]


def short_row(rows: list[Row], page: PageContext) -> list[Row]:
    """A row that ends before the close."""
    return _with(rows, page, lambda row: row[: page.shape.close])


def long_row(rows: list[Row], page: PageContext) -> list[Row]:
    """A row with a value too many in front of the prices."""
    return _with(rows, page, lambda row: [row[0], "1.0", *row[1:]])


def high_below_low(rows: list[Row], page: PageContext) -> list[Row]:
    """A row whose high lies below its low."""
    shape = page.shape
    return _with(rows, page, lambda row: _set(row, shape.high, f"{Decimal(row[shape.low]) / 2:f}"))


def zero_price(rows: list[Row], page: PageContext) -> list[Row]:
    """A row with a price of zero."""
    return _with(rows, page, lambda row: _set(row, page.shape.low, "0.00000000"))


def negative_volume(rows: list[Row], page: PageContext) -> list[Row]:
    """A row with a volume below zero."""
    return _with(rows, page, lambda row: _set(row, page.shape.volume, "-1.00000000"))


def numbers_not_strings(rows: list[Row], page: PageContext) -> list[Row]:
    """Amounts as JSON numbers instead of strings."""
    return [[float(v) if i in page.shape.amounts else v for i, v in enumerate(row)] for row in rows]


def exponents(rows: list[Row], page: PageContext) -> list[Row]:
    """Amounts in exponent notation, with the same values."""
    return [[f"{Decimal(v):E}" if i in page.shape.amounts else v for i, v in enumerate(row)] for row in rows]


def unicode_digits(rows: list[Row], page: PageContext) -> list[Row]:
    """A row with a price in Arabic-Indic digits."""
    close = page.shape.close
    return _with(rows, page, lambda row: _set(row, close, str(row[close]).translate(UNICODE_DIGITS)))


def string_times(rows: list[Row], page: PageContext) -> list[Row]:
    """Times as strings."""
    return [_set(row, page.shape.time, str(row[page.shape.time])) for row in rows]


def not_rows(rows: list[Row], page: PageContext) -> list[Any]:
    """A null where a row should stand."""
    at = page.pick(rows)
    return [*rows[:at], None, *rows[at + 1 :]]


def _putting(value: Any, meaning: str) -> RowEdit:  # noqa: ANN401
    def put(rows: list[Row], page: PageContext) -> list[Row]:
        place = page.shape.amounts[int(page.chance.integers(len(page.shape.amounts)))]
        return _with(rows, page, lambda row: _set(row, place, value))

    put.__doc__ = f"An amount that is {meaning}."
    return put


def _with(rows: list[Row], page: PageContext, edit: Callable[[Row], Row]) -> list[Row]:
    at = page.pick(rows)
    return [*rows[:at], edit(rows[at]), *rows[at + 1 :]]


def _set(row: Row, place: int, value: Any) -> Row:  # noqa: ANN401
    return [*row[:place], value, *row[place + 1 :]]


def _moved(row: Row, page: PageContext, by: int) -> Row:
    places = {page.shape.time, page.shape.close_time}
    return [value + by if i in places else value for i, value in enumerate(row)]


def _revised(row: Row, shape: RowShape) -> Row:
    high = Decimal(row[shape.high])
    digit = Decimal(1).scaleb(int(high.as_tuple().exponent))
    return _set(_set(row, shape.high, f"{high + digit:f}"), shape.close, f"{high + digit:f}")


if TYPE_CHECKING:
    RowEdit = Callable[[list[Row], PageContext], list[Row]]

_PLAIN = (
    empty_page, short_page, missing_rows, duplicate_rows, conflicting_rows, duplicate_page, unsorted_rows,
    reversed_rows, rows_before_start, rows_after_end, open_candle, changed_row, wrong_symbol, wrong_timeframe,
    off_grid, wrong_unit, short_row, long_row, high_below_low, zero_price, negative_volume, numbers_not_strings,
    exponents, unicode_digits, string_times, not_rows,
)  # fmt: skip
EDITS: dict[str, RowEdit] = {edit.__name__: edit for edit in _PLAIN} | {
    "nan": _putting("NaN", 'the string "NaN"'),
    "nan_literal": _putting(float("nan"), "a bare NaN, which is no JSON"),
    "none": _putting(None, "null"),
    "infinity": _putting("Infinity", 'the string "Infinity"'),
    "empty_string": _putting("", "an empty string"),
    "huge_number": _putting("9" * 5000, "a number of 5,000 digits"),
}


def spoil(kind: str, rows: list[Row], page: PageContext) -> list[Row]:
    """The rows with the fault `kind`; where a page has no row that could be spoiled, as they are."""
    if not rows and kind not in ("duplicate_page", "rows_before_start", "rows_after_end"):
        return rows
    return EDITS[kind](rows, page)
