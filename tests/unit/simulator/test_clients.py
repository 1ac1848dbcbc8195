"""The unmodified ccxt client, with and without asyncio, against both dialects."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import ccxt
import ccxt.async_support
import pytest

from candlelock.simulator.candle_folder import load_markets
from candlelock.simulator.running import running
from tests.pipeline.project import ROOT
from tests.unit.simulator.conftest import BAR_MS, FIRST_MS, N_ROWS, candle

if TYPE_CHECKING:
    from candlelock.simulator.running import Simulator

CANDLES = ROOT.parent / "shared/data/candles/binance_spot_1m_2025"


def point(client: Any, simulator: Simulator) -> Any:
    """Nothing but the scheme and host of its addresses changes; and it need not wait."""
    client.enableRateLimit = False
    addresses = client.urls["api"]
    client.urls["api"] = {
        name: re.sub(r"^https://[^/]+", simulator.base_url, address) for name, address in addresses.items()
    }
    return client


def floats(symbol: str, first: int, stop: int) -> list[list[float]]:
    return [[opened, *map(float, amounts)] for opened, *amounts in (candle(symbol, n) for n in range(first, stop))]


def all_pages(client: Any, symbol: str) -> list[list[float]]:
    """Every candle, page by page."""
    rows: list[list[float]] = []
    while len(rows) < N_ROWS:
        since = rows[-1][0] + BAR_MS if rows else FIRST_MS
        page = client.fetch_ohlcv(symbol, "1m", since=since, limit=1000)
        if not page:
            break
        rows += page
    return rows


def test_binance_answers_a_plain_client(binance: Simulator) -> None:
    client = point(ccxt.binance(), binance)
    markets = client.load_markets()
    assert sorted(markets) == ["BTC/USD", "BTC/USDT", "DOGE/USD", "ETH/USDT"]
    assert markets["BTC/USDT"]["active"]
    assert markets["BTC/USDT"]["precision"] == {"amount": 1e-8, "price": 0.01, "base": 1e-8, "quote": 1e-8}
    assert client.fetch_time() == FIRST_MS + N_ROWS * BAR_MS
    for symbol in ("BTC/USDT", "ETH/USDT"):
        assert all_pages(client, symbol) == floats(symbol, 0, N_ROWS)
    printed = client.publicGetKlines({"symbol": "ETHUSDT", "interval": "1m", "limit": 1})[0]
    assert printed[1:6] == [text.ljust(text.index(".") + 9, "0") for text in candle("ETH/USDT", N_ROWS - 1)[1:]]


def test_kraken_answers_a_plain_client(kraken: Simulator) -> None:
    client = point(ccxt.kraken(), kraken)
    assert sorted(client.load_markets()) == ["BTC/USD", "BTC/USDT", "DOGE/USD", "ETH/USDT"]
    assert client.fetch_time() == FIRST_MS + N_ROWS * BAR_MS
    assert client.fetch_status()["status"] == "ok"
    for symbol in ("BTC/USD", "DOGE/USD"):
        assert client.fetch_ohlcv(symbol, "1m") == floats(symbol, N_ROWS - 720, N_ROWS)
        since = FIRST_MS + (N_ROWS - 50) * BAR_MS
        assert client.fetch_ohlcv(symbol, "1m", since=since) == floats(symbol, N_ROWS - 50, N_ROWS)


@pytest.mark.parametrize("name", ["binance", "kraken"])
def test_the_asynchronous_client_gets_the_same(name: str, request: pytest.FixtureRequest) -> None:
    async def fetch_both() -> list[list[list[float]]]:
        client = point(getattr(ccxt.async_support, name)(), request.getfixturevalue(name))
        async with client:
            since = FIRST_MS + (N_ROWS - 300) * BAR_MS
            pages = [client.fetch_ohlcv(symbol, "1m", since, 500) for symbol in ("BTC/USDT", "ETH/USDT")]
            return list(await asyncio.gather(*pages))

    wanted = [floats(symbol, N_ROWS - 300, N_ROWS) for symbol in ("BTC/USDT", "ETH/USDT")]
    assert asyncio.run(fetch_both()) == wanted


@pytest.mark.parametrize(
    ("name", "kind", "error"),
    [
        ("binance", "status_429", ccxt.DDoSProtection),
        ("binance", "status_418", ccxt.DDoSProtection),
        ("binance", "unknown_symbol", ccxt.BadSymbol),
        ("binance", "bad_interval", ccxt.BadRequest),
        ("binance", "error_200", ccxt.RateLimitExceeded),
        ("binance", "status_451", ccxt.ExchangeNotAvailable),
        ("kraken", "error_200", ccxt.DDoSProtection),
        ("kraken", "unknown_symbol", ccxt.ExchangeError),
        ("kraken", "status_503", ccxt.ExchangeNotAvailable),
        ("kraken", "cut_short", ccxt.NetworkError),
        ("kraken", "closed_early", ccxt.NetworkError),
    ],
)
def test_faults_arrive_as_the_clients_own_errors(
    name: str, kind: str, error: type[Exception], request: pytest.FixtureRequest
) -> None:
    simulator = request.getfixturevalue(name)
    client = point(getattr(ccxt, name)(), simulator)
    client.load_markets()
    simulator.set_faults([{"kind": kind, "endpoint": "klines"}])
    with pytest.raises(error):
        client.fetch_ohlcv("BTC/USDT", "1m")
    simulator.set_faults([])


@pytest.mark.shared
@pytest.mark.skipif(not CANDLES.is_dir(), reason="no candle folders beside the project")
def test_real_candles_arrive_as_they_are() -> None:
    import pandas as pd

    with running("binance", load_markets(CANDLES, None)) as simulator:
        client = point(ccxt.binance(), simulator)
        for symbol in ("BTC/USDT", "ETH/USDT"):
            frame = pd.read_feather(CANDLES / f"{symbol.replace('/', '_')}-1m.feather").iloc[70_000:71_000]
            since = int(frame["date"].iloc[0].timestamp() * 1000)
            page = client.fetch_ohlcv(symbol, "1m", since, 1000)
            assert [row[1:] for row in page] == frame[["open", "high", "low", "close", "volume"]].to_numpy().tolist()
            assert [row[0] for row in page] == [since + n * BAR_MS for n in range(1000)]
