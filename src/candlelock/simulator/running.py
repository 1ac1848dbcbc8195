"""A simulator in this process, served from a thread of its own: for tests and benchmarks."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

from candlelock.simulator.binance import WEIGHT_PER_MINUTE
from candlelock.simulator.clock import Clock
from candlelock.simulator.exchange import Exchange, make_dialect, newest_close_ms
from candlelock.simulator.faults import FaultPlan, parse_rules
from candlelock.simulator.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from candlelock.simulator.market import Market

LOOPBACK = "127.0.0.1"


class Simulator:
    """A running server as its thread's owner sees it."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def base_url(self) -> str:
        """Where it listens, without a slash at the end."""
        return self._server.base_url

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Path, query, fault and status of the last requests, oldest first."""
        return list(self._server.exchange.log.last)

    def set_faults(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace the fault rules, each an object as `faults.FaultRule` has it. Raises InputError."""
        self._server.exchange.plan = FaultPlan(parse_rules([dict(rule) for rule in rules], "rules"))

    def set_clock(self, now_ms: int) -> None:
        """Stop the clock at a time in milliseconds since 1970 UTC."""
        self._server.exchange.clock = Clock(now_ms, is_running=False)


def make_server(
    dialect: str,
    markets: Sequence[Market],
    clock: Clock | None = None,
    host: str = LOOPBACK,
    port: int = 0,
    latency_ms: float = 0.0,
    weight_limit: int = WEIGHT_PER_MINUTE,
) -> Server:
    """A server of these markets that does not listen yet. Without a clock, time stands at the newest candle's close."""
    standing = clock or Clock(newest_close_ms(markets), is_running=False)
    return Server(Exchange(make_dialect(dialect, markets), standing, weight_limit), host, port, latency_ms)


@contextlib.contextmanager
def running(
    dialect: str,
    markets: Sequence[Market],
    clock: Clock | None = None,
    latency_ms: float = 0.0,
    weight_limit: int = WEIGHT_PER_MINUTE,
) -> Iterator[Simulator]:
    """A simulator on a free loopback port for the length of a `with` block; markets of `candle_folder.load_markets`."""
    server = make_server(dialect, markets, clock, latency_ms=latency_ms, weight_limit=weight_limit)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever, name="exchange-sim", daemon=True)
    thread.start()
    try:
        yield Simulator(server)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
