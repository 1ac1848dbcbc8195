"""One line of a recording, `<local ns> <raw JSON>`, read strictly. What lines mean together belongs in `recording`.

Prices and sizes become integers in units of 1e-8, the exchange's finest printed digit, so that nothing is rounded.
Source: Binance, Spot WebSocket streams (combined streams; diff. depth, individual symbol book ticker, trade) and REST
`GET /api/v3/depth`.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DECIMALS = 8
SCALE = 10**DECIMALS
MAX_WHOLE_DIGITS = 15
UNREADABLE = -1
N_REMEMBERED = 2**16
MAX_INTEGER = 2**63
FIRST_MS, END_MS = 1_230_768_000_000, 4_102_444_800_000  # 2009 to 2099: no coin is older
NS_PER_MS = 1_000_000
MAX_TRADE_DELAY_MS = 60_000  # from a trade to its message
MAX_SKEW_MS = 86_400_000  # between the local clock and the exchange's
HELP = "remove the damaged part of the recording, or replace the file by a sound copy"

Levels = list[tuple[int, int]]  # price and size, both in units of 1e-8


class Depth(NamedTuple):
    """Changed levels of the book between two update ids, both included. A size of 0 removes its level."""

    local_ns: int
    event_ms: int
    first_id: int
    last_id: int
    bids: Levels
    asks: Levels


class Ticker(NamedTuple):
    """Best bid and ask after an update. The exchange sends no time with it."""

    local_ns: int
    update_id: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int


class Trade(NamedTuple):
    """One trade. `is_sell`: the buyer's order was in the book, so the seller took it."""

    local_ns: int
    event_ms: int
    trade_ms: int
    trade_id: int
    price: int
    size: int
    is_sell: bool


class Snapshot(NamedTuple):
    """The book after update `last_id`, down to some level. The exchange sends neither time nor symbol with it."""

    local_ns: int
    last_id: int
    bids: Levels
    asks: Levels


Message = Depth | Ticker | Trade | Snapshot


def parse(line: bytes, pair: str) -> Message:
    """The message in `line`; `pair` is the exchange's name of the symbol, such as BTCUSDT. Unknown keys are ignored.

    Raises InputError with the first thing wrong; its place is the key, or empty for the whole line.
    """
    local, _, text = line.partition(b" ")
    if not (local.isdigit() and len(local) <= len(str(MAX_INTEGER))):
        raise _damage("line", "", local[:40], "`<local time in ns> <JSON>`")
    local_ns = int(local)
    if not FIRST_MS <= local_ns // NS_PER_MS < END_MS:
        raise _damage("time", "local time", local_ns, "nanoseconds since 1970, from 2009 to 2099")
    try:
        body = _DECODER.decode(text.decode())
    except (ValueError, RecursionError) as error:
        raise _damage("line", "", f"{type(error).__name__}: {error}", "one strict JSON object") from None
    if type(body) is not dict:
        raise _damage("shape", "", text[:40], "a JSON object")
    if "stream" not in body and "lastUpdateId" in body:
        return _parse_snapshot(local_ns, body)
    return _parse_event(local_ns, body, pair)


def _parse_event(local_ns: int, body: dict[str, Any], pair: str) -> Message:
    stream, data = body.get("stream"), body.get("data")
    if type(stream) is not str or type(data) is not dict:
        raise _damage("shape", "", sorted(body), "keys `stream` and `data`, or those of a depth snapshot")
    name, _, kind = stream.partition("@")
    if name != pair.lower():
        raise _damage("symbol", "stream", stream, pair)
    if data.get("s") != pair:
        raise _damage("symbol", "s", data.get("s"), pair)
    if kind not in _PARSERS:
        raise _damage("stream", "stream", kind, f"one of {', '.join(_PARSERS)}")
    return _PARSERS[kind](local_ns, data)


def _parse_depth(local_ns: int, data: dict[str, Any]) -> Depth:
    first_id, last_id = _integer(data, "U"), _integer(data, "u")
    if first_id > last_id:
        raise _damage("shape", "U", first_id, f"at most u, which is {last_id}")
    return Depth(
        local_ns, _event_ms(data, local_ns), first_id, last_id, _levels(data, "b", least=0), _levels(data, "a", least=0)
    )


def _parse_ticker(local_ns: int, data: dict[str, Any]) -> Ticker:
    bid, ask = _amount(data.get("b"), "b", 1), _amount(data.get("a"), "a", 1)
    if bid >= ask:
        raise _damage("crossed", "b", data["b"], f"below the best ask, {data['a']}")
    sizes = _amount(data.get("B"), "B", 1), _amount(data.get("A"), "A", 1)
    return Ticker(local_ns, _integer(data, "u"), bid, sizes[0], ask, sizes[1])


def _parse_trade(local_ns: int, data: dict[str, Any]) -> Trade:
    event_ms, trade_ms, is_sell = _event_ms(data, local_ns), _integer(data, "T"), data.get("m")
    if not 0 <= event_ms - trade_ms <= MAX_TRADE_DELAY_MS:
        raise _damage("time", "T", trade_ms, f"at most {MAX_TRADE_DELAY_MS} ms before E, which is {event_ms}")
    if type(is_sell) is not bool:
        raise _damage("shape", "m", is_sell, "true or false")
    price, size = _amount(data.get("p"), "p", 1), _amount(data.get("q"), "q", 1)
    return Trade(local_ns, event_ms, trade_ms, _integer(data, "t"), price, size, is_sell)


def _parse_snapshot(local_ns: int, body: dict[str, Any]) -> Snapshot:
    return Snapshot(local_ns, _integer(body, "lastUpdateId"), _levels(body, "bids", 1), _levels(body, "asks", 1))


_PARSERS: dict[str, Callable[[int, dict[str, Any]], Message]] = {
    "depth@100ms": _parse_depth,
    "depth": _parse_depth,
    "bookTicker": _parse_ticker,
    "trade": _parse_trade,
}


def _event_ms(data: dict[str, Any], local_ns: int) -> int:
    event_ms = _integer(data, "E")
    if not (FIRST_MS <= event_ms < END_MS and abs(event_ms - local_ns // NS_PER_MS) <= MAX_SKEW_MS):
        raise _damage("time", "E", event_ms, "milliseconds since 1970, within a day of the local time")
    return event_ms


def _integer(data: dict[str, Any], key: str) -> int:
    value = data.get(key)
    if type(value) is int and 0 <= value < MAX_INTEGER:
        return value
    raise _damage("shape", key, value, "a whole number")


def _levels(data: dict[str, Any], key: str, least: int) -> Levels:
    """Levels of one side; `least` is the smallest size allowed."""
    levels = data.get(key)
    if type(levels) is not list or any(type(level) is not list or len(level) != 2 for level in levels):
        raise _damage("shape", key, levels, "a list of [price, size]")
    return [(_amount(price, key, 1), _amount(size, key, least)) for price, size in levels]


def _amount(text: object, key: str, least: int) -> int:
    """A printed decimal in units of 1e-8, at least `least` of them."""
    value = _units(text) if type(text) is str else UNREADABLE
    if value >= least:
        return value
    size = "above 0" if least else "of at least 0"
    raise _damage("amount", key, text, f"a decimal {size} as text, at most {DECIMALS} digits after the point")


@lru_cache(maxsize=N_REMEMBERED)
def _units(text: str) -> int:
    """A decimal in units of 1e-8; UNREADABLE where it is none or has more digits than that. Most texts come again."""
    whole, _, fraction = text.partition(".")
    if len(fraction) != DECIMALS:
        fraction = fraction.rstrip("0").ljust(DECIMALS, "0")
    digits = whole + fraction
    is_plain = digits.isdigit() and digits.isascii()
    return int(digits) if is_plain and len(fraction) == DECIMALS and 0 < len(whole) <= MAX_WHOLE_DIGITS else UNREADABLE


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key stands twice")
    return document


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _damage(kind: str, key: str, found: object, expected: str) -> InputError:
    shown = found if type(found) is str and found else "nothing" if found is None else repr(found)
    return InputError(Problem(f"book-{kind}", key, shown[:80], expected, HELP))
