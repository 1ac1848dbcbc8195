"""The client on the wire: pauses, refusals, attempts, the pace and the clock, as the exchange and its log tell."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from candlelock.contracts.errors import EXIT_ENVIRONMENT, CandlelockError, EnvironmentFaultError, InputError
from candlelock.simulator.exchange import Exchange, RequestLog
from candlelock.simulator.running import running
from candlelock.snapshot.exchange.client import Client, Patience, _pause_s
from candlelock.snapshot.exchange.faults import BadAnswerError, SlowDownError
from tests.exchange_runs import QUICK, START_MS, SYMBOLS, content, make_market, make_params, take

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from candlelock.simulator.running import Simulator

N_BARS = 240
RANGE = {"start": "2024-01-01T00:00Z", "end": "2024-01-01T04:00Z"}
Arrivals = list[tuple[float, str, int]]


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with running("binance", [make_market(symbol, seed, N_BARS) for seed, symbol in enumerate(SYMBOLS)]) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def calm(sim: Simulator) -> Iterator[None]:
    """No fault, and the clock at the last candle's close."""
    sim.set_clock(START_MS + N_BARS * 60_000)
    yield
    sim.set_faults([])


@pytest.fixture
def arrivals(monkeypatch: pytest.MonkeyPatch) -> Arrivals:
    """Monotonic time, path and status of every request from here on."""
    seen: Arrivals = []
    add = RequestLog.add

    def note(log: RequestLog, endpoint: str, path: str, query: Any, fault: str | None, status: int) -> None:
        seen.append((time.monotonic(), path, status))
        add(log, endpoint, path, query, fault, status)

    monkeypatch.setattr(RequestLog, "add", note)
    return seen


def refusal(sim: Simulator, folder: Path, patience: Patience = QUICK) -> CandlelockError:
    with pytest.raises(CandlelockError) as caught:
        take(make_params(sim, **RANGE), folder, patience)
    assert not content(folder)
    return caught.value


def with_client(work: Callable[[Client], Awaitable[Any]], patience: Patience = QUICK) -> Any:
    async def run() -> Any:
        async with Client("binance", "http://127.0.0.1:9", patience) as client:
            return await work(client)

    return asyncio.run(run())


def test_a_retry_after_on_the_wire_is_waited_for(sim: Simulator, tmp_path: Path, arrivals: Arrivals) -> None:
    sim.set_faults([{"kind": "status_429", "endpoint": "info", "times": 1, "argument": 1}])
    take(make_params(sim, **RANGE), tmp_path)
    assert [status for _, _, status in arrivals[:2]] == [429, 200]
    assert arrivals[1][0] - arrivals[0][0] >= 1


def test_a_pause_holds_every_request_back() -> None:
    pause_s = 0.3

    async def work(client: Client) -> list[float]:
        asked: list[float] = []

        async def slowed() -> str:
            asked.append(time.monotonic())
            if len(asked) == 1:
                raise SlowDownError("HTTP 429", pause_s)
            return "answer"

        async def other() -> str:
            await asyncio.sleep(pause_s / 10)
            return await client.ask("other", slowed)

        await asyncio.gather(client.ask("one", slowed), other())
        return asked

    first, *others = with_client(work)
    assert len(others) == 2
    assert min(others) - first >= pause_s


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    assert _pause_s("7") == 7
    soon = datetime.now(UTC) + timedelta(seconds=60)
    assert 50 < (_pause_s(format_datetime(soon, usegmt=True)) or 0) <= 60
    assert _pause_s("Thu, 01 Jan 2009 00:00:00 GMT") == 0
    assert _pause_s("") is _pause_s("soon") is _pause_s("-1") is None


def test_a_slow_down_that_names_no_time_backs_off_further_each_time() -> None:
    async def work(client: Client) -> list[float]:
        asked: list[float] = []

        async def slowed() -> str:
            asked.append(time.monotonic())
            if len(asked) <= 3:
                raise SlowDownError("HTTP 429", None)
            return "answer"

        await client.ask("one", slowed)
        return asked

    waits = [later - earlier for earlier, later in pairwise(with_client(work, Patience(backoff_s=0.05)))]
    assert all(wait >= 0.05 * 2**n for n, wait in enumerate(waits))


@pytest.mark.parametrize("kind", ["status_429", "status_418"])
def test_a_pause_beyond_patience_ends_at_once(kind: str, sim: Simulator, tmp_path: Path, arrivals: Arrivals) -> None:
    sim.set_faults([{"kind": kind, "argument": 3600}])
    error = refusal(sim, tmp_path)
    assert (error.problems[0].code, error.exit_code) == ("exchange-pause", EXIT_ENVIRONMENT)
    assert "3600 seconds" in error.problems[0].found
    assert len(arrivals) == 1


@pytest.mark.parametrize("endpoint", ["info", "time", "klines"])
@pytest.mark.parametrize("kind", ["status_403", "status_451"])
def test_who_is_turned_away_does_not_ask_again(kind: str, endpoint: str, sim: Simulator, tmp_path: Path) -> None:
    sim.set_faults([{"kind": kind, "endpoint": endpoint}])
    n_before = len(sim.requests)
    error = refusal(sim, tmp_path)
    assert [problem.code for problem in error.problems] == ["exchange-refused"]
    struck = [request for request in sim.requests[n_before:] if request["fault"]]
    asked = Counter((request["path"], *sorted(request["query"].items())) for request in struck)
    assert struck
    assert max(asked.values()) == 1
    assert endpoint == "klines" or len(struck) == 1


@pytest.mark.parametrize("endpoint", ["info", "time"])
@pytest.mark.parametrize("n_attempts", [1, 3])
def test_a_server_error_is_asked_again_as_often_as_patience_says(
    endpoint: str, n_attempts: int, sim: Simulator, tmp_path: Path
) -> None:
    sim.set_faults([{"kind": "status_500", "endpoint": endpoint}])
    n_before = len(sim.requests)
    error = refusal(sim, tmp_path, Patience(0.5, n_attempts, 0.01, 5.0))
    assert sum(request["fault"] == "status_500" for request in sim.requests[n_before:]) == n_attempts
    assert f"attempt {n_attempts} of {n_attempts}" in error.problems[0].found


def test_nobody_at_the_address_is_a_fault_of_the_environment(tmp_path: Path) -> None:
    with running("binance", [make_market("BTC/USDT", 1, N_BARS)]) as gone:
        params = make_params(gone, ["BTC/USDT"], **RANGE)
    with pytest.raises(EnvironmentFaultError) as caught:
        take(params, tmp_path)
    assert [problem.code for problem in caught.value.problems] == ["exchange-unreachable"]


def test_an_unknown_exchange_names_the_nearest(sim: Simulator, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        take(make_params(sim, name="binanec", **RANGE), tmp_path)
    assert [problem.code for problem in caught.value.problems] == ["exchange-unknown"]
    assert "'binance'" in caught.value.problems[0].help


def test_an_api_clock_off_the_http_clock_is_not_believed(sim: Simulator, tmp_path: Path) -> None:
    sim.set_faults([{"kind": "clock_skew", "argument": -3_600_000}])
    error = refusal(sim, tmp_path)
    assert [problem.code for problem in error.problems] == ["exchange-answer"]
    assert "-3600 s off its HTTP clock" in error.problems[0].found


def test_a_clock_that_jumps_is_not_believed(sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Exchange.answer
    now_ms = START_MS + N_BARS * 60_000

    def answer_and_jump(exchange: Exchange, path: str, *others: Any) -> Any:
        nonlocal now_ms
        said = answer(exchange, path, *others)
        now_ms += 3_600_000 if path.endswith("time") else 0
        sim.set_clock(now_ms)
        return said

    monkeypatch.setattr(Exchange, "answer", answer_and_jump)
    error = refusal(sim, tmp_path)
    assert [problem.code for problem in error.problems] == ["exchange-answer"]
    assert "jumped by +3600 s" in error.problems[0].found


def test_without_a_clock_call_the_http_clock_counts() -> None:
    async def work(client: Client) -> int:
        client.ccxt.has["fetchTime"] = False
        client._date = "Mon, 01 Jan 2024 00:00:00 GMT"
        return await client.read_clock()

    assert with_client(work) == START_MS


def test_without_any_clock_there_is_no_snapshot() -> None:
    async def work(client: Client) -> int:
        client.ccxt.has["fetchTime"] = False
        return await client.read_clock()

    with pytest.raises(BadAnswerError, match="instead of a time"):
        with_client(work)


def test_kraken_is_asked_once_a_second(arrivals: Arrivals, tmp_path: Path) -> None:
    with running("kraken", [make_market("BTC/USD", 1, N_BARS)]) as kraken:
        take(make_params(kraken, ["BTC/USD"], name="kraken", **RANGE), tmp_path)
    assert content(tmp_path)
    assert len(arrivals) >= 4
    assert all(later[0] - earlier[0] > 0.7 for earlier, later in pairwise(arrivals))


def test_an_address_keeps_its_path_and_the_exchange_s_own() -> None:
    async def run() -> dict[str, str]:
        async with Client("kraken", "http://127.0.0.1:9/proxy/", QUICK) as client:
            return dict(client.ccxt.urls["api"])

    assert asyncio.run(run())["public"] == "http://127.0.0.1:9/proxy"
