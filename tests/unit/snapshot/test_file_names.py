from __future__ import annotations

import pytest

from candlelock.contracts.errors import InputError
from candlelock.snapshot.file_names import find_file, is_candle_file


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe"),
    [
        ("BTC_USDT-5m.feather", "BTC/USDT", "5m"),
        ("BTC-USD.parquet", "BTC/USD", "5m"),
        ("BTCUSDT-1m.csv", "BTC/USDT", "1m"),
        ("LINKUSDT-1m-2023-02.csv", "LINK/USDT", "1m"),
        ("BTC_USDT_USDT-1m-futures.feather", "BTC/USDT", "1m"),
        ("btc usd 1H.csv.gz", "BTC/USD", "1h"),
        ("1000SHIB_USDT-1d.csv", "1000SHIB/USDT", "1d"),
    ],
)
def test_usual_names_are_understood(name: str, symbol: str, timeframe: str) -> None:
    others = ["BTC_USDTX-5m.feather", "WBTC_USDT-5m.feather", "ETH-USD.parquet", "BTC_EUR-1m.csv", "notes.csv"]
    assert find_file(symbol, timeframe, [*others, name], "candles") == name


def test_the_asked_timeframe_wins_over_a_name_without_one() -> None:
    names = ["BTC-USD.csv", "BTC-USD-5m.csv", "BTC-USD-1h.csv"]
    assert find_file("BTC/USD", "1h", names, "candles") == "BTC-USD-1h.csv"
    assert find_file("BTC/USD", "1d", names, "candles") == "BTC-USD.csv"


@pytest.mark.parametrize("name", ["BTC-USD-1M.csv", "BTC-USD-1w.csv", "BTC-USD-15m.csv", "BTC-USD-30s.csv"])
def test_another_timeframe_is_not_taken(name: str) -> None:
    with pytest.raises(InputError) as caught:
        find_file("BTC/USD", "1m", [name], "candles")
    assert caught.value.problems[0].code == "files-missing"
    assert name in caught.value.problems[0].found


def test_two_files_for_one_symbol_are_refused_and_listed() -> None:
    with pytest.raises(InputError) as caught:
        find_file("BTC/USD", "1m", ["BTC-USD-1m.csv", "BTC_USD-1m.feather", "BTC-USD.csv"], "candles")
    assert caught.value.problems[0].code == "files-ambiguous"
    assert caught.value.problems[0].found == "BTC-USD-1m.csv, BTC_USD-1m.feather"


@pytest.mark.parametrize(
    ("names", "found"), [([], "no candle files"), ([f"A{n}-USD.csv" for n in range(20)], "and 12 more")]
)
def test_a_missing_symbol_says_what_is_there(names: list[str], found: str) -> None:
    with pytest.raises(InputError) as caught:
        find_file("BTC/USD", "1m", names, "candles")
    assert found in caught.value.problems[0].found


def test_only_candle_files_count() -> None:
    names = ["a.csv", "a.csv.gz", "A.PARQUET", "a.feather", "a.json", "README.md", ".a.csv", "a.csv.bak"]
    assert [name for name in names if is_candle_file(name)] == names[:4]
