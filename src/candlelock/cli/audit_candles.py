"""The candles that `candlelock audit` looks at: a snapshot's, or those of any folder of candle files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from candlelock.contracts import files
from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.params import bar_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from candlelock.contracts.snapshot_documents import Manifest
    from candlelock.features.market import Market

MIN_CANDLES = 200  # of a symbol: with fewer there is nothing to cut
TIMEFRAME = re.compile(r"[1-9][0-9]*[mhd]")


def read_market(root: Path, folder: Path | None, timeframe: str | None) -> tuple[Market, str | None]:
    """The market of a folder, and the id of the snapshot it is; of the project's own snapshot when there is no folder.

    Raises InputError for a folder without candles, for files that break the rules of candle files, and where it is not
    clear how long a bar is.
    """
    from candlelock.features.market import align

    place = folder or root / files.SNAPSHOT
    if folder is None or (place / files.MANIFEST.name).is_file():
        market, manifest = read_snapshot(place, root / files.ORDER_BOOKS if folder is None else None)
        if timeframe not in (None, manifest.timeframe):
            found = f"--timeframe {timeframe}, but bars of {manifest.timeframe}"
            raise InputError(_problem(str(place), found, "the snapshot's timeframe", "leave --timeframe out"))
        return market, manifest.snapshot_id
    frame, symbols = _symbols(place, timeframe)
    return align(_read(place, frame, symbols), 1000 * bar_seconds(frame)), None


def read_snapshot(place: Path, books: Path | None) -> tuple[Market, Manifest]:
    """The market of a snapshot, with the order books of a folder of recordings, and the snapshot's manifest."""
    from candlelock.features.market import align, with_books
    from candlelock.orderbook import book_bars
    from candlelock.snapshot import candles

    manifest, frames = candles.read(place)
    tables = book_bars.read_all(books, manifest.timeframe) if books else {}
    return with_books(align(frames, 1000 * bar_seconds(manifest.timeframe)), tables), manifest


def _read(folder: Path, timeframe: str, symbols: list[str]) -> dict[str, pd.DataFrame]:
    """Symbol -> candles, as the source `files` reads and checks them."""
    from candlelock.snapshot import candles
    from candlelock.snapshot import files as source
    from candlelock.snapshot.validation import candle_table

    raw, _ = source.read(symbols, timeframe, folder)
    frames: dict[str, pd.DataFrame] = {}
    problems: list[Problem] = []
    for symbol, each in raw.items():
        try:
            frames[symbol] = candles.to_frame(candle_table(each, 1000 * bar_seconds(timeframe), MIN_CANDLES))
        except InputError as error:
            problems += error.problems
    raise_if(problems)
    return frames


def _symbols(folder: Path, timeframe: str | None) -> tuple[str, list[str]]:
    """The timeframe, asked for or the only one that names carry, and the symbols that have a file of it, sorted."""
    if not folder.is_dir():
        found, help_line = "no such folder", "name a folder of candle files, or a snapshot"
        raise InputError(_problem(str(folder), found, "a folder of candle files", help_line))
    named = sorted(set(_named(folder)))
    frames = sorted({frame for _, frame in named if frame})
    if not named:
        expected = "files such as BTC_USDT-1m.feather"
        raise InputError(_problem(str(folder), "no file names a symbol", expected, "rename the files"))
    if timeframe is None and len(frames) != 1:
        found = f"bars of {', '.join(frames)}" if frames else "names without a timeframe"
        raise InputError(_problem(str(folder), found, "one timeframe", "name it, for example --timeframe 1m"))
    wanted = timeframe or frames[0]
    symbols = sorted({symbol for symbol, frame in named if frame in (wanted, None)})
    if not symbols:
        found, help_line = f"bars of {', '.join(frames)}", "name a timeframe that is there"
        raise InputError(_problem(str(folder), found, f"bars of {wanted}", help_line))
    return wanted, symbols


def _named(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Symbol and timeframe of each candle file in the folder and one folder down, by its name."""
    from candlelock.simulator.candle_folder import find_symbol
    from candlelock.snapshot.file_names import is_candle_file

    for path in [*folder.glob("*"), *folder.glob("*/*")]:
        if is_candle_file(path.name) and path.is_file() and not path.parent.name.startswith("."):
            words = re.findall(r"[A-Za-z0-9]+", path.name)
            frames = [word for word in words if TIMEFRAME.fullmatch(word)]
            symbol = find_symbol(words[:-1])
            if symbol:
                yield symbol, frames[-1] if frames else None


def _problem(place: str, found: str, expected: str, help_line: str) -> Problem:
    return Problem("audit-candles", place, found, expected, help_line)
