"""Pages, names and refusals of the Kraken dialect, against the rules of its documentation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlelock.simulator.dialect import Question
from candlelock.simulator.kraken import Kraken
from tests.unit.simulator.conftest import BAR_MS, FIRST_MS, N_ROWS, candle, fetch

if TYPE_CHECKING:
    from candlelock.simulator.market import Market
    from candlelock.simulator.running import Simulator

END_MS = FIRST_MS + N_ROWS * BAR_MS


@pytest.fixture(scope="module")
def exchange(markets: list[Market]) -> Kraken:
    return Kraken(markets)


def ask(exchange: Kraken, now_ms: int = END_MS, **query: Any) -> Any:
    asked = {"pair": "XXBTZUSD"} | {name: str(value) for name, value in query.items() if value is not None}
    answer = exchange.answer(Question("klines", asked, now_ms))
    assert answer.status == 200
    return json.loads(answer.body)


near_bars = st.builds(
    lambda row, offset: FIRST_MS // 1000 + row * 60 + offset,
    st.integers(-5, N_ROWS + 5),
    st.sampled_from((-1, 0, 1, 30)),
)


@given(st.none() | near_bars, st.integers(FIRST_MS, END_MS) | near_bars.map(lambda second: 1000 * second))
def test_any_page_is_the_newest_720_candles_after_since(exchange: Kraken, since_s: int | None, now_ms: int) -> None:
    page = ask(exchange, now_ms, since=since_s)["result"]
    begun = [row for row in range(N_ROWS) if FIRST_MS + row * BAR_MS <= now_ms][-720:]
    wanted = [row for row in begun if since_s is None or FIRST_MS + row * BAR_MS > since_s * 1000]
    rows = page["XXBTZUSD"]
    assert [row[0] for row in rows] == [candle("BTC/USD", n)[0] // 1000 for n in wanted]
    for row, n in zip(rows, wanted, strict=True):
        opened, *prices, volume = candle("BTC/USD", n)
        if opened + BAR_MS <= now_ms:
            assert [*row[1:5], row[6]] == [*prices, volume]
            assert page["last"] >= row[0]
        else:
            assert row[1:5] == [prices[0]] * 4
            assert page["last"] < row[0]
        assert len(row) == 8


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ({"interval": "7"}, "EGeneral:Invalid arguments"),
        ({"interval": "5"}, "EGeneral:Invalid arguments"),
        ({"since": "yesterday"}, "EGeneral:Invalid arguments"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_status_200(
    exchange: Kraken, query: dict[str, str], error: str
) -> None:
    assert ask(exchange, **query) == {"error": [error]}


def test_pairs_have_krakens_names(kraken: Simulator) -> None:
    pairs = fetch(kraken, "/0/public/AssetPairs").json()["result"]
    names = {key: (pair["altname"], pair["wsname"], pair["base"], pair["quote"]) for key, pair in pairs.items()}
    assert names == {
        "XXBTZUSD": ("XBTUSD", "XBT/USD", "XXBT", "ZUSD"),
        "XBTUSDT": ("XBTUSDT", "XBT/USDT", "XXBT", "USDT"),
        "ETHUSDT": ("ETHUSDT", "ETH/USDT", "XETH", "USDT"),
        "XDGUSD": ("XDGUSD", "XDG/USD", "XXDG", "ZUSD"),
    }
    assert {pair["status"] for pair in pairs.values()} == {"online"}
    for name in ("XBTUSD", "XBT/USD"):
        assert list(fetch(kraken, "/0/public/AssetPairs", pair=name).json()["result"]) == ["XXBTZUSD"]
    assert fetch(kraken, "/0/public/AssetPairs", pair="NOPE").json() == {"error": ["EQuery:Unknown asset pair"]}


def test_clock_status_and_assets(kraken: Simulator) -> None:
    assert fetch(kraken, "/0/public/Time").json()["result"]["unixtime"] == END_MS // 1000
    assert fetch(kraken, "/0/public/SystemStatus").json()["result"]["status"] == "online"
    assert fetch(kraken, "/0/public/Assets").json()["result"]["XXBT"]["altname"] == "XBT"
    assert fetch(kraken, "/0/public/Nothing").json() == {"error": ["EGeneral:Unknown method"]}
