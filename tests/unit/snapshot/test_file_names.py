from __future__ import annotations

import pytest

from candlelock.contracts.errors import InputError
from candlelock.snapshot.file_names import find_files, is_candle_file

OTHERS = ["BTC_USDTX-5m.feather", "WBTC_USDT-5m.feather", "ETH-USD.parquet", "BTC_EUR-1m.csv", "notes.csv"]


def refused(symbol: str, timeframe: str, names: list[str]) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        find_files(symbol, timeframe, names, "candles")
    (problem,) = caught.value.problems
    return problem.code, problem.found


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe"),
    [
        ("BTC_USDT-5m.feather", "BTC/USDT", "5m"),
        ("BTC-USD.parquet", "BTC/USD", "5m"),
        ("BTCUSDT-1m.csv", "BTC/USDT", "1m"),
        ("LINKUSDT-1m-2023-02.csv", "LINK/USDT", "1m"),
        ("BTCUSDT-1m-2023-02.zip", "BTC/USDT", "1m"),
        ("BTC_USDT_USDT-1m-futures.feather", "BTC/USDT", "1m"),
        ("btc usd 1H.csv.gz", "BTC/USD", "1h"),
        ("1000SHIB_USDT-1d.csv", "1000SHIB/USDT", "1d"),
        ("binance_BTCUSDT_1m.csv", "BTC/USDT", "1m"),
        ("Bitfinex_BTCUSD_1h.csv", "BTC/USD", "1h"),
        ("KRAKEN-BTC-USD-1h.parquet", "BTC/USD", "1h"),
        ("Binance_BTCUSDT_2020_minute.csv", "BTC/USDT", "1m"),
        ("Bitstamp_BTCUSD_d.csv", "BTC/USD", "1d"),
        ("binance/BTC_USDT-5m.feather", "BTC/USDT", "5m"),
        ("futures/BTC_USDT_USDT-1m-futures.feather", "BTC/USDT", "1m"),
    ],
)
def test_usual_names_are_understood(name: str, symbol: str, timeframe: str) -> None:
    assert find_files(symbol, timeframe, [*OTHERS, name], "candles") == [name]


@pytest.mark.parametrize(
    "name",
    [
        "BTC_USDT-8h-funding_rate.feather",
        "BTC_USDT_USDT-1m-mark.feather",
        "BTC_USDT-trades.feather",
        "BTCUSDT-aggTrades-2023-02.zip",
        "BTCUSDT-bookTicker-2023-02.zip",
        "DOGE_BTCUSDT-1m.csv",
        "BTCUSDT1m.csv",
        "acme_BTC_USDT-1m.csv",
    ],
)
def test_what_holds_no_candles_of_the_symbol_is_never_taken(name: str) -> None:
    assert refused("BTC/USDT", "1m", [name])[0] == "files-missing"


def test_the_asked_timeframe_wins_over_a_name_without_one() -> None:
    names = ["BTC-USD.csv", "BTC-USD-5m.csv", "BTC-USD-1h.csv"]
    assert find_files("BTC/USD", "1h", names, "candles") == ["BTC-USD-1h.csv"]
    assert find_files("BTC/USD", "1d", names, "candles") == ["BTC-USD.csv"]


@pytest.mark.parametrize("name", ["BTC-USD-1M.csv", "BTC-USD-1w.csv", "BTC-USD-15m.csv", "BTC-USD-30s.csv"])
def test_another_timeframe_is_not_taken(name: str) -> None:
    code, found = refused("BTC/USD", "1m", [name])
    assert code == "files-missing"
    assert name in found


def test_spot_goes_before_futures() -> None:
    spot, futures = "BTC_USDT-1m.feather", "BTC_USDT_USDT-1m-futures.feather"
    assert find_files("BTC/USDT", "1m", [futures, spot], "candles") == [spot]
    assert find_files("BTC/USDT", "1m", [f"futures/{futures}", spot], "candles") == [spot]


def test_one_folder_down_counts_only_where_the_top_has_nothing() -> None:
    names = ["binance/BTC_USDT-5m.feather", "BTC_USDT-5m.csv", "binance/ETH_USDT-5m.feather"]
    assert find_files("BTC/USDT", "5m", names, "candles") == ["BTC_USDT-5m.csv"]
    assert find_files("ETH/USDT", "5m", names, "candles") == ["binance/ETH_USDT-5m.feather"]
    assert refused("ETH/USDT", "5m", [*names, "kraken/ETH_USDT-5m.feather"]) == (
        "files-ambiguous",
        "binance/ETH_USDT-5m.feather, kraken/ETH_USDT-5m.feather",
    )


def test_dated_parts_of_one_history_belong_together() -> None:
    parts = ["BTCUSDT-1m-2023-01.zip", "BTCUSDT-1m-2023-02.zip", "BTCUSDT-1m-2023-03-01.csv"]
    assert find_files("BTC/USDT", "1m", [*parts[::-1], "BTCUSDT-5m-2023-01.zip"], "candles") == parts
    years = ["Binance_BTCUSDT_2020_minute.csv", "Binance_BTCUSDT_2021_minute.csv"]
    assert find_files("BTC/USDT", "1m", years, "candles") == years


@pytest.mark.parametrize(
    "names",
    [
        ["BTC-USD-1m.csv", "BTC_USD-1m.feather"],
        ["BTCUSD-1m-2023-01.csv", "BTCUSD-1m.csv"],
        ["BTCUSD-1m-2023-01.csv", "BTC-USD-1m-2023-02.csv"],
        ["binance_BTCUSD-1m-2023-01.csv", "kraken_BTCUSD-1m-2023-02.csv"],
        ["a/BTCUSD-1m-2023-01.csv", "b/BTCUSD-1m-2023-02.csv"],
    ],
)
def test_several_files_that_are_no_parts_are_refused_and_listed(names: list[str]) -> None:
    code, found = refused("BTC/USD", "1m", names)
    assert (code, found) == ("files-ambiguous", ", ".join(sorted(names)))


@pytest.mark.parametrize(
    ("names", "found"), [([], "no candle files"), ([f"A{n}-USD.csv" for n in range(20)], "and 12 more")]
)
def test_a_missing_symbol_says_what_is_there(names: list[str], found: str) -> None:
    assert found in refused("BTC/USD", "1m", names)[1]


def test_only_candle_files_count() -> None:
    names = ["a.csv", "a.csv.gz", "A.PARQUET", "a.feather", "a.zip", "a.json", "README.md", ".a.csv", "a.csv.bak"]
    assert [name for name in names if is_candle_file(name)] == names[:5]
