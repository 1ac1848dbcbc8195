"""Which files hold which symbol: BTC_USDT-5m.feather, BTC-USD.parquet, BTCUSDT-1m-2023-02.zip and the like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

SUFFIXES = (".parquet", ".feather", ".csv", ".csv.gz", ".zip")
MAX_LISTED = 8

EXCHANGES = (
    *("binance", "binanceus", "bitfinex", "bitget", "bitmex", "bitstamp", "bybit", "coinbase", "coinbasepro"),
    *("cryptocom", "deribit", "exmo", "ftx", "gate", "gateio", "gemini", "hitbtc", "htx", "huobi", "kraken", "kucoin"),
    *("mexc", "okex", "okx", "poloniex", "upbit"),
)
OTHER_CONTENT = {"funding", "mark", "index", "premium", "premiumindex", "trades", "aggtrades", "bookticker", "depth"}
FUTURES = {"futures", "swap", "perp", "perpetual"}
SPELT_TIMEFRAMES = {"minute": "1m", "hour": "1h", "hourly": "1h", "d": "1d", "day": "1d", "daily": "1d"}
DATE = re.compile(r"(?<![0-9])20[0-9]{2}([-_]?(0[1-9]|1[0-2])([-_]?(0[1-9]|[12][0-9]|3[01]))?)?(?![0-9])")


@dataclass(frozen=True)
class CandleFile:
    """What a file's name says. `series`: the name without date and suffix, the same for parts of one history."""

    name: str
    timeframes: tuple[str, ...]
    is_futures: bool
    is_dated: bool
    series: str


def find_files(symbol: str, timeframe: str, names: Sequence[str], folder: str) -> list[str]:
    """The names for `symbol`: among names that carry a timeframe the asked one, else names that carry none.

    `names` are paths below `folder`, at its top or one folder down: the latter count where the top has nothing. Spot
    goes before futures. Several names only when they are dated parts of one history. Raises InputError when no name
    or more than one history fits.
    """
    named = [file for name in sorted(names) if (file := _describe(name, symbol))]
    fitting = next((fit for level in _levels(named) if (fit := _fitting(level, timeframe))), [])
    if len(fitting) == 1 or (fitting and _are_parts(fitting)):
        return [file.name for file in fitting]
    place = f"{folder}: {symbol} {timeframe}"
    expected = f"one file such as {symbol.replace('/', '_')}-{timeframe}.feather"
    if fitting:
        found = _listed([file.name for file in fitting])
        help_line = "keep one of them in the folder; parts of one history have names that differ in a date alone"
        raise InputError(Problem("files-ambiguous", place, found, expected, help_line))
    others = _listed([file.name for file in named])
    found = f"other timeframes: {others}" if named else f"none for it among: {_listed(sorted(names))}"
    help_line = f"add the file ({', '.join(SUFFIXES)}), or change symbols or timeframe of `snapshot` in params.yaml"
    raise InputError(Problem("files-missing", place, found, expected, help_line))


def is_candle_file(name: str) -> bool:
    """Whether a name ends as candle files do."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _levels(files: Sequence[CandleFile]) -> list[list[CandleFile]]:
    return [[file for file in files if ("/" in file.name) == is_below] for is_below in (False, True)]


def _fitting(files: Sequence[CandleFile], timeframe: str) -> list[CandleFile]:
    exact = [file for file in files if timeframe in file.timeframes]
    fitting = exact or [file for file in files if not file.timeframes]
    return [file for file in fitting if not file.is_futures] or fitting


def _are_parts(files: Sequence[CandleFile]) -> bool:
    return all(file.is_dated for file in files) and len({file.series for file in files}) == 1


def _describe(name: str, symbol: str) -> CandleFile | None:
    """What a name says about `symbol`; None when it is another symbol's or holds no candles."""
    base, quote = symbol.split("/")
    path = PurePosixPath(name)
    prefix = rf"(?:(?:{'|'.join(EXCHANGES)})[^A-Z0-9]+)?"
    part = re.match(rf"{prefix}{base}[^A-Z0-9]?{quote}(?![A-Z0-9])", path.name, re.IGNORECASE)
    if part is None:
        return None
    rest = path.name[part.end() :]
    words = re.split(r"[^A-Za-z0-9]+", rest)
    small = {word.lower() for word in words}
    if small & OTHER_CONTENT:
        return None
    suffix = next((each for each in SUFFIXES if path.name.lower().endswith(each)), "")
    return CandleFile(
        name,
        _timeframes(words),
        is_futures=bool(small & FUTURES) or [word.upper() for word in words[1:2]] == [quote],
        is_dated=DATE.search(rest) is not None,
        series=f"{path.parent}/{part.group()}{DATE.sub('', rest.removesuffix(suffix))}".lower(),
    )


def _timeframes(words: Sequence[str]) -> tuple[str, ...]:
    """Timeframes after the symbol. 1M is a month, every other letter is taken in either case."""
    frames = [word for word in words if re.fullmatch(r"[1-9][0-9]*[smhdwM]", word, re.IGNORECASE)]
    spelt = [SPELT_TIMEFRAMES[word.lower()] for word in words if word.lower() in SPELT_TIMEFRAMES]
    return (*(frame if frame.endswith("M") else frame.lower() for frame in frames), *spelt)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return (", ".join(names[:MAX_LISTED]) or "no candle files") + more
