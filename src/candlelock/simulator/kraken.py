"""Kraken's public spot REST interface, as far as clients read candles from it.

Source: docs.kraken.com/api, spot REST, market data. Like there, no more than the last 720 candles can be had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.contracts.documents import utc_text
from candlelock.simulator.dialect import Answer, Page, Question, RowShape, page_rows, to_json
from candlelock.simulator.market import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from candlelock.simulator.dialect import Markets
    from candlelock.simulator.market import Market, Rows

INTERVALS = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "240": "4h", "1440": "1d"}
OTHER_NAMES = {"BTC": "XBT", "DOGE": "XDG"}
OLD_COINS = {"XBT", "ETH", "LTC", "XRP", "XLM", "ETC", "XMR", "ZEC", "XDG", "REP", "MLN"}
OLD_MONEY = {"USD", "EUR", "GBP", "JPY", "CAD"}
MAX_ENTRIES = 720
N_VOLUME_DECIMALS = 8
UNKNOWN_PAIR = "EQuery:Unknown asset pair"
BAD_ARGUMENTS = "EGeneral:Invalid arguments"


class Kraken:
    """Markets under Kraken's names, their rows rendered once."""

    shape = RowShape(unit_ms=1000, volume=6, close_time=None)
    endpoints: Mapping[str, str] = {
        "/0/public/Time": "time",
        "/0/public/SystemStatus": "status",
        "/0/public/Assets": "assets",
        "/0/public/AssetPairs": "info",
        "/0/public/OHLC": "klines",
    }

    def __init__(self, markets: Iterable[Market]) -> None:
        self.markets: Markets = {(market.symbol, market.timeframe): market for market in markets}
        self._rows = {key: _render(market) for key, market in self.markets.items()}
        self._pairs = {market.symbol: _pair(market) for market in self.markets.values()}
        self._symbols = {
            pair[key]: symbol for symbol, pair in self._pairs.items() for key in ("id", "altname", "wsname")
        }

    def symbol_of(self, query: Mapping[str, str]) -> str | None:
        """See Dialect."""
        return self._symbols.get(query.get("pair", ""))

    def weight_of(self, endpoint: str) -> int:
        """See Dialect. Kraken counts otherwise; only a fault makes it say that there were too many."""
        return 0

    def answer(self, question: Question) -> Answer:
        """See Dialect."""
        now_s = question.now_ms // 1000
        if question.endpoint == "klines":
            return self._candles(question)
        if question.endpoint == "info":
            return self._asset_pairs(question)
        if question.endpoint == "time":
            return _result({"unixtime": now_s, "rfc1123": utc_text(question.now_ms)})
        if question.endpoint == "status":
            return _result({"status": "online", "timestamp": utc_text(question.now_ms)})
        coins = {code for symbol in self._pairs for code in symbol.split("/")}
        return _result({_asset(code): _asset_entry(code) for code in sorted(coins)})

    def rows(self, page: Page) -> bytes:
        """See Dialect."""
        return page_rows(self._rows[page.market.symbol, page.market.timeframe], page, self.shape)

    def answer_page(self, page: Page, rows: bytes) -> Answer:
        """See Dialect. `last` is the time of the newest candle that has closed."""
        n_closed = page.stop - page.has_open
        last_s = int(page.market.open_time_ms[n_closed - 1]) // 1000 if n_closed else 0
        pair = self._pairs[page.market.symbol]["id"]
        return Answer(b'{"error":[],"result":{"%s":[%s],"last":%d}}' % (pair.encode(), rows, last_s), page=page)

    def answer_unknown(self, path: str) -> Answer:
        """See Dialect."""
        return _error("EGeneral:Unknown method")

    def answer_failure(self) -> bytes:
        """See Dialect."""
        return _error("EGeneral:Too many requests").body

    def _candles(self, question: Question) -> Answer:
        query, symbol = question.query, self.symbol_of(question.query)
        if symbol is None or question.lies("unknown_symbol", symbol):
            return _error(UNKNOWN_PAIR)
        since, interval = query.get("since", "0"), query.get("interval", "1")
        if not (since.isascii() and since.isdecimal()) or interval not in INTERVALS:
            return _error(BAD_ARGUMENTS)
        market = self.markets.get((symbol, INTERVALS[interval]))
        if market is None or question.lies("bad_interval", symbol):
            return _error(BAD_ARGUMENTS)
        page = _page(market, 1000 * int(since), question.now_ms)
        return self.answer_page(page, b"" if question.lies("delisted", symbol) else self.rows(page))

    def _asset_pairs(self, question: Question) -> Answer:
        known = {s: dict(pair) for s, pair in self._pairs.items() if not question.lies("unknown_symbol", s)}
        asked = [self._symbols.get(name) for name in question.query.get("pair", "").split(",") if name]
        if not set(asked) <= set(known):
            return _error(UNKNOWN_PAIR)
        listed = {symbol: pair for symbol, pair in known.items() if not asked or symbol in asked}
        for symbol, pair in listed.items():
            pair["status"] = "cancel_only" if question.lies("delisted", symbol) else "online"
        return _result({pair.pop("id"): pair for pair in listed.values()})


def _render(market: Market) -> Rows:
    n_decimals = max(market.scale_of("open"), 1)
    columns = ("open", "high", "low", "close", "vwap", "volume")
    texts: list[Any] = [market.times(1000), ',"']
    for name in columns:
        n = N_VOLUME_DECIMALS if name == "volume" else n_decimals
        texts += [market.texts(name, n, f"{0:.{n}f}"), '",' if name == "volume" else '","']
    return render([*texts, market.texts("n_trades", 0, "0")])


def _page(market: Market, since_ms: int, now_ms: int) -> Page:
    _, stop = market.between(None, now_ms)
    after = int(np.searchsorted(market.open_time_ms, min(since_ms, now_ms), side="right"))
    first = min(max(after, stop - MAX_ENTRIES), stop)
    return Page(market, first, stop, stop > first and market.is_open(stop - 1, now_ms))


def _pair(market: Market) -> dict[str, Any]:
    base, quote = (OTHER_NAMES.get(code, code) for code in market.symbol.split("/"))
    base_id, quote_id = (_asset(code) for code in market.symbol.split("/"))
    is_old = base_id != base and quote_id != quote and base != "XDG"
    return {
        "id": base_id + quote_id if is_old else base + quote,
        "altname": base + quote,
        "wsname": f"{base}/{quote}",
        "aclass_base": "currency",
        "base": base_id,
        "aclass_quote": "currency",
        "quote": quote_id,
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": market.scale_of("open"),
        "lot_decimals": N_VOLUME_DECIMALS,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.4]],
        "fees_maker": [[0, 0.25]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": "0.00005",
        "costmin": "0.5",
        "tick_size": f"{10.0 ** -market.scale_of('open'):.{market.scale_of('open')}f}",
        "status": "online",
    }


def _asset(code: str) -> str:
    name = OTHER_NAMES.get(code, code)
    return f"X{name}" if name in OLD_COINS else f"Z{name}" if name in OLD_MONEY else name


def _asset_entry(code: str) -> dict[str, Any]:
    name = OTHER_NAMES.get(code, code)
    return {"aclass": "currency", "altname": name, "decimals": 10, "display_decimals": 5, "status": "enabled"}


def _result(result: dict[str, Any]) -> Answer:
    return Answer(to_json({"error": [], "result": result}))


def _error(text: str) -> Answer:
    return Answer(to_json({"error": [text]}))
