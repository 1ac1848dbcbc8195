"""The real ccxt client, held to its word: bounded answers, bounded time, refusals and pauses as the exchange asks.

Nothing of ccxt is replaced. Its session is ours, to see status codes and sizes; its row parsing is bypassed, because it
turns prices into floats and drops, sorts and cuts rows without a word.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import ccxt.async_support as ccxt

from candlelock.contracts.errors import EnvironmentFaultError, InputError, Problem, nearest
from candlelock.snapshot.exchange.dialect import DIALECTS, OTHER
from candlelock.snapshot.exchange.faults import BadAnswerError, DisagreementError, RefusedError, SlowDownError
from candlelock.snapshot.times import END_SECOND, FIRST_SECOND

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Answer = TypeVar("Answer")
FORBIDDEN = {401, 403, 407, 451}
SLOW_DOWN = {418, 429}
N_CONNECTIONS = 24
MAX_SKEW_MS = 10_000
MAX_AHEAD_MS = 120_000
PLACE = "snapshot.exchange.name"
MAX_ANSWER_BYTES = 64 << 20  # the largest exchangeInfo has some 20 MB


@dataclass(frozen=True)
class Patience:
    """How long an exchange is waited for: one answer, the attempts at it, and the longest pause it may ask for."""

    answer_s: float = 20.0
    n_attempts: int = 6
    backoff_s: float = 0.5
    max_pause_s: float = 120.0


class _BoundedResponse(aiohttp.ClientResponse):
    """A response whose body, decompressed, stays below a limit."""

    async def read(self) -> bytes:
        if self._body is None:
            parts, size = [], 0
            async for part in self.content.iter_any():
                parts.append(part)
                size += len(part)
                if size > MAX_ANSWER_BYTES:
                    self.close()
                    raise aiohttp.ClientPayloadError(f"an answer of more than {MAX_ANSWER_BYTES >> 20} MB")
            self._body = b"".join(parts)
        return self._body


class Client:
    """One exchange, as an async context; every request goes through `ask`."""

    def __init__(self, name: str, base_url: str | None, patience: Patience) -> None:
        if name not in ccxt.exchanges:
            raise InputError(_unknown_exchange(name))
        self.name = name
        self.address = base_url or "its own address"
        self.dialect = DIALECTS.get(name, OTHER)
        self.patience = patience
        self._pause_until = 0.0
        self._date = ""
        self._base_url = base_url

    async def __aenter__(self) -> Client:
        settings = {
            "enableRateLimit": True,
            "timeout": int(self.patience.answer_s * 1_000),
            **dict(self.dialect.options),
        }
        ours: Any = getattr(ccxt, self.name)(settings)
        if not ours.has["fetchOHLCV"]:
            help_line = "take another exchange, or candles from files"
            raise InputError(
                Problem("exchange-unknown", PLACE, self.name, "an exchange that offers candles through ccxt", help_line)
            )
        secure = ssl.create_default_context(cafile=ours.cafile)
        ours.own_session = False
        ours.session = self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=secure, limit=N_CONNECTIONS),
            response_class=_BoundedResponse,
            raise_for_status=self._judge_status,
            trust_env=self._base_url is None,
        )
        ours.number = str  # prices stay the text that was printed
        if self.dialect is OTHER:  # the others print amounts as text
            ours.on_json_response = _parse_json
        ours.parse_ohlcvs = self._keep_rows
        ours.has["fetchCurrencies"] = False
        if self._base_url:
            ours.urls["api"] = _redirected(ours.urls["api"], self._base_url)
        self.ccxt = ours
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ccxt.close()
        await self._session.close()

    async def ask(self, what: str, request: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to `request`, asked again after faults that may pass, a BadAnswerError among them.

        Raises InputError when the exchange refuses or keeps answering wrongly, EnvironmentFaultError when it cannot be
        reached or asks for a longer pause than `Patience` allows.
        """
        faults: list[str] = []
        while True:
            await asyncio.sleep(max(0.0, self._pause_until - time.monotonic()))
            try:
                async with asyncio.timeout(2 * self.patience.answer_s + self.patience.max_pause_s):
                    return await request()
            except DisagreementError:
                raise
            except RefusedError as error:
                raise InputError(self._refused(what, str(error))) from None
            except SlowDownError as error:
                self._pause(what, error, len(faults))
                faults.append(str(error))
                is_reached = False
            except (ccxt.NetworkError, TimeoutError, OSError) as error:
                faults.append(_first_line(error))
                is_reached = False
            except Exception as error:  # ccxt falls over answers it does not expect, in every way there is
                faults.append(_first_line(error))
                is_reached = True
            if len(faults) >= self.patience.n_attempts:
                raise self._given_up(what, faults, is_reached) from None
            await asyncio.sleep(self.patience.backoff_s * 2 ** (len(faults) - 1))

    async def read_markets(self) -> dict[str, Any]:
        """Symbol -> market, as ccxt gives them."""
        markets = await self.ccxt.load_markets(True)
        if not markets:
            raise BadAnswerError("it lists no market")
        return dict(markets)

    def page_rows(self, symbol: str, default: int) -> int:
        """The most candles of one answer."""
        return int(self.ccxt.feature_value(symbol, "fetchOHLCV", "limit") or default)

    async def read_clock(self) -> int:
        """The exchange's time in milliseconds since 1970 UTC, read twice; where it has no such call, its HTTP clock.

        BadAnswerError when the readings, or API and HTTP clock, are further apart than `MAX_SKEW_MS`.
        """
        started = time.monotonic()
        first, second = await self._read_clock_once(), await self._read_clock_once()
        jump_ms = second - first - (time.monotonic() - started) * 1_000
        if abs(jump_ms) > MAX_SKEW_MS:
            raise BadAnswerError(f"its clock jumped by {jump_ms / 1_000:+.0f} s between two readings")
        return second

    async def _read_clock_once(self) -> int:
        has_call = self.ccxt.has["fetchTime"]
        api_ms = await self.ccxt.fetch_time() if has_call else None
        moment = _http_date(self._date)
        http_ms = int(moment.timestamp() * 1_000) if moment else None
        now_ms = api_ms if has_call else http_ms
        if type(now_ms) is not int or not FIRST_SECOND <= now_ms // 1_000 < END_SECOND:
            raise BadAnswerError(f"{now_ms!r} instead of a time")
        if self._base_url is None and now_ms - time.time() * 1_000 > MAX_AHEAD_MS:
            raise BadAnswerError(f"its clock is {now_ms / 1_000 - time.time():.0f} s ahead of this machine's")
        if http_ms is not None and abs(now_ms - http_ms) > MAX_SKEW_MS:
            raise BadAnswerError(f"its API clock is {(now_ms - http_ms) / 1_000:+.0f} s off its HTTP clock")
        return now_ms

    async def _judge_status(self, response: aiohttp.ClientResponse) -> None:
        """Called by the session for every answer; the other statuses are for ccxt to judge."""
        self._date = response.headers.get("Date", "")
        said = f"HTTP {response.status} {response.reason}"
        if response.status in FORBIDDEN:
            response.close()
            raise RefusedError(said)
        if response.status in SLOW_DOWN:
            response.close()
            after = response.headers.get("Retry-After", "")
            raise SlowDownError(f"{said}, Retry-After {after or 'not given'}", _pause_s(after))

    def _keep_rows(self, rows: Any, market: Any = None, *_: object) -> Any:  # noqa: ANN401
        """In place of ccxt's `parse_ohlcvs`: rows as they came, or each parsed where its columns are unknown."""
        if self.dialect.columns or not isinstance(rows, list):
            return rows
        parsed = [self.ccxt.parse_ohlcv(row, market) for row in rows]
        kept = [[row[0], *("" if value is None else value for value in row[1:])] for row in parsed]
        is_newest_first = len(kept) > 1 and (kept[0][0] or 0) > (kept[-1][0] or 0)  # as many exchanges answer
        return kept[::-1] if is_newest_first else kept

    def _pause(self, what: str, error: SlowDownError, n_before: int) -> None:
        """Hold every request back, not just this one: the limit is the exchange's, for all of them."""
        wait_s = self.patience.backoff_s * 2**n_before if error.pause_s is None else error.pause_s
        if wait_s > self.patience.max_pause_s:
            found = f"a pause of {wait_s:.0f} seconds: {error}"
            help_line = "run the same again after that time: what is fetched is kept"
            expected = f"at most {self.patience.max_pause_s:.0f} seconds"
            raise EnvironmentFaultError(Problem("exchange-pause", self._place(what), found, expected, help_line))
        self._pause_until = max(self._pause_until, time.monotonic() + wait_s)

    def _refused(self, what: str, found: str) -> Problem:
        help_line = "the exchange does not serve this network or country; use another exchange or network"
        return Problem("exchange-refused", self._place(what), found, "an answer", help_line)

    def _given_up(self, what: str, faults: list[str], is_reached: bool) -> InputError | EnvironmentFaultError:
        found = f"{faults[-1]} (attempt {len(faults)} of {self.patience.n_attempts})"
        help_line = "nothing was published; run the same again later: what is fetched is kept"
        if is_reached:
            return InputError(Problem("exchange-answer", self._place(what), found, "a sound answer", help_line))
        return EnvironmentFaultError(
            Problem("exchange-unreachable", self._place(what), found, f"a sound answer from {self.address}", help_line)
        )

    def _place(self, what: str) -> str:
        return f"{self.name} {what}"


def _pause_s(after: str) -> float | None:
    """Seconds of a Retry-After header: a number, or a date."""
    if after.isdecimal():
        return float(after)
    moment = _http_date(after)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment else None


def _http_date(text: str) -> datetime | None:
    """A date of an HTTP header, in UTC; None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _parse_json(text: str) -> Any:  # noqa: ANN401
    """Numbers with a point or exponent stay text: a float would round them."""
    return json.loads(text, parse_float=str)


def _redirected(urls: Any, base_url: str) -> Any:  # noqa: ANN401
    """Every address of a ccxt `urls['api']`, with its path, at another host."""
    if isinstance(urls, dict):
        return {key: _redirected(value, base_url) for key, value in urls.items()}
    base = urlsplit(base_url)
    path = base.path.rstrip("/") + urlsplit(urls).path
    return urlunsplit((base.scheme, base.netloc, path, "", ""))


def _unknown_exchange(name: str) -> Problem:
    expected = "an exchange of ccxt"
    return Problem("exchange-unknown", PLACE, repr(name), expected, nearest(name, ccxt.exchanges))


def _first_line(error: BaseException) -> str:
    """ccxt's own text names the address alone; what happened is in the error that it was raised from."""
    errors = (error, error.__cause__) if error.__cause__ else (error,)
    text = ": ".join(" ".join(str(each).split()) or type(each).__name__ for each in errors)
    return f"{text[:200]}…" if len(text) > 200 else text
