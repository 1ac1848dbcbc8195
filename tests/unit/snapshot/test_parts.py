from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError
from candlelock.snapshot import files
from candlelock.snapshot.parts import join
from candlelock.snapshot.raw_candles import RawCandles
from candlelock.snapshot.validation import candle_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HALF_HOUR_MS = 1_800_000
Printed = dict[str, list[str]]


def rows(columns: Printed, first: int, end: int) -> Printed:
    return {name: values[first:end] for name, values in columns.items()}


def raw(place: str, columns: Printed) -> RawCandles:
    return RawCandles(place, has_lines=True, table=pa.table(columns))


def refused(*parts: RawCandles) -> list[tuple[str, str, str]]:
    with pytest.raises(InputError) as caught:
        join(parts, "whole")
    return [(problem.code, problem.place, problem.found) for problem in caught.value.problems]


def test_monthly_and_daily_files_are_one_history(
    tmp_path: Path, write_candles: Callable[..., None], printed: Callable[..., Printed]
) -> None:
    columns = printed(60)
    cuts = {
        "BTCUSD-30m-2024-01.csv": (0, 20),
        "BTCUSD-30m-2024-02.csv": (20, 45),
        "BTCUSD-30m-2024-03-01.csv": (45, 60),
    }
    for name, (first, end) in cuts.items():
        write_candles(tmp_path / name, rows(columns, first, end))
    read, source = files.read(["BTC/USD"], "30m", tmp_path)
    assert [*source.files] == sorted(cuts)
    whole = candle_table(raw("whole.csv", columns), HALF_HOUR_MS, 60)
    assert candle_table(read["BTC/USD"], HALF_HOUR_MS, 60).equals(whole)


def test_parts_are_ordered_by_their_times_and_keep_their_own_lines(printed: Callable[..., Printed]) -> None:
    columns = printed(30)
    columns["low"][3] = columns["low"][14] = columns["low"][25] = "-1"
    upside_down = {name: values[::-1] for name, values in rows(columns, 10, 20).items()}
    parts = [raw("c.csv", rows(columns, 20, 30)), raw("a.csv", rows(columns, 0, 10)), raw("b.csv", upside_down)]
    with pytest.raises(InputError) as caught:
        candle_table(join(parts, "whole"), HALF_HOUR_MS, 31)
    places = [(problem.code, problem.place) for problem in caught.value.problems]
    assert places[0] == ("candles-few", "whole")
    assert [place for code, place in places if code == "candles-price"] == ["a.csv:5", "b.csv:7", "c.csv:7"]


@pytest.mark.parametrize("first", [0, 9, 19])
def test_parts_that_overlap_are_refused_with_both_places(printed: Callable[..., Printed], first: int) -> None:
    columns = printed(40)
    later = raw("b.csv", rows(columns, first, 40))
    found = refused(later, raw("a.csv", rows(columns, 0, 20)))
    shown = columns["date"]
    assert found[0][0] == "files-overlap"
    assert {"a.csv", "b.csv"} == {found[0][1].split(":")[0], found[0][2].split("; ")[1].split(":")[0]}
    assert shown[first] in found[0][2]


def test_neighbouring_parts_do_not_overlap(printed: Callable[..., Printed]) -> None:
    columns = printed(40)
    assert join([raw("b", rows(columns, 20, 40)), raw("a", rows(columns, 0, 20))], "w").table.num_rows == 40


def test_parts_with_other_columns_are_refused(printed: Callable[..., Printed]) -> None:
    columns = printed(40)
    second = rows(columns, 20, 40)
    (found,) = refused(raw("a.csv", rows(columns, 0, 20)), raw("b.csv", second | {"vwap": ["0"] * 20}))
    assert found[:2] == ("files-parts", "b.csv")
    assert "vwap (string)" in found[2]


def test_a_part_without_a_known_time_is_named_in_its_rows(printed: Callable[..., Printed]) -> None:
    columns = printed(4)
    lost = rows(columns, 2, 4) | {"date": ["?", "?"]}
    with pytest.raises(InputError) as caught:
        candle_table(join([raw("b.csv", lost), raw("a.csv", rows(columns, 0, 2))], "w"), HALF_HOUR_MS, 1)
    assert [problem.place for problem in caught.value.problems] == ["b.csv:2", "b.csv:3"]
