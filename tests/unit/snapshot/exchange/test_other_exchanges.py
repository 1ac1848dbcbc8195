"""Exchanges without a dialect of their own: ccxt's columns, with every printed digit, in either order of rows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from aiohttp import web

from candlelock.contracts.errors import InputError
from candlelock.simulator.running import running
from candlelock.snapshot import candles
from candlelock.snapshot.exchange.dialect import DIALECTS
from tests.exchange_runs import MINUTE_MS, START_MS, content, make_market, make_params, take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Row = list[Any]
N_BARS = 60
MARKET = {"market": "BTC-EUR", "status": "trading", "base": "BTC", "quote": "EUR"}
RANGE = {"start": "2024-01-01T00:00Z", "end": "2024-01-01T01:00Z"}
ASKED = {"name": "bitvavo", **RANGE}


class Address:
    """What `make_params` needs of a simulator."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url


def tick(bar: int) -> Row:
    """A candle with more digits than a float holds."""
    return [START_MS + bar * MINUTE_MS, "0.10000000000000000001", "2.5", "0.1", f"1.{bar:02d}0", "12345678901234567.89"]


@contextlib.contextmanager
def bitvavo(answer: Callable[[int, int, int], bytes]) -> Iterator[Address]:
    """A server that speaks as much of Bitvavo as ccxt needs; `answer` gives the candles of start, end and limit."""

    async def speak(request: web.Request) -> web.Response:
        query = request.query
        said: Any = {
            "/v2/time": {"time": START_MS + N_BARS * MINUTE_MS},
            "/v2/markets": [MARKET],
        }.get(request.path)
        body = json.dumps(said).encode()
        if request.path == "/v2/BTC-EUR/candles":
            body = answer(int(query["start"]), int(query["end"]), int(query["limit"]))
        headers = {"Date": "Mon, 01 Jan 2024 01:00:00 GMT"}
        return web.Response(body=body, content_type="application/json", headers=headers)

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/{path:.*}", speak)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    loop = asyncio.new_event_loop()
    runner = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield Address(f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def newest_first(start_ms: int, end_ms: int, limit: int) -> bytes:
    rows = [tick(bar) for bar in range(N_BARS) if start_ms <= START_MS + bar * MINUTE_MS < end_ms]
    return json.dumps(rows[:limit][::-1]).encode()


def as_numbers(start_ms: int, end_ms: int, limit: int) -> bytes:
    """The same as JSON numbers, oldest first."""
    rows = json.loads(newest_first(start_ms, end_ms, limit))[::-1]
    return f"[{','.join('[' + ','.join(str(value) for value in row) + ']' for row in rows)}]".encode()


@pytest.mark.parametrize("answer", [newest_first, as_numbers])
def test_every_printed_digit_is_kept(answer: Callable[[int, int, int], bytes], tmp_path: Path) -> None:
    with bitvavo(answer) as address:
        take(make_params(address, ["BTC/EUR"], **ASKED), tmp_path)  # type: ignore[arg-type]
    manifest, published = candles.read_exact(tmp_path / "out")
    assert manifest.symbols[0].n_missing_bars == 0
    table = published["BTC/EUR"]
    assert set(map(str, table["open"].to_pylist())) == {"0.10000000000000000001"}
    assert set(map(str, table["volume"].to_pylist())) == {"12345678901234567.89"}
    assert table["close"].to_pylist() == [Decimal(f"1.{bar:02d}0") for bar in range(N_BARS)]


def test_neither_order_hides_rows_out_of_order(tmp_path: Path) -> None:
    def shuffled(*asked: int) -> bytes:
        rows = json.loads(newest_first(*asked))
        rows[1:3] = rows[2:0:-1]
        return json.dumps(rows).encode()

    with bitvavo(shuffled) as address, pytest.raises(InputError) as caught:
        take(make_params(address, ["BTC/EUR"], **ASKED), tmp_path)  # type: ignore[arg-type]
    assert [problem.code for problem in caught.value.problems] == ["exchange-answer"]
    assert "older than the row above" in caught.value.problems[0].found
    assert not content(tmp_path)


def test_six_columns_are_kept_of_an_exchange_without_a_dialect(tmp_path: Path) -> None:
    market = make_market("BTC/USDT", 1, N_BARS, [range(20, 24)])
    with running("binance", [market]) as sim:
        take(make_params(sim, ["BTC/USDT"], **RANGE), tmp_path / "known")
        with patch.dict(DIALECTS, clear=True):
            manifest = take(make_params(sim, ["BTC/USDT"], **RANGE), tmp_path / "other")
    _, known = candles.read_exact(tmp_path / "known" / "out")
    _, other = candles.read_exact(tmp_path / "other" / "out")
    names = other["BTC/USDT"].column_names
    assert names == ["open_time_utc", "open", "high", "low", "close", "volume"]
    assert other["BTC/USDT"].equals(known["BTC/USDT"].select(names))
    assert [(gap.n_bars, gap.is_confirmed) for gap in manifest.symbols[0].gaps] == [(4, True)]


def test_an_exchange_without_candles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        take(make_params(Address("http://127.0.0.1:9"), name="coinspot", **RANGE), tmp_path)  # type: ignore[arg-type]
    assert [problem.code for problem in caught.value.problems] == ["exchange-unknown"]
    assert "offers candles" in caught.value.problems[0].expected
