"""Which files of a folder are served as which symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from candlelock.contracts.errors import InputError
from candlelock.simulator.candle_folder import find_symbol, load_markets
from tests.unit.simulator.conftest import write_candles

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("words", "symbol"),
    [
        ("BTC USDT 5m", "BTC/USDT"),
        ("BTC USD", "BTC/USD"),
        ("BTCUSDT 1m", "BTC/USDT"),
        ("binance ETHBTC 1h", "ETH/BTC"),
        ("KRAKEN BTC USD 1h", "BTC/USD"),
        ("BTC USDT USDT 1m futures", "BTC/USDT"),
        ("1000PEPEUSDT 1m", "1000PEPE/USDT"),
        ("BTCFDUSD 1m 2023 02", "BTC/FDUSD"),
        ("readme", None),
        ("", None),
    ],
)
def test_names_are_read_as_people_write_them(words: str, symbol: str | None) -> None:
    assert find_symbol(words.split()) == symbol


def test_a_folder_gives_every_symbol_at_every_timeframe(tmp_path: Path) -> None:
    write_candles(tmp_path, "BTC/USDT", 3)
    write_candles(tmp_path, "ETH/USDT", 2, "ETHUSDT-1m.csv")
    (tmp_path / "BTC_USDT-1h.csv").write_text("date,open,high,low,close,volume\n2024-01-01T00:00:00Z,1,2,0.5,1.5,3\n")
    (tmp_path / "notes.txt").write_text("BTC_USDT-5m")
    found = [(market.symbol, market.timeframe, len(market.open_time_ms)) for market in load_markets(tmp_path, None)]
    assert found == [("BTC/USDT", "1h", 1), ("BTC/USDT", "1m", 3), ("ETH/USDT", "1m", 2)]
    assert [market.symbol for market in load_markets(tmp_path, "1h")] == ["BTC/USDT"]


def test_a_file_without_a_timeframe_has_the_one_asked_for(tmp_path: Path) -> None:
    write_candles(tmp_path, "BTC/USDT", 3, "BTC-USDT.csv")
    assert [(market.symbol, market.timeframe) for market in load_markets(tmp_path, "1m")] == [("BTC/USDT", "1m")]
    with pytest.raises(InputError, match="simulator-data"):
        load_markets(tmp_path, None)


@pytest.mark.parametrize("timeframe", ["7q", "0m", "1"])
def test_a_timeframe_is_a_number_and_a_unit(tmp_path: Path, timeframe: str) -> None:
    with pytest.raises(InputError, match="simulator-data"):
        load_markets(tmp_path, timeframe)


def test_there_must_be_a_folder_with_candles(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match="simulator-data"):
            load_markets(folder, None)


def test_bad_candles_are_refused_for_all_files_at_once(tmp_path: Path) -> None:
    for name in ("BTC_USDT-1m.csv", "ETH_USDT-1m.csv"):
        (tmp_path / name).write_text("date,open,high,low,close,volume\n2024-01-01T00:00:00Z,1,2,1.2,1.5,3\n")
    with pytest.raises(InputError) as caught:
        load_markets(tmp_path, None)
    assert [problem.code for problem in caught.value.problems] == ["candles-low", "candles-low"]
