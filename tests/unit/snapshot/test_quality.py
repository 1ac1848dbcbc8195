"""Every kind of defect, planted where the answer is known by hand."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError
from candlelock.contracts.quality_documents import N_LISTED, QualityReport, SymbolQuality
from candlelock.contracts.snapshot_documents import AskedRange, Gap, Source
from candlelock.contracts.stage_params import QualityParams
from candlelock.snapshot import candles, files, sample
from candlelock.snapshot.publication import publish
from candlelock.snapshot.quality import find_refusals, report
from candlelock.snapshot.raw_candles import RawCandles
from tests.candle_tables import SWING, describe, swing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from candlelock.contracts.stage_params import SnapshotParams

LIMITS = QualityParams(max_missing_frac=0.25, max_zero_volume_frac=0.5, frozen_bars=4, outlier_mads=50.0)
SOURCE = Source(kind="files", name="test", address=None, asked=None, files={})
UNIT = math.log(SWING[1] / SWING[0])


def inspect(table: pa.Table, asked: AskedRange | None = None, limits: QualityParams = LIMITS) -> SymbolQuality:
    return report({"BTC/USD": table}, describe({"BTC/USD": table}, asked), limits).symbols[0]


def test_sound_candles_give_a_report_without_findings() -> None:
    found = inspect(swing(96).table())
    assert (found.n_rows, found.first_open_utc, found.last_open_utc) == (
        96,
        "2024-01-01T00:00:00Z",
        "2024-01-02T23:30:00Z",
    )
    assert (found.missing.n_bars, found.missing.bars_frac, found.missing.longest, found.missing.coverage) == (
        0,
        0.0,
        [],
        [],
    )
    assert found.frozen == found.zero_volume
    assert (found.frozen.n_runs, found.frozen.n_bars, found.frozen.longest_bars, found.frozen.longest) == (0, 0, 0, [])
    assert (found.outliers.n_bars, found.outliers.n_compared) == (0, 95)
    assert found.outliers.mad_log_return == pytest.approx(UNIT)
    assert (found.opens.n_moved, found.opens.n_jumps, found.opens.largest) == (0, 0, None)
    assert [(month.month, month.n_rows) for month in found.months] == [("2024-01", 96)]


def test_missing_bars_are_counted_by_gap_and_by_day() -> None:
    found = inspect(swing(48 * 3).table(without=[10, 11, 12, 60])).missing
    assert (found.n_bars, found.n_gaps, found.n_confirmed_gaps, found.longest_bars) == (4, 2, 0, 3)
    assert found.bars_frac == 4 / 144
    assert found.longest[0] == Gap(
        first_open_utc="2024-01-01T05:00:00Z", last_open_utc="2024-01-01T06:00:00Z", n_bars=3, is_confirmed=False
    )
    assert [(part.first_day, part.n_bars, part.n_missing_bars) for part in found.coverage] == [
        ("2024-01-01", 48, 3),
        ("2024-01-02", 48, 1),
    ]


def test_what_an_exchange_was_asked_for_and_lacks_counts_from_edge_to_edge() -> None:
    asked = AskedRange(start_utc="2023-12-31T12:00:00Z", end_utc="2024-01-03T00:00:00Z")
    tables = {"BTC/USD": swing(48).table()}
    whole = report(tables, describe(tables, asked), LIMITS)
    found = whole.symbols[0].missing
    assert (whole.first_day, whole.last_day) == ("2023-12-31", "2024-01-02")
    assert (found.n_bars, found.n_gaps, found.n_confirmed_gaps, found.longest_bars) == (72, 2, 2, 48)
    assert [(part.first_day, part.n_bars, part.n_missing_bars) for part in found.coverage] == [
        ("2023-12-31", 24, 24),
        ("2024-01-02", 48, 48),
    ]


def test_a_long_history_is_covered_in_stretches_of_days() -> None:
    table = swing(48 * 367).table(without=[48 * 200])
    whole = report({"BTC/USD": table}, describe({"BTC/USD": table}), LIMITS)
    assert whole.days_per_stretch == 2
    assert [(part.first_day, part.n_bars) for part in whole.symbols[0].missing.coverage] == [("2024-07-19", 96)]


def test_frozen_runs_of_the_length_asked_for_and_longer_are_listed_longest_first() -> None:
    bars = swing(96)
    for first, n_bars in ((10, 4), (20, 3), (40, 7)):
        bars.freeze(first, n_bars)
    found = inspect(bars.table()).frozen
    assert (found.n_runs, found.n_bars, found.bars_frac, found.longest_bars) == (2, 11, 11 / 96, 7)
    assert [(run.first_open_utc, run.last_open_utc, run.n_bars) for run in found.longest] == [
        ("2024-01-01T20:00:00Z", "2024-01-01T23:00:00Z", 7),
        ("2024-01-01T05:00:00Z", "2024-01-01T06:30:00Z", 4),
    ]


def test_one_price_that_moves_or_a_gap_ends_a_frozen_run() -> None:
    bars = swing(96)
    bars.freeze(10, 9)
    bars.high[14] += 1
    assert inspect(bars.table()).frozen.n_bars == 4 + 4
    bars = swing(96)
    bars.freeze(10, 9)
    found = inspect(bars.table(without=[13])).frozen
    assert [(run.first_open_utc, run.n_bars) for run in found.longest] == [("2024-01-01T07:30:00Z", 4)]


def test_candles_without_volume_are_counted_by_run_and_by_month() -> None:
    bars = swing(48 * 32)
    bars.volume[[0, 5, 6, 7, 48 * 31]] = 0
    found = inspect(bars.table())
    assert (found.zero_volume.n_runs, found.zero_volume.n_bars, found.zero_volume.longest_bars) == (3, 5, 3)
    assert found.zero_volume.longest[0].first_open_utc == "2024-01-01T02:30:00Z"
    assert [(month.month, month.n_rows, month.n_zero_volume_bars) for month in found.months] == [
        ("2024-01", 48 * 31, 4),
        ("2024-02", 48, 1),
    ]


def test_a_gap_and_the_ends_of_the_candles_end_a_silent_run() -> None:
    bars = swing(96)
    bars.volume[[0, 40, 41, 42, 43, 95]] = 0
    found = inspect(bars.table(without=[42])).zero_volume
    assert [(run.first_open_utc, run.n_bars) for run in found.longest] == [
        ("2024-01-01T20:00:00Z", 2),
        ("2024-01-01T00:00:00Z", 1),
        ("2024-01-01T21:30:00Z", 1),
        ("2024-01-02T23:30:00Z", 1),
    ]


def test_outliers_are_measured_in_median_moves_and_the_farthest_come_first() -> None:
    bars = swing(200)
    bars.jump(121, 16_446)  # 49.998 median moves: 1.01 ** 50 is 1.644632
    bars.jump(51, 20_000)
    found = inspect(bars.table()).outliers
    assert found.n_bars == 2
    assert [move.open_time_utc for move in found.largest] == ["2024-01-02T01:30:00Z", "2024-01-02T02:00:00Z"]
    assert [move.log_return for move in found.largest] == pytest.approx([math.log(2), -math.log(2)])
    assert [move.mads for move in found.largest] == pytest.approx([math.log(2) / UNIT] * 2)
    bars.jump(121, 16_447)
    assert inspect(bars.table()).outliers.n_bars == 4


def test_a_move_across_a_gap_is_no_move_of_one_bar() -> None:
    bars = swing(200)
    bars.close[50:] *= 2
    bars.open[51:] *= 2
    bars.high[50:] *= 2
    bars.low[51:] *= 2
    assert inspect(bars.table()).outliers.n_bars == 1
    found = inspect(bars.table(without=[50]))
    assert (found.outliers.n_bars, found.outliers.n_compared, found.opens.n_compared) == (0, 197, 197)


def test_only_the_largest_are_listed_and_all_are_counted() -> None:
    bars = swing(400)
    for row in range(10, 310, 10):
        bars.jump(row, 20_000 + row)
    found = inspect(bars.table()).outliers
    assert (found.n_bars, len(found.largest)) == (60, N_LISTED)
    assert [move.mads for move in found.largest] == sorted((move.mads for move in found.largest), reverse=True)
    assert found.largest[0].open_time_utc == "2024-01-07T06:00:00Z"
    holes = inspect(bars.table(without=range(1, 399, 3))).missing
    assert (holes.n_gaps, len(holes.longest)) == (133, N_LISTED)


def test_the_unit_is_there_where_most_bars_stand_still_and_not_where_all_do() -> None:
    bars = swing(96)
    bars.freeze(1, 90)
    assert inspect(bars.table()).outliers.mad_log_return == pytest.approx(UNIT)
    bars.freeze(1, 95)
    bars.open[5] = 10_050
    still = inspect(bars.table())
    assert (still.outliers.mad_log_return, still.outliers.n_bars, still.outliers.largest) == (None, 0, [])
    assert (still.opens.n_moved, still.opens.n_jumps, still.opens.largest) == (1, 0, None)


def test_opens_off_the_close_before_are_counted_and_the_farthest_is_named() -> None:
    bars = swing(96)
    bars.open[[10, 20]] = 10_050
    bars.open[30] = bars.high[30] = 20_000
    found = inspect(bars.table()).opens
    assert (found.n_compared, found.n_moved, found.n_jumps) == (95, 3, 1)
    assert found.largest is not None
    assert found.largest.open_time_utc == "2024-01-01T15:00:00Z"
    assert found.largest.log_return == pytest.approx(math.log(20_000 / bars.close[29]))


def test_every_rule_was_checked_on_every_row() -> None:
    found = inspect(swing(96).table())
    assert {(check.n_checked, check.n_violations) for check in found.checks} == {(96, 0)}
    assert [check.code for check in found.checks] == [
        "candles-unsorted",
        "candles-duplicate",
        "candles-off-grid",
        "candles-price",
        "candles-volume",
        "candles-high",
        "candles-low",
    ]


def test_further_columns_are_named() -> None:
    table = swing(10).table()
    assert inspect(table.append_column("n_trades", pa.array([1] * 10))).extra_columns == ["n_trades"]
    assert inspect(table).extra_columns == []


@pytest.mark.parametrize("scale", [0, 18, 38])
def test_a_decimal_of_any_scale_is_measured(scale: int) -> None:
    prices = pa.array([Decimal(1 + row % 2).scaleb(-scale) for row in range(9)], pa.decimal128(38, scale))
    table = swing(9).table()
    for name in ("open", "high", "low", "close", "volume"):
        table = table.set_column(table.column_names.index(name), name, prices)
    found = inspect(table)
    assert (found.zero_volume.n_bars, found.opens.n_moved, sum(check.n_violations for check in found.checks)) == (
        0,
        8,
        0,
    )
    assert found.outliers.mad_log_return == pytest.approx(math.log(2))


def test_one_candle_is_enough_for_a_report() -> None:
    found = inspect(swing(1).table())
    assert (found.n_rows, found.outliers.n_compared, found.opens.largest, found.missing.bars_frac) == (1, 0, None, 0.0)


def test_a_report_reads_back_as_it_was_written() -> None:
    bars = swing(96)
    bars.freeze(10, 5)
    bars.jump(50, 20_000)
    tables = {"BTC/USD": bars.table(without=[70])}
    whole = report(tables, describe(tables), LIMITS)
    assert QualityReport.model_validate_json(whole.model_dump_json(), strict=True) == whole


def test_limits_refuse_what_is_beyond_them_and_nothing_at_them() -> None:
    bars = swing(100)
    bars.volume[:40] = 0
    table = bars.table(without=range(50, 70))
    at = LIMITS.model_copy(update={"max_missing_frac": 0.2, "max_zero_volume_frac": 0.5})
    assert find_refusals(table, "x", "30m", None, at) == []
    below = at.model_copy(update={"max_missing_frac": 0.19, "max_zero_volume_frac": 0.49})
    missing, silent = find_refusals(table, "x.csv BTC/USD", "30m", None, below)
    assert (missing.code, missing.place) == ("quality-missing", "x.csv BTC/USD")
    assert (missing.found, missing.expected) == ("20 of 100 bars missing (20.00%)", "at most a share of 0.19")
    assert "max_missing_frac" in missing.help
    assert (silent.code, silent.found) == ("quality-zero-volume", "40 of 80 candles without volume (50.00%)")
    assert (silent.expected, "max_zero_volume_frac" in silent.help) == ("at most a share of 0.49", True)


def test_bars_missing_at_the_edges_of_what_was_asked_count_against_the_limit() -> None:
    asked = AskedRange(start_utc="2024-01-01T00:00:00Z", end_utc="2024-01-02T16:00:00Z")
    table = swing(48).table()
    assert find_refusals(table, "x", "30m", None, LIMITS) == []
    (missing,) = find_refusals(table, "x", "30m", asked, LIMITS)
    assert missing.found == "32 of 80 bars missing (40.00%)"


def test_publication_refuses_all_poor_symbols_at_once_and_leaves_the_folder(
    tmp_path: Path, raw: Callable[..., RawCandles], params: Callable[..., SnapshotParams]
) -> None:
    def without(rows: range, **changes: dict[int, str]) -> RawCandles:
        whole = raw(**changes)
        kept = [row for row in range(whole.table.num_rows) if row not in rows]
        return RawCandles(whole.place, has_lines=True, table=whole.table.take(kept))

    silent = dict.fromkeys(range(39), "0")
    given = {"BTC/USD": without(range(10, 30)), "ETH/USD": raw(volume=silent), "XRP/USD": raw(low={7: "-1"})}
    wanted = params(*given)
    publish(tmp_path / "out", {"OLD/USD": raw(seed=9)}, SOURCE, params("OLD/USD"))
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(InputError) as caught:
        publish(tmp_path / "out", given, SOURCE, wanted)
    assert [(problem.code, problem.place) for problem in caught.value.problems] == [
        ("quality-missing", "BTC-USD.csv BTC/USD"),
        ("quality-zero-volume", "BTC-USD.csv ETH/USD"),
        ("candles-price", "BTC-USD.csv:9"),
    ]
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    limits = wanted.quality.model_copy(update={"max_missing_frac": 0.5, "max_zero_volume_frac": 1.0})
    publish(tmp_path / "out", dict(list(given.items())[:2]), SOURCE, wanted.model_copy(update={"quality": limits}))


def test_the_sample_is_within_the_committed_limits(
    tmp_path: Path, wheel_folder: Path, params: Callable[..., SnapshotParams]
) -> None:
    wanted = params("EOS/USD", source="sample")
    publish(tmp_path / "out", *sample.read(wanted.symbols, "30m", wheel_folder), wanted)
    manifest, tables = candles.read_exact(tmp_path / "out")
    (found,) = report(tables, manifest, wanted.quality).symbols
    assert (found.n_rows, found.missing.n_bars, found.missing.n_gaps, found.missing.longest_bars) == (
        34_995,
        46,
        17,
        10,
    )
    assert [move.open_time_utc for move in found.outliers.largest] == ["2017-12-22T07:00:00Z", "2017-12-22T07:30:00Z"]
    assert (found.frozen.n_runs, found.zero_volume.n_bars, found.opens.n_jumps) == (0, 0, 0)


@pytest.mark.shared
def test_real_candles_are_within_the_committed_limits(
    tmp_path: Path, shared_candles: Path, params: Callable[..., SnapshotParams]
) -> None:
    wanted = params("ETH/USDT", timeframe="1m")
    publish(tmp_path / "out", *files.read(wanted.symbols, "1m", shared_candles / "binance_spot_1m_2025"), wanted)
    manifest, tables = candles.read_exact(tmp_path / "out")
    (found,) = report(tables, manifest, wanted.quality).symbols
    times = ["2025-06-21T21:24:00Z", "2025-06-21T21:31:00Z", "2025-06-21T23:49:00Z"]
    assert (found.n_rows, found.missing.n_bars) == (130_708, 0)
    assert [move.open_time_utc for move in found.outliers.largest] == times
