"""Control paths, the request limit, the clock, connections that are kept."""

from __future__ import annotations

import asyncio
import http.client
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from candlelock.contracts.errors import EnvironmentFaultError, InputError
from candlelock.simulator.clock import Clock, WeightWindow
from candlelock.simulator.running import make_server, running
from tests.unit.simulator.conftest import BAR_MS, FIRST_MS, N_ROWS, fetch

if TYPE_CHECKING:
    from candlelock.simulator.market import Market
    from candlelock.simulator.running import Simulator

END_MS = FIRST_MS + N_ROWS * BAR_MS


def test_faults_are_put_shown_and_deleted(binance: Simulator) -> None:
    rule = {"kind": "empty_object", "endpoint": "time", "times": 1}
    shown = fetch(binance, "/_sim/faults", method="PUT", body=[rule])
    assert shown.status == 200
    assert fetch(binance, "/api/v3/time").json() == {}
    (counted,) = fetch(binance, "/_sim/faults").json()
    assert counted.items() >= (rule | {"n_matching": 1, "n_struck": 1}).items()
    assert fetch(binance, "/_sim/faults", method="DELETE").json() == []
    assert fetch(binance, "/api/v3/time").json() == {"serverTime": END_MS}


def test_requests_are_logged_and_forgotten(binance: Simulator) -> None:
    fetch(binance, "/_sim/requests", method="DELETE")
    binance.set_faults([{"kind": "status_503", "first": 2}])
    fetch(binance, "/api/v3/ping")
    fetch(binance, "/api/v3/klines", symbol="BTCUSDT", interval="1m")
    log = fetch(binance, "/_sim/requests").json()
    binance.set_faults([])
    assert log["n"] == 2
    assert log["n_by_endpoint"] == {"ping": 1, "klines": 1}
    assert log["n_by_fault"] == {"status_503": 1}
    asked = {"symbol": "BTCUSDT", "interval": "1m"}
    assert log["last"][1] == {"path": "/api/v3/klines", "query": asked, "fault": "status_503", "status": 503}
    assert fetch(binance, "/_sim/requests", method="DELETE").json()["n"] == 0


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/_sim/faults", [{"kind": "nope"}], "simulator-faults"),
        ("/_sim/faults", {}, "simulator-faults"),
        ("/_sim/clock", {"now": "tomorrow"}, "simulator-clock"),
        ("/_sim/clock", {"now": 3}, "simulator-clock"),
        ("/_sim/clock", {}, "simulator-clock"),
        ("/_sim/clock", [], "simulator-clock"),
        ("/_sim/clock", {"now": "2024-01-01", "is_running": 1}, "simulator-clock"),
    ],
)
def test_bad_orders_are_refused_as_problems(binance: Simulator, path: str, body: object, code: str) -> None:
    got = fetch(binance, path, method="PUT", body=body)
    assert got.status == 400
    assert [problem["code"] for problem in got.json()["problems"]] == [code]


def test_unknown_control_paths_are_not_found(binance: Simulator) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert fetch(binance, "/_sim/nothing", method=method, body={}).status == 404


def test_no_candle_begins_after_the_clock(markets: list[Market]) -> None:
    with running("binance", markets) as simulator:
        for text, n_rows in (("2024-01-01T00:10:00Z", 11), ("2024-01-01T00:10:30Z", 11), ("2023-12-31T23:00Z", 0)):
            fetch(simulator, "/_sim/clock", method="PUT", body={"now": text, "is_running": False})
            assert len(fetch(simulator, "/api/v3/klines", symbol="BTCUSDT", interval="1m").json()) == n_rows


def test_the_date_header_shows_the_exchanges_clock(binance: Simulator) -> None:
    binance.set_faults([{"kind": "clock_skew"}, {"kind": "slow_drip", "argument": 0, "endpoint": "klines"}])
    for path in ("/api/v3/time", "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1", "/api/v3/nothing"):
        assert fetch(binance, path).headers["date"] == "Tue, 02 Jan 2024 17:40:00 GMT"
    binance.set_faults([])


def test_a_running_clock_runs_with_the_seconds() -> None:
    running_clock, standing = Clock(5_000, True, 100.0), Clock(5_000, False, 100.0)
    assert [clock.now_ms(107.5) for clock in (running_clock, standing)] == [12_500, 5_000]


def test_a_clock_starts_when_the_server_does(markets: list[Market]) -> None:
    with running("binance", markets, Clock(FIRST_MS, is_running=True)) as simulator:
        first = fetch(simulator, "/api/v3/time").json()["serverTime"]
        time.sleep(0.05)
        second = fetch(simulator, "/api/v3/time").json()["serverTime"]
    assert FIRST_MS <= first < second < FIRST_MS + 60_000


def test_weight_is_counted_by_the_minute() -> None:
    window = WeightWindow(limit=5)
    assert [window.charge(2, second) for second in (60.0, 70.0, 75.5, 120.0)] == [None, None, 45, None]
    assert window.used == 2


def test_too_many_requests_get_429(markets: list[Market]) -> None:
    with running("binance", markets, weight_limit=5) as simulator:
        got = [fetch(simulator, "/api/v3/klines", symbol="BTCUSDT", interval="1m", limit=1) for _ in range(3)]
    assert [each.status for each in got] in ([200, 200, 429], [200, 200, 200])  # a minute may end in between
    if got[2].status == 429:
        assert [each.headers["x-mbx-used-weight-1m"] for each in got] == ["2", "4", "6"]
        assert 1 <= int(got[2].headers["retry-after"]) <= 60
        assert got[2].json()["code"] == -1003


def test_every_answer_waits_for_the_latency(markets: list[Market]) -> None:
    with running("kraken", markets, latency_ms=300) as simulator:
        assert isinstance(fetch(simulator, "/0/public/Time", timeout_s=0.1).failure, TimeoutError)
        assert fetch(simulator, "/0/public/Time").status == 200


def test_a_connection_is_kept_between_requests(binance: Simulator) -> None:
    address = urlsplit(binance.base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    for _ in range(3):
        connection.request("GET", "/api/v3/ping")
        assert connection.getresponse().read() == b"{}"
        local = connection.sock.getsockname()
    assert connection.sock.getsockname() == local
    connection.close()


def test_a_taken_port_is_said_to_be_taken(binance: Simulator, markets: list[Market]) -> None:
    server = make_server("binance", markets, port=urlsplit(binance.base_url).port or 0)
    with pytest.raises(EnvironmentFaultError, match="simulator-port"):
        asyncio.run(server.start())


def test_there_are_two_dialects(markets: list[Market]) -> None:
    with pytest.raises(InputError, match="did you mean 'binance'"):
        make_server("binanse", markets)
