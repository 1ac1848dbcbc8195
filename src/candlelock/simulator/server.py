"""The HTTP server: the exchange's paths, the control paths below /_sim, and faults of the connection."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiohttp import web

from candlelock.contracts.documents import utc_ms, utc_text
from candlelock.contracts.errors import EnvironmentFaultError, InputError, Problem
from candlelock.simulator.clock import Clock
from candlelock.simulator.connection_faults import SENDERS
from candlelock.simulator.exchange import RequestLog
from candlelock.simulator.faults import FaultPlan, parse_rules

if TYPE_CHECKING:
    from candlelock.simulator.dialect import Answer
    from candlelock.simulator.exchange import Exchange

CONTROL = "/_sim/"
MAX_SHUTDOWN_S = 0.2


class Server:
    """An exchange on a loopback port. Start and stop it in one event loop."""

    def __init__(self, exchange: Exchange, host: str, port: int, latency_ms: float) -> None:
        self.exchange = exchange
        self.host, self.port, self.latency_s = host, port, latency_ms / 1000
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=MAX_SHUTDOWN_S, keepalive_timeout=600
        )
        self._listener: asyncio.Server | None = None
        self._reopening: asyncio.Task[None] | None = None

    @property
    def base_url(self) -> str:
        """Where it listens, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def start(self) -> None:
        """Listen. Raises EnvironmentFaultError when the port cannot be had."""
        await self._runner.setup()
        self.exchange.clock = replace(self.exchange.clock, set_at_s=asyncio.get_running_loop().time())
        try:
            await self._listen()
        except OSError as error:
            place, found = f"{self.host}:{self.port}", error.strerror or str(error)
            help_line = "take another one, or --port 0 for any free one"
            problem = Problem("simulator-port", place, found, "a free port of this machine", help_line)
            await self._runner.cleanup()
            raise EnvironmentFaultError(problem) from None

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._reopening:
            self._reopening.cancel()
        self._close()
        await self._runner.cleanup()

    async def _listen(self) -> None:
        if self._runner.server is None:
            return
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._runner.server, self.host, self.port, backlog=512)
        self.port = self._listener.sockets[0].getsockname()[1]

    def _close(self) -> None:
        if self._listener:
            self._listener.close()
        for connection in self._runner.server.connections if self._runner.server else ():
            if connection.transport:
                connection.transport.abort()

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._listen()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await self._control(request)
        answer, fault = self.exchange.answer(request.path, request.query, asyncio.get_running_loop().time())
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        if fault and fault.name == "refused":
            self._close()
            self._reopening = asyncio.create_task(self._reopen(fault.argument))
            return web.Response()
        if fault and fault.name in SENDERS:
            return await SENDERS[fault.name](request, answer, fault.argument)
        return _response(answer, str(request.rel_url))

    async def _control(self, request: web.Request) -> web.StreamResponse:
        try:
            if request.method == "PUT":
                self._set(request.path, _parse(await request.read()))
            elif request.method == "DELETE":
                self._clear(request.path)
            return web.json_response(self._shown(request.path))
        except InputError as error:
            return web.json_response({"problems": [problem.as_dict() for problem in error.problems]}, status=400)
        except KeyError:
            return web.json_response({"problems": []}, status=404)

    def _set(self, path: str, value: Any) -> None:  # noqa: ANN401
        if path == CONTROL + "faults":
            self.exchange.plan = FaultPlan(parse_rules(value, "body"))
        elif path == CONTROL + "clock":
            self.exchange.clock = read_clock(value, "body")
        else:
            raise KeyError(path)

    def _clear(self, path: str) -> None:
        if path == CONTROL + "faults":
            self.exchange.plan = FaultPlan()
        elif path == CONTROL + "requests":
            self.exchange.log = RequestLog()
        else:
            raise KeyError(path)

    def _shown(self, path: str) -> Any:  # noqa: ANN401
        now = utc_text(self.exchange.clock.now_ms(asyncio.get_running_loop().time()))
        return {
            CONTROL + "faults": self.exchange.plan.as_dicts(),
            CONTROL + "requests": self.exchange.log.as_dict(),
            CONTROL + "clock": {"now": now, "is_running": self.exchange.clock.is_running},
        }[path]


def read_clock(value: Any, place: str) -> Clock:  # noqa: ANN401
    """The clock of {"now": RFC 3339 text, "is_running": bool}, set in the running event loop."""
    known = {"now", "is_running"}
    expected, help_line = 'a UTC time such as "2024-09-06T00:00Z" as "now"', "give an instant in UTC"
    if not isinstance(value, dict) or not set(value) <= known or not isinstance(value.get("is_running", True), bool):
        raise InputError(Problem("simulator-clock", place, repr(value)[:80], expected, help_line))
    start_ms = read_time(value.get("now"), place)
    return Clock(start_ms, value.get("is_running", True), asyncio.get_running_loop().time())


def read_time(text: Any, place: str) -> int:  # noqa: ANN401
    """Milliseconds since 1970 UTC of an RFC 3339 time. Raises InputError where it is none."""
    try:
        return utc_ms(text)
    except (ValueError, AttributeError, OverflowError):
        expected, help_line = "a UTC time such as 2024-09-06T00:00Z", "give an instant in UTC"
        raise InputError(Problem("simulator-clock", place, repr(text)[:80], expected, help_line)) from None


def _parse(content: bytes) -> Any:  # noqa: ANN401
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        problem = Problem("simulator-faults", "body", str(error), "JSON", "docs/exchange_sim.md explains the rules")
        raise InputError(problem) from None


def _response(answer: Answer, own_url: str) -> web.Response:
    headers = {"Content-Type": answer.content_type, **answer.headers}
    if "Location" in headers:
        headers["Location"] = own_url
    return web.Response(body=answer.body, status=answer.status, headers=headers)
