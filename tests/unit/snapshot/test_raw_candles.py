from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError
from candlelock.snapshot.raw_candles import RawCandles, Rule, other_times, row_problems, select_columns

NAMES = ["close", "Volume", "extra", "TIMESTAMP", "Low", "HIGH", "open"]
RULE = Rule("some-code", "better", "mend it")


def candles(names: list[str]) -> RawCandles:
    return RawCandles("a.parquet", has_lines=False, table=pa.table([[n] for n in range(len(names))], names=names))


def test_columns_are_found_by_name_in_any_order_and_case() -> None:
    row = select_columns(candles(NAMES)).table.to_pylist()[0]
    assert row == {"open_time_utc": 3, "open": 6, "high": 5, "low": 4, "close": 0, "volume": 1}


@pytest.mark.parametrize("time", ["date", "Open_Time", "open_time_utc", "time"])
def test_every_time_name_is_known(time: str) -> None:
    assert select_columns(candles([time, *NAMES[:3], *NAMES[4:]])).table["open_time_utc"].to_pylist() == [0]


def test_all_missing_columns_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        select_columns(candles(["close", "volume", "close_time", "high"]))
    (problem,) = caught.value.problems
    assert problem.found == "columns close, volume, close_time, high"
    assert problem.help.startswith("missing: open_time_utc, open, low; ")


def test_two_columns_for_one_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        select_columns(candles([*NAMES, "Close", "count", "trades"]))
    assert [problem.found for problem in caught.value.problems] == ["close and Close", "count and trades"]


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("Quote asset volume", "quote_volume"),
        ("quote_asset_volume", "quote_volume"),
        ("Number of trades", "n_trades"),
        ("tradecount", "n_trades"),
        ("count", "n_trades"),
        ("Taker buy base asset volume", "taker_buy_volume"),
        ("taker_buy_base_volume", "taker_buy_volume"),
        ("Taker-Buy-Quote-Asset-Volume", "taker_buy_quote_volume"),
        ("VWAP", "vwap"),
        ("Close time", "close_time_utc"),
    ],
)
def test_extra_columns_are_kept_under_their_contract_names(spelling: str, name: str) -> None:
    chosen = select_columns(candles([spelling, *NAMES])).table
    assert chosen.column_names == ["open_time_utc", "open", "high", "low", "close", "volume", name]
    assert chosen[name].to_pylist() == [0]


@pytest.mark.parametrize(
    "names",
    [["t", "o", "h", "l", "c", "v"], ["Date", "Open", "High", "Low", "Close", "Volume"], ["Open time", *"ohlcv"]],
)
def test_short_and_spaced_names_are_known(names: list[str]) -> None:
    assert [*select_columns(candles(names)).table.to_pylist()[0].values()] == [0, 1, 2, 3, 4, 5]


def test_further_times_come_last_under_their_own_names() -> None:
    chosen = select_columns(candles(["unix", "date", *NAMES[:3], *NAMES[4:], "date"]))
    assert chosen.table.column_names[-2:] == ["date (column 2)", "date (column 9)"]
    assert other_times(chosen) == ["date (column 2)", "date (column 9)"]


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "__index_level_0__", "index"])
def test_an_index_without_a_name_is_the_time_only_where_it_is_one(name: str) -> None:
    amounts = {column: [1.0] for column in ("open", "high", "low", "close", "volume")}

    def select(index: str, **times: list[str]) -> list[object]:
        raw = RawCandles("a.csv", has_lines=True, table=pa.table({name: [index], **times, **amounts}))
        return select_columns(raw).table["open_time_utc"].to_pylist()

    assert select("2024-01-01 00:30:00") == ["2024-01-01 00:30:00"]
    assert select("7", date=["2024-01-01"]) == ["2024-01-01"]
    with pytest.raises(InputError) as caught:
        select("7")
    assert caught.value.problems[0].help.startswith("missing: open_time_utc;")


def test_rows_are_named_where_they_stand_in_the_source() -> None:
    def part(place: str, n_rows: int) -> RawCandles:
        return RawCandles(place, has_lines=True, table=pa.table({"x": [str(n) for n in range(n_rows)]}))

    headless = RawCandles("b.csv", has_lines=True, table=part("b.csv", 2).table, n_lines_above=0)
    parts = (part("a.csv", 3).reversed(), headless)
    joined = RawCandles("all", has_lines=True, table=pa.concat_tables([p.table for p in parts]), parts=parts)
    assert joined.table["x"].to_pylist() == ["2", "1", "0", "0", "1"]
    assert [joined.place_of(row) for row in range(5)] == ["a.csv:4", "a.csv:3", "a.csv:2", "b.csv:1", "b.csv:2"]


def test_a_source_without_rows_is_empty_whatever_its_columns() -> None:
    for table in (pa.table({}), candles(NAMES).table.slice(0, 0)):
        with pytest.raises(InputError) as caught:
            select_columns(RawCandles("a.csv", has_lines=True, table=table))
        assert [problem.code for problem in caught.value.problems] == ["candles-empty"]


@pytest.mark.parametrize(
    ("n_rows", "rest"), [(5, ""), (6, " (and 1 more rows like it)"), (5_000, " (and 4995 more rows like it)")]
)
def test_five_rows_are_shown_and_the_rest_counted(n_rows: int, rest: str) -> None:
    raw = RawCandles("a.csv", has_lines=True, table=pa.table({"x": [str(n) for n in range(n_rows)]}))
    problems = row_problems(raw, RULE, np.arange(n_rows), ("x",))
    assert [problem.place for problem in problems] == ["a.csv:2", "a.csv:3", "a.csv:4", "a.csv:5", "a.csv:6"]
    assert [problem.found for problem in problems] == ["x 0", "x 1", "x 2", "x 3", "x 4" + rest]


@pytest.mark.parametrize(("value", "shown"), [("", "x ''"), (" 1", "x ' 1'"), ("1,5", "x 1,5"), (None, "x None")])
def test_blanks_can_be_seen(value: str | None, shown: str) -> None:
    raw = RawCandles("a.parquet", has_lines=False, table=pa.table({"x": pa.array([value], pa.string())}))
    (problem,) = row_problems(raw, RULE, np.array([0]), ("x",))
    assert (problem.place, problem.found) == ("a.parquet row 1", shown)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (pa.array([1_704_069_000_123], pa.timestamp("ms", "Asia/Tokyo")), "2024-01-01 00:30:00.123"),
        (pa.array([1_704_069_000], pa.timestamp("s", "no/where")), "2024-01-01 00:30:00"),
        (pa.array([1_704_069_000], pa.timestamp("s")), "2024-01-01 00:30:00"),
        (pa.array([2**60], pa.timestamp("s")), "<value out of range: 1152921504606846976>"),
        (pa.array([1e-7]), "1e-7"),
        (pa.array([[1]]), "None"),
    ],
    ids=str,
)
def test_values_of_every_type_can_be_shown(value: pa.Array, shown: str) -> None:
    raw = RawCandles("a.parquet", has_lines=False, table=pa.table({"x": pa.concat_arrays([value, value])}))
    assert raw.value_at("x", 1) == shown
