"""Which file of a folder holds which symbol: BTC_USDT-5m.feather, BTC-USD.parquet, BTCUSDT-1m.csv and their like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

SUFFIXES = (".parquet", ".feather", ".csv", ".csv.gz")
MAX_LISTED = 8


def find_file(symbol: str, timeframe: str, names: Sequence[str], folder: str) -> str:
    """The one name for `symbol`: among names that carry a timeframe the asked one, else a name that carries none.

    Raises InputError when no name or more than one fits.
    """
    named = sorted(name for name in names if _names_symbol(name, symbol))
    exact = [name for name in named if timeframe in _timeframes(name, symbol)]
    fitting = exact or [name for name in named if not _timeframes(name, symbol)]
    if len(fitting) == 1:
        return fitting[0]
    place, expected = (
        f"{folder}: {symbol} {timeframe}",
        f"one file such as {symbol.replace('/', '_')}-{timeframe}.feather",
    )
    if fitting:
        help_line = "keep one of them in the folder; join files that hold parts of one history"
        raise InputError(Problem("files-ambiguous", place, _listed(fitting), expected, help_line))
    found = f"other timeframes: {_listed(named)}" if named else f"none for it among: {_listed(sorted(names))}"
    help_line = f"add the file ({', '.join(SUFFIXES)}), or change symbols or timeframe of `snapshot` in params.yaml"
    raise InputError(Problem("files-missing", place, found, expected, help_line))


def is_candle_file(name: str) -> bool:
    """Whether a name ends as candle files do."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _names_symbol(name: str, symbol: str) -> bool:
    return _symbol_part(name, symbol) is not None


def _symbol_part(name: str, symbol: str) -> re.Match[str] | None:
    base, quote = symbol.split("/")
    return re.match(rf"{base}[^A-Z0-9]?{quote}(?![A-Z0-9])", name, re.IGNORECASE)


def _timeframes(name: str, symbol: str) -> list[str]:
    """Timeframes after the symbol. 1M is a month, every other letter is taken in either case."""
    part = _symbol_part(name, symbol)
    words = re.split(r"[^A-Za-z0-9]+", name[part.end() :]) if part else []
    frames = [word for word in words if re.fullmatch(r"[1-9][0-9]*[smhdwM]", word, re.IGNORECASE)]
    return [frame if frame.endswith("M") else frame.lower() for frame in frames]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return (", ".join(names[:MAX_LISTED]) or "no candle files") + more
