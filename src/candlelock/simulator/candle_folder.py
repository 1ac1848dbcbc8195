"""Which symbols and timeframes a folder of candle files holds, by the files' names, and their candles as markets."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.params import bar_seconds
from candlelock.simulator.market import Market
from candlelock.snapshot import files
from candlelock.snapshot.file_names import EXCHANGES, SUFFIXES
from candlelock.snapshot.validation import candle_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUOTES = (
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "GBP", "JPY", "TRY", "BRL", "AUD", "CAD", "CHF", "DAI",
    "BTC", "XBT", "ETH", "BNB",
)  # fmt: skip
TIMEFRAME = re.compile(r"[1-9][0-9]*[mhd]")


def load_markets(folder: Path, timeframe: str | None) -> list[Market]:
    """Every symbol of the folder at `timeframe`, or at every timeframe that file names carry; sorted.

    Files whose names carry no timeframe count as `timeframe`. Files that name no symbol are left out.
    Raises InputError for a folder without candles and for every file that breaks the rules of candle files.
    """
    if not folder.is_dir():
        help_line = "name the folder with the candle files"
        raise InputError(
            Problem("simulator-data", str(folder), "no such folder", "a folder of candle files", help_line)
        )
    if timeframe and not TIMEFRAME.fullmatch(timeframe):
        expected, help_line = "a number and m, h or d, such as 1m", "name the timeframe of the files"
        raise InputError(Problem("simulator-data", "--timeframe", timeframe, expected, help_line))
    wanted = sorted(set(_named_in(folder, timeframe)))
    if not wanted:
        expected = "files such as BTC_USDT-1m.feather" + (f" of {timeframe} bars" if timeframe else "")
        help_line = "rename the files, or name the timeframe of files that do not carry one with --timeframe"
        raise InputError(Problem("simulator-data", str(folder), "no file names a symbol", expected, help_line))
    markets: list[Market] = []
    problems: list[Problem] = []
    for symbol, frame in wanted:
        try:
            markets.append(_load(folder, symbol, frame))
        except InputError as error:
            problems.extend(error.problems)
    raise_if(problems)
    return markets


def _load(folder: Path, symbol: str, timeframe: str) -> Market:
    bar_ms = 1000 * bar_seconds(timeframe)
    raw, _ = files.read([symbol], timeframe, folder)
    return Market.of(symbol, timeframe, bar_ms, candle_table(raw[symbol], bar_ms, 1))


def _named_in(folder: Path, timeframe: str | None) -> Iterator[tuple[str, str]]:
    for path in folder.iterdir():
        stem = next((path.name[: -len(end)] for end in SUFFIXES if path.name.lower().endswith(end)), "")
        words = re.findall(r"[A-Za-z0-9]+", stem)
        symbol = find_symbol(words)
        frames = [word for word in words if TIMEFRAME.fullmatch(word)] or [timeframe]
        if symbol and frames[-1] and timeframe in (None, frames[-1]):
            yield symbol, frames[-1]


def find_symbol(words: list[str]) -> str | None:
    """BTC/USDT of ["binance", "BTCUSDT", "1m"], of ["BTC", "USDT"] and their like; None where no word names one."""
    parts = [word.upper() for word in words if word.lower() not in EXCHANGES and not TIMEFRAME.fullmatch(word)]
    for word, after in itertools.zip_longest(parts, parts[1:]):
        if after in QUOTES:
            return f"{word}/{after}"
        quote = next((quote for quote in QUOTES if word.endswith(quote) and len(word) > len(quote) + 1), None)
        if quote:
            return f"{word.removesuffix(quote)}/{quote}"
    return None
