"""What people call the columns of candles, in any case and with any separators between the words.

Does not belong here: what stands in the columns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Contract name -> spellings, as Binance's archive, python-binance, CryptoDataDownload, freqtrade and others write them.
NAMES = {
    "open_time_utc": (
        *("open_time_utc", "open_time", "opentime", "date", "time", "timestamp", "datetime", "date_time", "t", "ts"),
        *("unix", "unix_time", "unix_timestamp", "open_timestamp"),
    ),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "v", "vol", "base_volume", "volume_base"),
    "quote_volume": (
        *("quote_volume", "quote_asset_volume", "quotevolume", "volume_quote", "quote_vol", "qav", "quote_av"),
        "turnover",
    ),
    "n_trades": (
        *("n_trades", "count", "trades", "number_of_trades", "num_trades", "tradecount", "trade_count"),
        "trades_count",
    ),
    "taker_buy_volume": (
        *("taker_buy_volume", "taker_buy_base_volume", "taker_buy_base_asset_volume", "taker_base_vol"),
        *("taker_buy_base", "tb_base_av", "tbbav"),
    ),
    "taker_buy_quote_volume": (
        *("taker_buy_quote_volume", "taker_buy_quote_asset_volume", "taker_quote_vol", "taker_buy_quote"),
        *("tb_quote_av", "tbqav"),
    ),
    "vwap": ("vwap",),
    "close_time_utc": ("close_time_utc", "close_time", "closetime", "close_timestamp"),
}
COLUMNS = tuple(NAMES)
INDEX_NAMES = ("", "unnamed_0", "index_level_0", "index")  # what pandas calls an index that has no name
MEANING = {spelling: name for name, spellings in NAMES.items() for spelling in spellings}

# https://github.com/binance/binance-public-data: spot archives have no header line.
KLINES = (
    *("open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count"),
    *("taker_buy_volume", "taker_buy_quote_volume", "ignore"),
)


def find_columns(names: Sequence[str]) -> dict[str, list[int]]:
    """Contract name -> positions of the columns that go by it, for every one of COLUMNS, in their order."""
    found: dict[str, list[int]] = {name: [] for name in COLUMNS}
    for at, name in enumerate(names):
        if meaning := MEANING.get(_plain(name)):
            found[meaning].append(at)
    return found


def find_index(names: Sequence[str]) -> list[int]:
    """Positions of the columns that are an index without a name."""
    return [at for at, name in enumerate(names) if _plain(name) in INDEX_NAMES]


def name_volumes(names: Sequence[str], symbol: str) -> list[str]:
    """The names with `volume` for one such as `Volume BTC` and `quote_volume` for `volume_usdt`: as `symbol` trades."""
    base, quote = symbol.lower().split("/")
    meaning = {f"volume_{quote}": "quote_volume", f"volume_{base}": "volume"}
    return [meaning.get(_plain(name), name) for name in names]


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")
