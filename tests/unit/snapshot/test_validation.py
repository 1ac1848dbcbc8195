from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.tables import CANDLES, candles_schema
from candlelock.snapshot.parts import join
from candlelock.snapshot.raw_candles import PRICES, RawCandles
from candlelock.snapshot.validation import candle_table

HALF_HOUR_MS = 1_800_000
Raw = Callable[..., RawCandles]


def refused(raw: RawCandles, bar_ms: int = HALF_HOUR_MS, min_rows: int = 1) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        candle_table(raw, bar_ms, min_rows)
    return caught.value.problems


def found_codes(raw: RawCandles, min_rows: int = 1) -> list[str]:
    try:
        candle_table(raw, HALF_HOUR_MS, min_rows)
    except InputError as error:
        return [problem.code for problem in error.problems]
    return []


def test_good_candles_pass_with_every_digit(raw: Raw) -> None:
    source = raw()
    table = candle_table(source, HALF_HOUR_MS, 40)
    assert CANDLES.problems(table, "candles") == []
    for name in ("open", "high", "low", "close", "volume"):
        assert table[name].to_pylist() == [Decimal(text) for text in source.table[name].to_pylist()]
    assert table["open_time_utc"].cast(pa.string()).to_pylist() == [
        f"{t}.000Z" for t in source.table["date"].to_pylist()
    ]


@pytest.mark.parametrize(
    ("changes", "code", "found"),
    [
        ({"date": {39: "noon"}}, "candles-time", "open_time_utc noon"),
        ({"date": {39: "2024-01-01 19:31:00"}}, "candles-off-grid", "open_time_utc 2024-01-01 19:31:00"),
        ({"date": {39: "2024-01-01 19:30:00.001"}}, "candles-off-grid", "open_time_utc 2024-01-01 19:30:00.001"),
        ({"close": {39: "1.5o"}}, "candles-number", "close 1.5o"),
        ({"volume": {39: ""}}, "candles-number", "volume ''"),
        ({"low": {39: "0"}}, "candles-price", "low 0"),
        ({"low": {39: "-1"}}, "candles-price", "low -1"),
        ({"volume": {39: "-0.1"}}, "candles-volume", "volume -0.1"),
        ({"high": {39: "1"}}, "candles-high", "high 1, low"),
        ({"open": {39: "100000"}}, "candles-high", "open 100000, high"),
        ({"low": {39: "99.99"}, "close": {39: "99.98"}}, "candles-low", "low 99.99, close 99.98"),
    ],
)
def test_a_broken_row_is_named_by_its_line_and_values(raw: Raw, changes: dict[str, Any], code: str, found: str) -> None:
    problem = next(problem for problem in refused(raw(**changes)) if problem.code == code)
    assert problem.place == "BTC-USD.csv:41"
    assert found in problem.found


@pytest.mark.parametrize(
    ("name", "value", "codes"),
    [
        ("open", "5.00000000000000002", ["candles-high"]),
        ("open", "5", ["candles-low"]),
        ("close", "5.00000000000000002", ["candles-high"]),
        ("close", "5", ["candles-low"]),
        ("high", "5", ["candles-high", "candles-low"]),
        ("low", "5.00000000000000002", ["candles-high", "candles-low"]),
        ("high", "5.00000000000000002", []),
        ("low", "5", []),
    ],
)
def test_high_and_low_bound_the_bar_to_the_last_digit(raw: Raw, name: str, value: str, codes: list[str]) -> None:
    flat = {column: {7: "5.00000000000000001"} for column in ("open", "high", "low", "close")}
    assert found_codes(raw(**{**flat, name: {7: value}})) == codes


def test_all_problems_are_named_at_once(raw: Raw) -> None:
    problems = refused(raw(date={1: "x"}, open={2: "x"}, low={3: "0"}, volume={4: "-1"}), min_rows=100)
    codes = [problem.code for problem in problems]
    assert codes == ["candles-few", "candles-time", "candles-number", "candles-price", "candles-volume"]


def test_a_missing_number_breaks_no_other_rule(raw: Raw) -> None:
    assert [problem.code for problem in refused(raw(high={5: "?"}))] == ["candles-number"]


def test_unsorted_candles_are_refused_not_sorted(raw: Raw) -> None:
    times = raw().table["date"].to_pylist()
    (problem,) = refused(raw(date={10: times[11], 11: times[10]}))
    assert (problem.code, problem.place) == ("candles-unsorted", "BTC-USD.csv:13")


def test_a_time_that_stands_twice_is_found_wherever_it_stands(raw: Raw) -> None:
    times = raw().table["date"].to_pylist()
    (adjacent,) = refused(raw(date={11: times[10]}))
    assert (adjacent.code, adjacent.place) == ("candles-duplicate", "BTC-USD.csv:13")
    distant = refused(raw(date={30: times[10]}))
    assert ("candles-duplicate", "BTC-USD.csv:32") in [(problem.code, problem.place) for problem in distant]


def test_candles_of_another_timeframe_are_refused(raw: Raw) -> None:
    (coarse,) = refused(raw(), bar_ms=HALF_HOUR_MS // 6)
    assert (coarse.code, coarse.found) == ("candles-timeframe", "no two candles closer than 30 minutes")
    fine = refused(raw(), bar_ms=2 * HALF_HOUR_MS)
    assert {problem.code for problem in fine} == {"candles-off-grid"}
    assert "(and 15 more rows like it)" in fine[-1].found


def test_gaps_are_allowed(raw: Raw) -> None:
    source = raw()
    holed = RawCandles("a.csv", has_lines=True, table=source.table.take([0, 1, 5, 6, 39]))
    assert candle_table(holed, HALF_HOUR_MS, 5).num_rows == 5


def test_a_short_history_is_refused(raw: Raw) -> None:
    assert found_codes(raw(), min_rows=40) == []
    assert found_codes(raw(), min_rows=41) == ["candles-few"]


def test_a_column_no_decimal_can_hold_is_refused(raw: Raw) -> None:
    (problem,) = refused(raw(volume={1: "1e20", 2: "1e-20"}))
    assert problem.code == "candles-too-long"


def test_rows_of_a_binary_file_are_counted_from_one(raw: Raw) -> None:
    source = RawCandles("a.feather", has_lines=False, table=raw(low={0: "0"}).table)
    assert [problem.place for problem in refused(source)] == ["a.feather row 1"]


EXTRAS = {
    "quote_volume": "1e9",
    "n_trades": "7",
    "taker_buy_volume": "0.0",
    "taker_buy_quote_volume": "1e8",
    "vwap": "0",
}


def with_columns(raw: RawCandles, **values: list[str] | str) -> RawCandles:
    """Further columns; a single text stands in every row."""
    table = raw.table
    for name, value in values.items():
        table = table.append_column(name, pa.array([value] * table.num_rows if isinstance(value, str) else value))
    return replace(raw, table=table)


def test_extra_columns_are_kept_in_the_contracts_order(raw: Raw) -> None:
    shuffled = dict(reversed(EXTRAS.items()))
    table = candle_table(with_columns(raw(), **shuffled, note="x"), HALF_HOUR_MS, 1)
    assert candles_schema([*EXTRAS]).problems(table, "candles") == []
    assert table["n_trades"].to_pylist() == [7] * 40
    assert table["quote_volume"].type == pa.decimal128(18, 0)
    assert candle_table(with_columns(raw(), vwap="0"), HALF_HOUR_MS, 1).column_names[6:] == ["vwap"]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("quote_volume", "-1", "candles-volume"),
        ("quote_volume", "", "candles-number"),
        ("taker_buy_volume", "-0.1", "candles-volume"),
        ("taker_buy_volume", "1e30", "candles-taker"),
        ("taker_buy_quote_volume", "1000000000.1", "candles-taker"),
        ("n_trades", "-1", "candles-count"),
        ("n_trades", "1.5", "candles-count"),
        ("n_trades", "1e18", "candles-count"),
        ("n_trades", "1.00000000000000000000000001", "candles-count"),
        ("n_trades", "many", "candles-number"),
        ("vwap", "-1", "candles-vwap"),
        ("vwap", "1", "candles-vwap"),
        ("vwap", "1e9", "candles-vwap"),
    ],
)
def test_a_broken_extra_is_an_error_with_its_row(raw: Raw, name: str, value: str, code: str) -> None:
    problems = refused(with_columns(raw(), **EXTRAS | {name: [EXTRAS[name]] * 39 + [value]}))
    (problem,) = [problem for problem in problems if problem.code == code]
    assert {problem.place for problem in problems} == {"BTC-USD.csv:41"}
    assert f"{name} {value or repr(value)}" in problem.found


def test_a_mean_price_is_not_asked_of_bars_without_trades(raw: Raw) -> None:
    silent = raw(volume={39: "0"})
    assert candle_table(with_columns(silent, vwap=["0"] * 39 + ["1"]), HALF_HOUR_MS, 1).num_rows == 40
    assert candle_table(with_columns(raw(), n_trades="1.0e2"), HALF_HOUR_MS, 1)["n_trades"][0].as_py() == 100


def test_the_takers_part_may_be_the_whole_to_the_last_digit(raw: Raw) -> None:
    whole = raw(volume={7: "0.30000000000000000001"})
    exact, above = "0.30000000000000000001", "0.30000000000000000002"
    rows = ["0"] * 40
    assert candle_table(with_columns(whole, taker_buy_volume=[*rows[:7], exact, *rows[8:]]), HALF_HOUR_MS, 1)
    assert refused(with_columns(whole, taker_buy_volume=[*rows[:7], above, *rows[8:]]))[0].place == "BTC-USD.csv:9"


@pytest.mark.parametrize("per_second", [1_000, 1_000_000])
def test_a_close_time_is_one_unit_before_the_next_bar(raw: Raw, per_second: int) -> None:
    opens = [1_704_067_200 + 1_800 * row for row in range(40)]
    closes = [str((moment + 1_800) * per_second - 1) for moment in opens]
    assert candle_table(with_columns(raw(), close_time=closes), HALF_HOUR_MS, 1).num_columns == 6
    late = str(int(closes[3]) + 1)
    for bad in ("0", "", late, closes[4]):
        (problem,) = refused(with_columns(raw(), close_time=[*closes[:3], bad, *closes[4:]]))
        assert (problem.code, problem.place) == ("candles-close-time", "BTC-USD.csv:5")
    coarse = refused(with_columns(raw(), close_time=closes), bar_ms=HALF_HOUR_MS // 6)
    assert {problem.code for problem in coarse} == {"candles-close-time", "candles-timeframe"}


def test_two_times_agree_in_every_row(raw: Raw) -> None:
    seconds = [str(1_704_067_200 + 1_800 * row) for row in range(40)]
    assert candle_table(with_columns(raw(), unix=seconds), HALF_HOUR_MS, 1).num_rows == 40
    (problem,) = refused(with_columns(raw(), unix=[*seconds[:39], seconds[38]]))
    assert (problem.code, problem.place) == ("candles-times", "BTC-USD.csv:41")
    assert problem.found == f"open_time_utc 2024-01-01 19:30:00, unix (column 7) {seconds[38]}"


def test_rows_that_are_newest_first_are_turned_round_and_keep_their_lines(raw: Raw) -> None:
    source = raw()
    upside_down = replace(source, table=source.table.take(list(range(39, -1, -1))))
    assert candle_table(upside_down, HALF_HOUR_MS, 1).equals(candle_table(source, HALF_HOUR_MS, 1))
    broken = raw(low={0: "0"})
    (problem,) = refused(replace(broken, table=broken.table.take(list(range(39, -1, -1)))))
    assert (problem.code, problem.place) == ("candles-price", "BTC-USD.csv:41")
    almost = replace(source, table=source.table.take([*range(39, 1, -1), 0, 1]))
    assert {problem.code for problem in refused(almost)} == {"candles-unsorted"}


def test_each_part_has_times_in_a_unit_of_its_own(raw: Raw) -> None:
    def part(rows: range, unit: int) -> RawCandles:
        table = pa.table({**dict.fromkeys(PRICES, ["1"] * len(rows)), "volume": ["1"] * len(rows)})
        times = pa.array([str((1_704_067_200 + 1_800 * row) * unit) for row in rows])
        return RawCandles(f"{unit}.csv", has_lines=True, table=table.append_column("open_time", times))

    whole = join([part(range(20, 40), 1_000_000), part(range(20), 1_000)], "both")
    assert candle_table(whole, HALF_HOUR_MS, 40).num_rows == 40
