"""Binance's public spot REST interface, as far as clients read candles from it.

Source: github.com/binance/binance-spot-api-docs, rest-api.md and errors.md.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from candlelock.simulator.dialect import Answer, Page, Question, RowShape, page_rows, to_json
from candlelock.simulator.market import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from candlelock.simulator.dialect import Markets
    from candlelock.simulator.market import Market, Rows

INTERVALS = ["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"]
WEIGHT_PER_MINUTE = 6000
WEIGHTS = {"klines": 2, "info": 20}
DEFAULT_LIMIT, MAX_LIMIT = 500, 1000
N_DECIMALS = 8
ZERO = "0.00000000"
LEGAL_SYMBOL = "^[A-Z0-9-_.]{1,20}$"
LEGAL_NUMBER = "^[0-9]{1,20}$"


class Binance:
    """Markets under Binance's names, their rows rendered once."""

    shape = RowShape(unit_ms=1, volume=5, close_time=6)
    endpoints: Mapping[str, str] = {
        "/api/v3/ping": "ping",
        "/api/v3/time": "time",
        "/api/v3/exchangeInfo": "info",
        "/api/v3/klines": "klines",
        "/fapi/v1/exchangeInfo": "futures",
        "/dapi/v1/exchangeInfo": "futures",
    }

    def __init__(self, markets: Iterable[Market]) -> None:
        self.markets: Markets = {(market.symbol, market.timeframe): market for market in markets}
        self._rows = {key: _render(market) for key, market in self.markets.items()}
        self._symbols = {_name(symbol): symbol for symbol, _ in self.markets}

    def symbol_of(self, query: Mapping[str, str]) -> str | None:
        """See Dialect."""
        return self._symbols.get(query.get("symbol", ""))

    def weight_of(self, endpoint: str) -> int:
        """See Dialect."""
        return WEIGHTS.get(endpoint, 1)

    def answer(self, question: Question) -> Answer:
        """See Dialect."""
        if question.endpoint == "klines":
            return self._klines(question)
        if question.endpoint == "info":
            return self._info(question)
        known = {"ping": {}, "time": {"serverTime": question.now_ms}}
        return Answer(to_json(known.get(question.endpoint, _no_markets(question))))

    def rows(self, page: Page) -> bytes:
        """See Dialect."""
        return page_rows(self._rows[page.market.symbol, page.market.timeframe], page, self.shape)

    def answer_page(self, page: Page, rows: bytes) -> Answer:
        """See Dialect."""
        return Answer(b"[" + rows + b"]", page=page)

    def answer_unknown(self, path: str) -> Answer:
        """See Dialect."""
        return Answer(b"<html><body><h2>404 Not found</h2></body></html>", 404, content_type="text/html")

    def answer_failure(self) -> bytes:
        """See Dialect."""
        limit = f"current limit is {WEIGHT_PER_MINUTE} request weight per 1 MINUTE"
        return to_json({"code": -1003, "msg": f"Too much request weight used; {limit}."})

    def _klines(self, question: Question) -> Answer:
        query = question.query
        refusal = _refusal(query)
        if refusal:
            return refusal
        symbol = self.symbol_of(query)
        if symbol is None or question.lies("unknown_symbol", symbol):
            return _error(-1121, "Invalid symbol.")
        market = self.markets.get((symbol, query["interval"]))
        if market is None or question.lies("bad_interval", symbol):
            return _error(-1120, "Invalid interval.")
        page = _page(market, query, question.now_ms)
        return self.answer_page(page, b"" if question.lies("delisted", symbol) else self.rows(page))

    def _info(self, question: Question) -> Answer:
        asked = _asked_symbols(question.query)
        if asked is None:
            return _error(-1100, f"Illegal characters found in parameter 'symbols'; legal range is '{LEGAL_SYMBOL}'.")
        known = {name: s for name, s in self._symbols.items() if not question.lies("unknown_symbol", s)}
        if not set(asked) <= set(known):
            return _error(-1121, "Invalid symbol.")
        markets = {market.symbol: market for market in self.markets.values()}
        listed = {name: symbol for name, symbol in known.items() if not asked or name in asked}
        limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": WEIGHT_PER_MINUTE}
        head = {"timezone": "UTC", "serverTime": question.now_ms, "rateLimits": [limit], "exchangeFilters": []}
        entries = [_entry(n, markets[s], question.lies("delisted", s)) for n, s in listed.items()]
        return Answer(to_json(head | {"symbols": entries}))


def _render(market: Market) -> Rows:
    amounts = ("open", "high", "low", "close", "volume")
    texts: list[Any] = [market.times(1)]
    for name in amounts:
        texts += [',"', market.texts(name, N_DECIMALS, ZERO), '"']
    texts += [",", market.times(1, market.bar_ms - 1), ',"', market.texts("quote_volume", N_DECIMALS, ZERO), '",']
    texts += [market.texts("n_trades", 0, "0")]
    for name in ("taker_buy_volume", "taker_buy_quote_volume"):
        texts += [',"' if name == "taker_buy_volume" else '","', market.texts(name, N_DECIMALS, ZERO)]
    return render([*texts, '","0"'])


def _page(market: Market, query: Mapping[str, str], now_ms: int) -> Page:
    limit = min(int(query.get("limit", DEFAULT_LIMIT)), MAX_LIMIT)
    start_ms = int(query["startTime"]) if "startTime" in query else None
    first, stop = market.between(start_ms, min(int(query.get("endTime", now_ms)), now_ms))
    first, stop = (first, min(stop, first + limit)) if start_ms is not None else (max(stop - limit, 0), stop)
    return Page(market, first, max(stop, first), stop > first and market.is_open(stop - 1, now_ms))


def _refusal(query: Mapping[str, str]) -> Answer | None:
    for name in ("symbol", "interval"):
        if not query.get(name):
            return _error(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    legal = {"symbol": LEGAL_SYMBOL, **dict.fromkeys(("startTime", "endTime", "limit"), LEGAL_NUMBER)}
    for name, pattern in legal.items():
        if name in query and not re.fullmatch(pattern, query[name], re.ASCII):
            return _error(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'.")
    if query["interval"] not in INTERVALS:
        return _error(-1120, "Invalid interval.")
    if query.get("limit", "1").strip("0") == "":
        return _error(-1130, "Data sent for parameter 'limit' is not valid.")
    return None


def _asked_symbols(query: Mapping[str, str]) -> list[str] | None:
    """Names asked for; none for all of them; None when they cannot be read."""
    if "symbol" in query:
        return [query["symbol"]]
    try:
        names = json.loads(query.get("symbols", "[]"))
    except ValueError:
        return None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _entry(name: str, market: Market, is_delisted: bool) -> dict[str, Any]:
    base, quote = market.symbol.split("/")
    scales = [market.scale_of(column) for column in ("open", "volume")]
    tick, step = (f"{10.0**-scale:.{max(scale, N_DECIMALS)}f}" for scale in scales)
    precisions = ("baseAssetPrecision", "quotePrecision", "quoteAssetPrecision")
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "1000000.00000000", "stepSize": step},
        {"filterType": "NOTIONAL", "minNotional": "5.00000000", "maxNotional": "9000000.00000000"},
    ]
    return {
        "symbol": name,
        "status": "BREAK" if is_delisted else "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        **dict.fromkeys(precisions, N_DECIMALS),
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters,
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
    }


def _no_markets(question: Question) -> dict[str, Any]:
    """The futures' exchange information: this exchange has none."""
    return {"timezone": "UTC", "serverTime": question.now_ms, "rateLimits": [], "exchangeFilters": [], "symbols": []}


def _error(code: int, message: str) -> Answer:
    return Answer(to_json({"code": code, "msg": message}), 400)


def _name(symbol: str) -> str:
    return symbol.replace("/", "")
