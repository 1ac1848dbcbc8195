from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest

from candlelock.contracts.documents import utc_text
from candlelock.snapshot import times

SECOND = 1_704_069_000  # 2024-01-01 00:30 UTC


@pytest.mark.parametrize(
    "values",
    [
        pa.array([SECOND]),
        pa.array([SECOND * 1_000]),
        pa.array([SECOND * 1_000_000], pa.uint64()),
        pa.array([SECOND * 10**9]),
        pa.array([float(SECOND)]),
        pa.array([SECOND * 1_000.0]),
        pa.array([SECOND * 1e9]),
        pa.array([str(SECOND)]),
        pa.array([f" {SECOND} "]),
        pa.array([f"{SECOND}.0"]),
        pa.array([f"{SECOND}000."]),
        pa.array([repr(SECOND * 1e6)]),
        pa.array(["1.704069e9"]),
        pa.array([" 2024-01-01 00:30:00"]),
        pa.array([str(SECOND * 1_000)]),
        pa.array(["2024-01-01 00:30:00"]),
        pa.array(["2024-01-01T00:30"]),
        pa.array(["2024-01-01T00:30:00.000Z"]),
        pa.array(["2024-01-01 02:30:00+02:00"], pa.large_string()),
        pa.array(["2023-12-31 19:30:00-0500"]),
        pa.array(["2024-01-01 00:30:00+00"]),
        pa.array([datetime(2024, 1, 1, 0, 30)], pa.timestamp("s")),
        pa.array([SECOND * 10**9], pa.timestamp("ns", "Asia/Tokyo")),
        pa.array([SECOND * 1_000], pa.timestamp("ms", "UTC")),
    ],
    ids=str,
)
def test_every_way_to_write_a_time_is_the_same_time(values: pa.Array) -> None:
    assert times.parse(values).tolist() == [SECOND * 10**9]


def test_days_open_at_midnight_utc() -> None:
    midnight = (SECOND - 1_800) * 10**9
    assert times.parse(pa.array([date(2024, 1, 1)])).tolist() == [midnight]
    assert times.parse(pa.array(["2024-01-01"])).tolist() == [midnight]


def test_parts_of_a_millisecond_are_kept() -> None:
    assert times.parse(pa.array([SECOND * 1_000_000 + 1])).tolist() == [SECOND * 10**9 + 1_000]
    assert times.parse(pa.array(["2024-01-01 00:30:00.000000001"])).tolist() == [SECOND * 10**9 + 1]


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "soon",
        "01/02/2024",
        "20240101",
        "2024-13-01",
        "2024-01-01 00:30:00 UTC",
        "1970-01-01",
        "2100-01-01",
        "99999999999999999999",
        None,
    ],
)
def test_what_is_no_time_is_marked_in_its_row(bad: str | None) -> None:
    values = pa.array(["2024-01-01 00:30:00", bad, "2024-01-01 01:00:00"], pa.string())
    assert (times.parse(values) == times.UNKNOWN).tolist() == [False, True, False]


@pytest.mark.parametrize("bad", ["", "soon", "2024-01-01 00:30:00", "-1", f"{SECOND}.5", "99999999999999999999", None])
def test_one_text_among_epochs_that_is_none_is_marked_alone(bad: str | None) -> None:
    values = pa.array([str(SECOND), bad, str(SECOND + 60)], pa.string())
    assert (times.parse(values) == times.UNKNOWN).tolist() == [False, True, False]


@pytest.mark.parametrize("bad", [0, -1, SECOND, SECOND * 10**9, 1_230_767_999_999, 4_102_444_800_000, 2**63 - 1, None])
def test_an_epoch_in_another_unit_than_the_rest_is_marked(bad: int | None) -> None:
    values = pa.array([SECOND * 1_000, bad, (SECOND + 60) * 1_000])
    assert (times.parse(values) == times.UNKNOWN).tolist() == [False, True, False]


def test_a_number_beyond_int64_is_no_time() -> None:
    values = pa.array([SECOND, 2**63 + SECOND], pa.uint64())
    assert times.parse(values).tolist() == [SECOND * 10**9, times.UNKNOWN]


@pytest.mark.parametrize("second", [times.FIRST_SECOND, times.END_SECOND - 1])
@pytest.mark.parametrize("per_second", [1, 1_000, 1_000_000, 10**9])
def test_the_unit_of_an_epoch_follows_from_its_size_alone(second: int, per_second: int) -> None:
    assert times.parse(pa.array([second * per_second])).tolist() == [second * 10**9]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([SECOND + 0.5]),
        pa.array([float("nan")]),
        pa.array([1e300]),
        pa.array([f"{SECOND}.5"]),
        pa.array([[1]]),
        pa.array([True]),
        pa.nulls(1),
        pa.array([b"\xff"]),
    ],
    ids=str,
)
def test_other_types_are_no_times(values: pa.Array) -> None:
    assert times.parse(values).tolist() == [times.UNKNOWN]


def test_times_are_printed_as_rfc_3339() -> None:
    assert utc_text(SECOND * 1_000) == "2024-01-01T00:30:00Z"
    assert utc_text(int(np.int64(times.END_SECOND) * 1_000) - 1_000) == "2099-12-31T23:59:59Z"
