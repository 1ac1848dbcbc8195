"""What differs between two snapshots, on small tables written out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa

from candlelock.contracts.documents import utc_ms
from candlelock.contracts.snapshot_documents import Manifest
from candlelock.snapshot.difference import compare_snapshots

if TYPE_CHECKING:
    from candlelock.contracts.version_documents import SnapshotDifference

TIME = pa.timestamp("ms", "UTC")
Row = tuple[str, str, str]  # time of day, close, volume
ROWS: list[Row] = [("00:00", "1.50", "7"), ("00:30", "1.60", "8"), ("01:30", "1.70", "9")]


def table(rows: list[Row], scale: int = 2, **extra: list[int]) -> pa.Table:
    times = [utc_ms(f"2024-01-01T{time}Z") for time, _, _ in rows]
    close = pa.array([Decimal(text) for _, text, _ in rows], pa.decimal128(18, scale))
    volume = pa.array([Decimal(text) for _, _, text in rows], pa.decimal128(18, 0))
    return pa.table({"open_time_utc": pa.array(times, pa.int64()).cast(TIME), "close": close, "volume": volume} | extra)


def compare(
    before: dict[str, pa.Table], after: dict[str, pa.Table], timeframes: tuple[str, str] = ("30m", "30m")
) -> SnapshotDifference:
    one, other = (
        Manifest.model_construct(snapshot_id=digit * 64, timeframe=timeframe, symbols=[])
        for digit, timeframe in zip("ab", timeframes, strict=True)
    )
    return compare_snapshots((one, before), (other, after))


def test_the_same_candles_differ_in_nothing() -> None:
    found = compare({"A/B": table(ROWS)}, {"A/B": table(ROWS)})
    assert (found.symbols, found.symbols_added, found.symbols_removed) == ([], [], [])


def test_added_removed_and_revised_candles_are_told_apart() -> None:
    after = [ROWS[0], ("00:30", "1.61", "8"), ("01:00", "1.65", "1")]
    (found,) = compare({"A/B": table(ROWS)}, {"A/B": table(after)}).symbols
    assert found.model_dump() == {
        "symbol": "A/B",
        "columns_added": [],
        "columns_removed": [],
        "n_unchanged": 1,
        "added": [{"open_time_utc": "2024-01-01T01:00:00Z", "values": {"close": "1.65", "volume": "1"}}],
        "removed": [{"open_time_utc": "2024-01-01T01:30:00Z", "values": {"close": "1.70", "volume": "9"}}],
        "revised": [{"open_time_utc": "2024-01-01T00:30:00Z", "before": {"close": "1.60"}, "after": {"close": "1.61"}}],
    }


def test_more_decimals_are_no_revision_but_a_last_digit_is() -> None:
    assert compare({"A/B": table(ROWS)}, {"A/B": table(ROWS, scale=16)}).symbols == []
    after = [*ROWS[:2], ("01:30", "1.7000000000000001", "9")]
    (found,) = compare({"A/B": table(ROWS)}, {"A/B": table(after, scale=16)}).symbols
    assert [(each.before, each.after) for each in found.revised] == [
        ({"close": "1.70"}, {"close": "1.7000000000000001"})
    ]


def test_a_symbol_of_one_side_is_named_with_its_candles() -> None:
    found = compare({"A/B": table(ROWS), "C/D": table(ROWS)}, {"A/B": table(ROWS), "E/F": table(ROWS[:1])})
    assert (found.symbols_added, found.symbols_removed) == (["E/F"], ["C/D"])
    assert [(each.symbol, len(each.added), len(each.removed)) for each in found.symbols] == [
        ("C/D", 0, 3),
        ("E/F", 1, 0),
    ]


def test_columns_of_one_side_are_named_and_no_revision() -> None:
    (found,) = compare({"A/B": table(ROWS)}, {"A/B": table(ROWS, n_trades=[1, 2, 3])}).symbols
    assert (found.columns_added, found.columns_removed, found.revised, found.n_unchanged) == (["n_trades"], [], [], 3)
    (found,) = compare({"A/B": table(ROWS, n_trades=[1, 2, 3])}, {"A/B": table(ROWS)}).symbols
    assert (found.columns_added, found.columns_removed) == ([], ["n_trades"])
    (found,) = compare({"A/B": table(ROWS, n_trades=[1, 2, 3])}, {"A/B": table(ROWS, n_trades=[1, 2, 4])}).symbols
    assert [(each.before, each.after) for each in found.revised] == [({"n_trades": "3"}, {"n_trades": "4"})]


def test_between_timeframes_no_candle_is_the_same() -> None:
    (found,) = compare({"A/B": table(ROWS)}, {"A/B": table(ROWS[:2])}, ("30m", "1h")).symbols
    assert (len(found.removed), len(found.added), found.revised, found.n_unchanged) == (3, 2, [], 0)
