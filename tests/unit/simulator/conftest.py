"""Candles written to files, served, and asked for over a plain socket."""

from __future__ import annotations

import gzip
import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from candlelock.simulator.candle_folder import load_markets
from candlelock.simulator.running import Simulator, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from candlelock.simulator.market import Market

BAR_MS = 60_000
FIRST_MS = 1_704_067_200_000  # 2024-01-01
N_ROWS = 2_500
PAIRS = ("BTC/USDT", "ETH/USDT", "BTC/USD", "DOGE/USD")


def candle(symbol: str, row: int) -> tuple[int, str, str, str, str, str]:
    """Candle `row` (from 0) of a symbol, as its file prints it."""
    base = 4_000_000 + 100_000 * PAIRS.index(symbol) + row * 7 % 1013
    opened, high, low, close = (base, base + 31 + row % 11, base - 17 - row % 5, base + row % 29)
    prices = (f"{cents // 100}.{cents % 100:02d}" for cents in (opened, high, low, close))
    return (FIRST_MS + row * BAR_MS, *prices, f"0.0000{row % 9 + 1:04d}")  # type: ignore[return-value]


def write_candles(folder: Path, symbol: str, n_rows: int = N_ROWS, name: str | None = None) -> None:
    """A CSV file of candles."""
    lines = ["open_time,open,high,low,close,volume"]
    lines += [",".join(map(str, candle(symbol, row))) for row in range(n_rows)]
    path = folder / (name or f"{symbol.replace('/', '_')}-1m.csv")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def markets(tmp_path_factory: pytest.TempPathFactory) -> list[Market]:
    """2,500 one-minute candles of four symbols."""
    folder = tmp_path_factory.mktemp("candles")
    for symbol in PAIRS:
        write_candles(folder, symbol)
    return load_markets(folder, None)


@pytest.fixture(scope="module")
def binance(markets: list[Market]) -> Iterator[Simulator]:
    with running("binance", markets, weight_limit=10**9) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def kraken(markets: list[Market]) -> Iterator[Simulator]:
    with running("kraken", markets) as simulator:
        yield simulator


@dataclass(frozen=True)
class Outcome:
    """What a plain client saw. `failure`: the error that kept it from a whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    failure: Exception | None = None

    def json(self) -> Any:
        return json.loads(self.body)


def fetch(
    simulator: Simulator, path: str, timeout_s: float = 5.0, method: str = "GET", body: Any = None, **query: Any
) -> Outcome:
    """One request over a connection of its own."""
    address = urlsplit(simulator.base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout_s)
    sent = None if body is None else json.dumps(body)
    try:
        connection.request(method, f"{path}?{urlencode(query)}" if query else path, body=sent)
        response = connection.getresponse()
        try:
            content, failure = response.read(), None
        except http.client.IncompleteRead as error:
            content, failure = error.partial, error
        except OSError as error:
            content, failure = b"", error
        headers = {name.lower(): value for name, value in response.getheaders()}
        if headers.get("content-encoding") == "gzip" and not failure:
            content = gzip.decompress(content)
        return Outcome(response.status, headers, content, failure)
    except (OSError, http.client.HTTPException) as error:
        return Outcome(0, {}, b"", error)
    finally:
        connection.close()
