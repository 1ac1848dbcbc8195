"""Every kind of fault: where it strikes, what it does and what its argument is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from candlelock.simulator import answer_faults, connection_faults, row_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

Layer = Literal["exchange", "rows", "answer", "connection"]
Value = int | float | str
KLINES, TIME, BOOKS = frozenset({"klines"}), frozenset({"time"}), frozenset({"klines", "info"})
ROWS = ("first", "middle", "last")


@dataclass(frozen=True)
class Argument:
    """What a rule's argument means. `choices` empty: a number from `least` on."""

    meaning: str
    default: Value | None
    choices: tuple[str, ...] = ()
    least: float = 0
    is_whole: bool = False

    def accepts(self, value: object) -> bool:
        """Whether a rule may have this argument."""
        if self.choices:
            return value in self.choices
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and value >= self.least and (isinstance(value, int) or not self.is_whole)  # type: ignore[operator]


@dataclass(frozen=True)
class Kind:
    """A kind of fault. `endpoints` None: any."""

    layer: Layer
    meaning: str
    endpoints: frozenset[str] | None = None
    argument: Argument | None = None


_ROW = Argument("which row: first, middle or last; by the seed when null", None, ROWS)
_N_ROWS = Argument("how many rows", 3, least=1, is_whole=True)
_ARGUMENTS: Mapping[str, Argument] = {
    "wrong_unit": Argument("the unit: s, ms or us", "us", tuple(row_faults.UNITS)),
    "missing_rows": _N_ROWS,
    "rows_before_start": _N_ROWS,
    "rows_after_end": _N_ROWS,
    "status_429": Argument("seconds to wait, in Retry-After", 1, is_whole=True),
    "status_418": Argument("seconds to wait, in Retry-After", 1, is_whole=True),
    "slow_drip": Argument("seconds between two bytes", 0.05),
    "huge_body": Argument("bytes", 1 << 30, least=1, is_whole=True),
    "gzip_bomb": Argument("bytes when unpacked", 1 << 30, least=1, is_whole=True),
}
_WHOLE_PAGE = {
    "empty_page", "short_page", "duplicate_page", "unsorted_rows", "reversed_rows", "open_candle", "wrong_symbol",
    "wrong_timeframe", "numbers_not_strings", "exponents", "string_times",
}  # fmt: skip


def _described(meaning: str | None) -> str:
    return " ".join((meaning or "").split())


def _row_kind(name: str, meaning: str | None) -> Kind:
    argument = _ARGUMENTS.get(name) or (None if name in _WHOLE_PAGE else _ROW)
    return Kind("rows", _described(meaning), KLINES, argument)


KINDS: Mapping[str, Kind] = {
    "delisted": Kind("exchange", "The symbol is halted in the list of markets and has no candles.", BOOKS),
    "unknown_symbol": Kind("exchange", "The symbol is in no list and its candles are refused.", BOOKS),
    "bad_interval": Kind("exchange", "The timeframe is refused.", KLINES),
    "clock_skew": Kind(
        "exchange",
        "The exchange tells a wrong time; its Date header is right.",
        TIME,
        Argument("milliseconds ahead", 60_000, least=-1e15, is_whole=True),
    ),
    **{name: _row_kind(name, edit.__doc__) for name, edit in row_faults.EDITS.items()},
    **{
        name: Kind("answer", _described(edit.__doc__), None, _ARGUMENTS.get(name))
        for name, edit in answer_faults.EDITS.items()
    },
    **{
        name: Kind("connection", _described(sender.__doc__), None, _ARGUMENTS.get(name))
        for name, sender in connection_faults.SENDERS.items()
    },
    "refused": Kind(
        "connection", "Nobody listens; open connections are closed.", None, Argument("seconds", 0.5, least=0)
    ),
}
