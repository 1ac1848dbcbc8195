"""Every kind of fault, seen by a plain client: it really happens on the wire."""

from __future__ import annotations

import http.client
import json
import math
import re
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from candlelock.simulator.fault_kinds import KINDS
from tests.pipeline.project import ROOT
from tests.unit.simulator.conftest import BAR_MS, FIRST_MS, Outcome, fetch

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.simulator.running import Simulator

START, N = 100, 10
TIMES = [FIRST_MS + (START + n) * BAR_MS for n in range(N)]
NOW_MS = FIRST_MS + 2_500 * BAR_MS
PAGE = {"symbol": "BTCUSDT", "interval": "1m", "startTime": TIMES[0], "endTime": TIMES[-1]}
Rows = list[Any]


@pytest.fixture(scope="module")
def sound(binance: Simulator) -> Rows:
    """The page without a fault."""
    rows: Rows = fetch(binance, "/api/v3/klines", **PAGE).json()
    assert [row[0] for row in rows] == TIMES
    return rows


def ask(simulator: Simulator, kind: str, argument: Any = None, timeout_s: float = 5.0) -> Outcome:
    """The page, from a server that has this one fault for it, once."""
    simulator.set_faults([{"kind": kind, "argument": argument, "times": 1, "endpoint": None}])
    try:
        return fetch(simulator, "/api/v3/klines", timeout_s, **PAGE)
    finally:
        simulator.set_faults([])


def times(rows: Rows) -> list[int]:
    return [row[0] for row in rows]


def other(rows: Rows, sound: Rows) -> list[tuple[int, int]]:
    """Row and place of every value that differs."""
    return [(n, i) for n, (row, was) in enumerate(zip(rows, sound, strict=True)) for i in range(12) if row[i] != was[i]]


def spoilt(rows: Rows, sound: Rows) -> Any:
    """The one value that differs."""
    ((row, place),) = other(rows, sound)
    assert place in (1, 2, 3, 4, 5)
    return rows[row][place]


ROWS: dict[str, Callable[[Rows, Rows], bool]] = {
    "empty_page": lambda rows, sound: rows == [],
    "short_page": lambda rows, sound: rows == sound[:5],
    "missing_rows": lambda rows, sound: (
        len(rows) == N - 3 and rows[0] == sound[0] and rows[-1] == sound[-1] and all(row in sound for row in rows)
    ),
    "duplicate_rows": lambda rows, sound: len(rows) == N + 1 and sorted(times(rows)) == times(rows),
    "conflicting_rows": lambda rows, sound: (
        len(rows) == N + 1 and len(set(times(rows))) == N and sum(row not in sound for row in rows) == 1
    ),
    "duplicate_page": lambda rows, sound: rows == sound,  # the page before was the same; see below
    "unsorted_rows": lambda rows, sound: rows != sound and sorted(rows) == sound,
    "reversed_rows": lambda rows, sound: rows == sound[::-1],
    "rows_before_start": lambda rows, sound: rows[3:] == sound and times(rows)[0] == TIMES[0] - 3 * BAR_MS,
    "rows_after_end": lambda rows, sound: rows[:-3] == sound and times(rows)[-1] == TIMES[-1] + 3 * BAR_MS,
    "open_candle": lambda rows, sound: rows[:-1] == sound and rows[-1][0] == NOW_MS and rows[-1][5] == "0.00000000",
    "changed_row": lambda rows, sound: (
        {place for _, place in other(rows, sound)} <= {2, 4}
        and len({row for row, _ in other(rows, sound)}) == 1
        and all(max(map(Decimal, row[1:5])) == Decimal(row[2]) for row in rows)
    ),
    "wrong_symbol": lambda rows, sound: (
        times(rows) == times(sound) and all(r[1] != s[1] for r, s in zip(rows, sound, strict=True))
    ),
    "wrong_timeframe": lambda rows, sound: rows == sound[::2],
    "off_grid": lambda rows, sound: [time % BAR_MS for time in sorted(times(rows))].count(BAR_MS // 3) == 1,
    "wrong_unit": lambda rows, sound: times(rows) == [time * 1000 for time in TIMES],
    "short_row": lambda rows, sound: sorted(map(len, rows)) == [4] + [12] * (N - 1),
    "long_row": lambda rows, sound: sorted(map(len, rows)) == [12] * (N - 1) + [13],
    "high_below_low": lambda rows, sound: sum(Decimal(row[2]) < Decimal(row[3]) for row in rows) == 1,
    "zero_price": lambda rows, sound: Decimal(spoilt(rows, sound)) == 0,
    "negative_volume": lambda rows, sound: Decimal(spoilt(rows, sound)) < 0,
    "numbers_not_strings": lambda rows, sound: (
        all(isinstance(value, float) for row in rows for value in row[1:6])
        and [[float(v) for v in row[1:6]] for row in sound] == [row[1:6] for row in rows]
    ),
    "exponents": lambda rows, sound: (
        all("E" in value for row in rows for value in row[1:6])
        and [[Decimal(v) for v in row[1:6]] for row in sound] == [[Decimal(v) for v in row[1:6]] for row in rows]
    ),
    "unicode_digits": lambda rows, sound: not spoilt(rows, sound).isascii(),
    "string_times": lambda rows, sound: times(rows) == [str(time) for time in TIMES],
    "not_rows": lambda rows, sound: rows.count(None) == 1 and len(rows) == N,
    "nan": lambda rows, sound: spoilt(rows, sound) == "NaN",
    "nan_literal": lambda rows, sound: math.isnan(spoilt(rows, sound)),
    "none": lambda rows, sound: spoilt(rows, sound) is None,
    "infinity": lambda rows, sound: spoilt(rows, sound) == "Infinity",
    "empty_string": lambda rows, sound: spoilt(rows, sound) == "",
    "huge_number": lambda rows, sound: len(spoilt(rows, sound)) == 5_000,
}


def fails_as_json(got: Outcome) -> bool:
    try:
        got.json()
    except (ValueError, RecursionError):
        return got.status == 200 and got.failure is None
    return False


def holds(status: int, *, json_type: bool, retry_after: str | None = None) -> Callable[[Outcome], bool]:
    return lambda got: (
        got.status == status
        and ("json" in got.headers["content-type"]) == json_type
        and got.headers.get("retry-after") == retry_after
    )


ANSWERS: dict[str, Callable[[Outcome], bool]] = {
    "html_200": lambda got: fails_as_json(got) and got.body.startswith(b"<!DOCTYPE html>"),
    "empty_object": lambda got: got.json() == {},
    "empty_body": lambda got: fails_as_json(got) and got.body == b"",
    "json_null": lambda got: got.json() is None,
    "json_string": lambda got: got.json() == "maintenance",
    "truncated_json": lambda got: fails_as_json(got) and len(got.body) == int(got.headers["content-length"]),
    "not_utf8": fails_as_json,
    "deep_nesting": fails_as_json,
    "with_bom": lambda got: got.body.startswith(b"\xef\xbb\xbf[["),
    "wrong_content_type": lambda got: len(got.json()) == N and "html" in got.headers["content-type"],
    "error_200": lambda got: got.status == 200 and got.json()["code"] == -1003,
    "status_429": holds(429, json_type=True, retry_after="1"),
    "status_429_bare": holds(429, json_type=True),
    "status_418": holds(418, json_type=True, retry_after="1"),
    "redirect": lambda got: got.status == 302 and got.headers["location"].startswith("/api/v3/klines?symbol=BTCUSDT&"),
    **{f"status_{code}": holds(code, json_type=False) for code in (403, 451, 500, 502, 503, 504)},
}
CONNECTIONS: dict[str, tuple[Any, Callable[[Outcome], bool]]] = {
    "closed_early": (None, lambda got: isinstance(got.failure, http.client.RemoteDisconnected)),
    "reset_midway": (None, lambda got: got.status == 200 and isinstance(got.failure, ConnectionResetError)),
    "cut_short": (None, lambda got: isinstance(got.failure, http.client.IncompleteRead) and len(got.body) > 100),
    "hang": (None, lambda got: got.status == 0 and isinstance(got.failure, TimeoutError)),
    "hang_midway": (None, lambda got: got.status == 200 and isinstance(got.failure, TimeoutError)),
    "slow_drip": (0.0001, lambda got: len(got.json()) == N),
    "huge_body": (3 << 20, lambda got: len(got.body) > 3 << 20 and fails_as_json(got)),
    "gzip_bomb": (5 << 20, lambda got: len(got.body) > 5 << 20 and got.json() == []),
    "refused": (0.3, lambda got: isinstance(got.failure, OSError | http.client.HTTPException)),
}
BOOKS = {"delisted", "unknown_symbol", "bad_interval", "clock_skew"}


def test_every_kind_is_tried() -> None:
    assert {*ROWS, *ANSWERS, *CONNECTIONS, *BOOKS} == set(KINDS)


def test_the_page_lists_every_kind_with_its_meaning() -> None:
    page = (ROOT / "docs" / "exchange_sim.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([a-z0-9_]+)` \| ([A-Z].*?\.) \| ", page, flags=re.MULTILINE))
    assert listed == {name: kind.meaning for name, kind in KINDS.items()}


@pytest.mark.parametrize("kind", ROWS)
def test_rows_are_spoilt(binance: Simulator, sound: Rows, kind: str) -> None:
    got = ask(binance, kind)
    assert got.status == 200
    assert ROWS[kind](got.json(), sound), got.body
    assert binance.requests[-1]["fault"] == kind
    assert fetch(binance, "/api/v3/klines", **PAGE).json() == sound


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_are_spoilt(binance: Simulator, sound: Rows, kind: str) -> None:
    assert ANSWERS[kind](ask(binance, kind))
    assert fetch(binance, "/api/v3/klines", **PAGE).json() == sound


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_connections_are_spoilt(binance: Simulator, sound: Rows, kind: str) -> None:
    argument, is_seen = CONNECTIONS[kind]
    got = ask(binance, kind, argument, timeout_s=0.4 if kind.startswith("hang") else 5.0)
    assert is_seen(got), got
    if kind == "refused":
        assert isinstance(fetch(binance, "/api/v3/ping").failure, ConnectionRefusedError)
        time.sleep(0.5)
    assert fetch(binance, "/api/v3/klines", **PAGE).json() == sound


@pytest.mark.parametrize("kind", sorted(ROWS.keys() - {"duplicate_page"}))
def test_rows_of_the_other_dialect_are_spoilt_too(kraken: Simulator, kind: str) -> None:
    asked = {"pair": "XXBTZUSD", "since": (NOW_MS - N * BAR_MS) // 1000}
    sound = fetch(kraken, "/0/public/OHLC", **asked).json()["result"]
    kraken.set_faults([{"kind": kind, "times": 1}])
    got = fetch(kraken, "/0/public/OHLC", **asked)
    assert got.body != json.dumps(sound)
    spoilt_ones = got.json()["result"]["XXBTZUSD"]
    assert str(spoilt_ones) != str(sound["XXBTZUSD"])
    assert fetch(kraken, "/0/public/OHLC", **asked).json()["result"] == sound


def test_an_empty_page_of_kraken_is_still_an_answer(kraken: Simulator) -> None:
    kraken.set_faults([{"kind": "empty_page", "times": 1}])
    assert fetch(kraken, "/0/public/OHLC", pair="XXBTZUSD").json()["result"]["XXBTZUSD"] == []
    kraken.set_faults([{"kind": "error_200", "times": 1}])
    assert fetch(kraken, "/0/public/OHLC", pair="XXBTZUSD").json() == {"error": ["EGeneral:Too many requests"]}


def test_a_page_is_repeated_across_requests(binance: Simulator, sound: Rows) -> None:
    binance.set_faults([{"kind": "duplicate_page", "first": 2}])
    following = {**PAGE, "startTime": TIMES[-1] + BAR_MS, "endTime": TIMES[-1] + N * BAR_MS}
    assert fetch(binance, "/api/v3/klines", **PAGE).json() == sound
    assert fetch(binance, "/api/v3/klines", **following).json() == sound
    assert fetch(binance, "/api/v3/klines", **following).json() == sound, "asking again does not help"
    binance.set_faults([])
    assert times(fetch(binance, "/api/v3/klines", **following).json())[0] == TIMES[-1] + BAR_MS


@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_the_row_can_be_chosen(binance: Simulator, sound: Rows, where: str) -> None:
    rows = ask(binance, "changed_row", where).json()
    assert {row for row, _ in other(rows, sound)} == {{"first": 0, "middle": N // 2, "last": N - 1}[where]}


def test_a_delisted_symbol_is_halted_and_has_no_candles(binance: Simulator) -> None:
    binance.set_faults([{"kind": "delisted", "symbol": "BTC/USDT"}])
    entries = fetch(binance, "/api/v3/exchangeInfo").json()["symbols"]
    assert {entry["symbol"]: entry["status"] for entry in entries} == {
        "BTCUSDT": "BREAK",
        **dict.fromkeys(("ETHUSDT", "BTCUSD", "DOGEUSD"), "TRADING"),
    }
    assert fetch(binance, "/api/v3/klines", **PAGE).json() == []
    assert len(fetch(binance, "/api/v3/klines", **PAGE | {"symbol": "ETHUSDT"}).json()) == N
    binance.set_faults([])


def test_an_unknown_symbol_is_nowhere(binance: Simulator) -> None:
    binance.set_faults([{"kind": "unknown_symbol", "symbol": "BTC/USDT"}])
    assert "BTCUSDT" not in fetch(binance, "/api/v3/exchangeInfo").body.decode()
    assert fetch(binance, "/api/v3/klines", **PAGE).json()["code"] == -1121
    binance.set_faults([{"kind": "bad_interval"}])
    assert fetch(binance, "/api/v3/klines", **PAGE).json()["code"] == -1120
    binance.set_faults([])


def test_the_books_of_the_other_dialect_lie_too(kraken: Simulator) -> None:
    kraken.set_faults([{"kind": "unknown_symbol", "symbol": "BTC/USD"}])
    assert "XXBTZUSD" not in fetch(kraken, "/0/public/AssetPairs").json()["result"]
    assert fetch(kraken, "/0/public/OHLC", pair="XBTUSD").json() == {"error": ["EQuery:Unknown asset pair"]}
    kraken.set_faults([{"kind": "delisted", "symbol": "BTC/USD"}])
    assert fetch(kraken, "/0/public/AssetPairs").json()["result"]["XXBTZUSD"]["status"] == "cancel_only"
    assert fetch(kraken, "/0/public/OHLC", pair="XBTUSD").json()["result"]["XXBTZUSD"] == []
    kraken.set_faults([{"kind": "clock_skew", "argument": -90_000}])
    assert fetch(kraken, "/0/public/Time").json()["result"]["unixtime"] == NOW_MS // 1000 - 90
    kraken.set_faults([])


def test_the_clock_is_off(binance: Simulator) -> None:
    binance.set_faults([{"kind": "clock_skew", "argument": 3_600_000}])
    assert fetch(binance, "/api/v3/time").json()["serverTime"] == NOW_MS + 3_600_000
    binance.set_faults([])
    assert fetch(binance, "/api/v3/time").json()["serverTime"] == NOW_MS
