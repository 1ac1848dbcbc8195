from __future__ import annotations

from typing import Any

import pytest

from candlelock.snapshot.exchange.dialect import BINANCE, KRAKEN, OTHER, to_table
from candlelock.snapshot.exchange.faults import BadAnswerError

MINUTE = 60_000
T = 1_704_067_200_000
# the example rows of the exchanges' own pages
BINANCE_ROW = [1499040000000, "0.01634790", "0.80000000", "0.01575800", "0.01577100", "148976.11427815", 1499644799999]
BINANCE_ROW += ["2434.19055334", 308, "1756.87402397", "28.46694368", "0"]
KRAKEN_ROW = [1688671200, "30306.1", "30306.2", "30305.7", "30305.7", "30306.1", "3.39243896", 23]


def test_a_binance_row_keeps_every_digit() -> None:
    table = to_table([BINANCE_ROW], BINANCE, 7 * 24 * 60 * MINUTE)
    assert table.to_pylist() == [
        {
            "open_time_utc": 1499040000000,
            "open": "0.01634790",
            "high": "0.80000000",
            "low": "0.01575800",
            "close": "0.01577100",
            "volume": "148976.11427815",
            "quote_volume": "2434.19055334",
            "n_trades": "308",
            "taker_buy_volume": "1756.87402397",
            "taker_buy_quote_volume": "28.46694368",
        }
    ]


def test_a_kraken_row_counts_seconds_and_has_its_mean_before_the_volume() -> None:
    (row,) = to_table([KRAKEN_ROW], KRAKEN, MINUTE).to_pylist()
    assert row["open_time_utc"] == 1688671200_000
    assert (row["close"], row["vwap"], row["volume"], row["n_trades"]) == ("30305.7", "30306.1", "3.39243896", "23")


def test_no_row_is_a_table_without_rows() -> None:
    assert to_table([], BINANCE, MINUTE).num_rows == 0
    assert to_table([], BINANCE, MINUTE).schema == to_table([BINANCE_ROW], BINANCE, 7 * 24 * 60 * MINUTE).schema


def row(**changes: Any) -> list[Any]:
    plain = {"time": T, "open": "1.0", "high": "1.2", "low": "0.9", "close": "1.1", "volume": "3"}
    return list((plain | changes).values())


@pytest.mark.parametrize(
    "rows",
    [
        "<html>busy</html>",
        {},
        None,
        [{}],
        [[]],
        [row()[:5]],
        [[*row(), "0"]],
        [row(), row()[:5]],
        [row(time="1704067200000")],
        [row(time=1704067200000.0)],
        [row(time=True)],
        [row(time=1 << 70)],
        [row(close=None)],
        [row(close=1.5)],
        [row(close=True)],
        [row(close=["1"])],
        [row(close="\ud800")],
        [row(), row(time=T + MINUTE, close=1)],
    ],
)
def test_what_is_no_list_of_printed_candles_is_a_bad_answer(rows: Any) -> None:
    with pytest.raises(BadAnswerError):
        to_table(rows, OTHER, MINUTE)


def test_a_close_time_that_is_not_the_bars_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswerError, match="closes at"):
        to_table([BINANCE_ROW], BINANCE, MINUTE)
