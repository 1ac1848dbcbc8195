from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from candlelock.contracts.errors import InputError
from candlelock.snapshot import candles, files
from candlelock.snapshot.publication import publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from candlelock.contracts.stage_params import SnapshotParams

AMOUNTS = ("open", "high", "low", "close", "volume")
Printed = dict[str, list[str]]


@pytest.fixture
def columns(
    tmp_path: Path,
    write_candles: Callable[..., None],
    printed: Callable[..., Printed],
    params: Callable[..., SnapshotParams],
) -> Printed:
    """What was printed; published in `out`."""
    columns = printed()
    write_candles(tmp_path / "BTC-USD.csv", columns)
    publish(tmp_path / "out", *files.read(["BTC/USD"], "30m", tmp_path), params("BTC/USD"))
    return columns


def test_decimals_come_back_as_printed(tmp_path: Path, columns: Printed) -> None:
    manifest, exact = candles.read_exact(tmp_path / "out")
    assert [entry.symbol for entry in manifest.symbols] == list(exact) == ["BTC/USD"]
    for name in AMOUNTS:
        assert exact["BTC/USD"][name].to_pylist() == [Decimal(text) for text in columns[name]]


def test_frames_hold_milliseconds_and_the_nearest_floats(tmp_path: Path, columns: Printed) -> None:
    frame = candles.read(tmp_path / "out")[1]["BTC/USD"]
    assert frame.dtypes.astype(str).to_dict() == {"open_time_ms": "int64", **dict.fromkeys(AMOUNTS, "float64")}
    for name in AMOUNTS:
        assert frame[name].tolist() == [float(text) for text in columns[name]]
    seconds = [datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in columns["date"]]
    assert frame["open_time_ms"].tolist() == [int(second) * 1_000 for second in seconds]


@pytest.mark.parametrize("read", [candles.read, candles.read_exact])
def test_a_snapshot_that_was_tampered_with_is_not_read(
    tmp_path: Path, columns: Printed, read: Callable[[Path], object]
) -> None:
    (tmp_path / "out" / "BTC-USD.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "out")
    assert caught.value.problems[0].code == "snapshot-changed"
