"""Pages and refusals of the Binance dialect, against the rules of its documentation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlelock.simulator.binance import Binance
from candlelock.simulator.candle_folder import load_markets
from candlelock.simulator.dialect import Question
from tests.unit.simulator.conftest import BAR_MS, FIRST_MS, N_ROWS, candle, fetch

if TYPE_CHECKING:
    from pathlib import Path

    from candlelock.simulator.market import Market
    from candlelock.simulator.running import Simulator

END_MS = FIRST_MS + N_ROWS * BAR_MS
near_bars = st.builds(
    lambda row, offset: FIRST_MS + row * BAR_MS + offset, st.integers(-5, N_ROWS), st.sampled_from((-1, 0, 1, 30_000))
)
moments = st.none() | near_bars


@pytest.fixture(scope="module")
def exchange(markets: list[Market]) -> Binance:
    return Binance(markets)


def klines(exchange: Binance, now_ms: int = END_MS, **query: Any) -> tuple[int, Any]:
    given_ones = {name: str(value) for name, value in query.items() if value is not None}
    asked = {"symbol": "BTCUSDT", "interval": "1m"} | given_ones
    answer = exchange.answer(Question("klines", asked, now_ms))
    return answer.status, json.loads(answer.body)


def naive(start_ms: int | None, end_ms: int | None, limit: int | None, now_ms: int) -> list[int]:
    """Rows that the documentation promises: from the start on, or the newest where no start is given."""
    times = [FIRST_MS + row * BAR_MS for row in range(N_ROWS)]
    last_ms = min(now_ms, now_ms if end_ms is None else end_ms)
    rows = [row for row in range(N_ROWS) if (start_ms is None or times[row] >= start_ms) and times[row] <= last_ms]
    n = min(limit or 500, 1000)
    return rows[:n] if start_ms is not None else rows[-n:]


@given(moments, moments, st.none() | st.integers(1, 1500), near_bars)
def test_any_page_is_the_slice_of_the_candles(
    exchange: Binance, start_ms: int | None, end_ms: int | None, limit: int | None, now_ms: int
) -> None:
    status, rows = klines(exchange, now_ms, startTime=start_ms, endTime=end_ms, limit=limit)
    wanted = naive(start_ms, end_ms, limit, now_ms)
    assert status == 200
    assert [row[0] for row in rows] == [candle("BTC/USDT", n)[0] for n in wanted]
    for row, n in zip(rows, wanted, strict=True):
        opened, *amounts = candle("BTC/USDT", n)
        if opened + BAR_MS <= now_ms:
            assert row[1:6] == [text.ljust(text.index(".") + 9, "0") for text in amounts]
        assert row[6] == opened + BAR_MS - 1
        assert len(row) == 12


def test_only_a_running_bar_is_unfinished(exchange: Binance) -> None:
    now_ms = FIRST_MS + 10 * BAR_MS + 1
    rows = klines(exchange, now_ms, limit=2)[1]
    assert rows[0][2:6] == [text.ljust(text.index(".") + 9, "0") for text in candle("BTC/USDT", 9)[2:]]
    assert rows[1][1] == rows[1][2] == rows[1][3] == rows[1][4] == candle("BTC/USDT", 10)[1] + "000000"
    assert rows[1][5] == "0.00000000"
    assert rows[1][6] == FIRST_MS + 11 * BAR_MS - 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"symbol": "NOPEUSDT"}, -1121),
        ({"symbol": "BTC/USDT"}, -1100),
        ({"symbol": ""}, -1102),
        ({"interval": "7m"}, -1120),
        ({"interval": "5m"}, -1120),
        ({"interval": ""}, -1102),
        ({"startTime": "-1"}, -1100),
        ({"startTime": "1.7e12"}, -1100),
        ({"endTime": "soon"}, -1100),
        ({"limit": "0"}, -1130),
        ({"limit": "x"}, -1100),
    ],
)
def test_what_cannot_be_answered_is_refused_by_code(exchange: Binance, query: dict[str, str], code: int) -> None:
    status, error = klines(exchange, **query)
    assert (status, error["code"]) == (400, code)


def test_information_is_given_for_the_symbols_asked(binance: Simulator) -> None:
    path = "/api/v3/exchangeInfo"
    one = fetch(binance, path, symbol="ETHUSDT").json()["symbols"]
    two = fetch(binance, path, symbols='["BTCUSDT","ETHUSDT"]').json()["symbols"]
    assert [entry["symbol"] for entry in one] == ["ETHUSDT"]
    assert [entry["symbol"] for entry in two] == ["BTCUSDT", "ETHUSDT"]
    assert one[0]["filters"][0]["tickSize"] == "0.01000000"
    assert one[0]["status"] == "TRADING"
    assert fetch(binance, path, symbol="NOPE").json()["code"] == -1121
    assert fetch(binance, path, symbols="BTCUSDT").json()["code"] == -1100


def test_other_paths_are_not_found(binance: Simulator) -> None:
    assert fetch(binance, "/api/v3/order").status == 404


def test_columns_beyond_price_and_volume_are_served_where_the_file_has_them(tmp_path: Path) -> None:
    header = (
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume"
    )
    row = "1704067200000,6.949,6.959,6.947,6.957,30.25,1704067259999,210.22038,471,10.28,71.44,0"
    (tmp_path / "LINKUSDT-1m.csv").write_text(f"{header},ignore\n{row}\n")
    asked = {"symbol": "LINKUSDT", "interval": "1m"}
    answer = Binance(load_markets(tmp_path, None)).answer(Question("klines", asked, FIRST_MS + BAR_MS))
    assert json.loads(answer.body)[0][5:] == [
        "30.25000000", 1704067259999, "210.22038000", 471, "10.28000000", "71.44000000", "0"
    ]  # fmt: skip
