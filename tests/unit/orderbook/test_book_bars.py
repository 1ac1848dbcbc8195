"""Imports as columns of a market: where each bar goes, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.contracts.errors import InputError
from candlelock.features.market import Market, with_books
from candlelock.orderbook import book_bars
from candlelock.orderbook.importer import import_recording
from tests.unit.orderbook.streams import START_MS

if TYPE_CHECKING:
    from pathlib import Path

MINUTE_MS = 60_000


def import_into(folder: Path, parts: list[Path], symbol: str = "BTC/USDT") -> None:
    import_recording(parts, symbol, "1m", (1, 2), folder, lambda n_done, n_total: None)


def market_around() -> Market:
    """Five minutes from one before the recording on, of two symbols."""
    times = START_MS - MINUTE_MS + MINUTE_MS * np.arange(5, dtype=np.int64)
    one = np.ones((2, 5))
    return Market(("ETH/USDT", "BTC/USDT"), MINUTE_MS, times, one, one, one, one, one)


def test_every_bar_of_a_recording_goes_to_its_symbol_and_time(tmp_path: Path, parts: list[Path]) -> None:
    import_into(tmp_path / "books" / "one", parts)
    books = book_bars.read_all(tmp_path / "books", "1m")
    market = with_books(market_around(), books)
    table = books["BTC/USDT"]
    mid = market.extras["book_mid"]
    assert np.isnan(mid[0]).all()
    assert np.isnan(mid[1, [0, 4]]).all()
    np.testing.assert_array_equal(mid[1, 1:4], [float(value) for value in table["mid"].to_pylist()])
    assert mid[1, 1] == 100.0
    assert {"book_bid_depth_2", "book_imbalance_1", "book_signed_volume", "book_n_book_updates"} <= market.extras.keys()
    assert not {"book_is_whole", "book_has_sequence_gap"} & market.extras.keys()  # known only later


def test_books_of_other_symbols_and_no_books_change_nothing(tmp_path: Path, parts: list[Path]) -> None:
    (tmp_path / "none").mkdir()
    assert book_bars.read_all(tmp_path / "none", "1m") == {}
    import_into(tmp_path / "books" / "one", parts)
    alone = market_around()
    others = Market(("ETH/USDT",), MINUTE_MS, alone.open_time_ms, *[np.ones((1, 5))] * 5)
    assert with_books(others, book_bars.read_all(tmp_path / "books", "1m")).extras == {}


def test_another_timeframe_is_refused(tmp_path: Path, parts: list[Path]) -> None:
    import_into(tmp_path / "books" / "one", parts)
    with pytest.raises(InputError, match="book-timeframe"):
        book_bars.read_all(tmp_path / "books", "5m")


def test_two_imports_with_one_bar_are_refused(tmp_path: Path, parts: list[Path]) -> None:
    import_into(tmp_path / "books" / "one", parts)
    import_into(tmp_path / "books" / "two", parts)
    with pytest.raises(InputError, match="book-twice"):
        book_bars.read_all(tmp_path / "books", "1m")


def test_a_changed_table_is_refused(tmp_path: Path, parts: list[Path]) -> None:
    import_into(tmp_path / "books" / "one", parts)
    path = tmp_path / "books" / "one" / "BTC-USDT.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(InputError):
        book_bars.read_all(tmp_path / "books", "1m")
