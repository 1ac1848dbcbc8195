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


EXTRAS = {
    "quote_volume": ["0.5", "1234567890.12345678"],
    "n_trades": ["0", "471"],
    "taker_buy_volume": ["0.00", "0.1"],
    "taker_buy_quote_volume": ["0.5", "0.25"],
    "vwap": ["0", "10.5"],
}


def test_extra_columns_come_back_where_a_symbol_has_them(tmp_path: Path, params: Callable[..., SnapshotParams]) -> None:
    header = "date,open,high,low,close,volume"
    rows = [f"2024-01-01 {time}:00,10,11,10,10,1" for time in ("00:00", "00:30")]
    added = [",".join(values) for values in zip(*EXTRAS.values(), strict=True)]
    content = [f"{header},{','.join(EXTRAS)}", *(f"{row},{extra}" for row, extra in zip(rows, added, strict=True))]
    (tmp_path / "BTC-USD.csv").write_text("\n".join(content))
    (tmp_path / "ETH-USD.csv").write_text("\n".join([header, *rows]))
    symbols = ["BTC/USD", "ETH/USD"]
    publish(tmp_path / "out", *files.read(symbols, "30m", tmp_path), params(*symbols, min_rows=1))
    manifest, exact = candles.read_exact(tmp_path / "out")
    assert [len(entry.columns) for entry in manifest.symbols] == [11, 6]
    for name, values in EXTRAS.items():
        assert exact["BTC/USD"][name].to_pylist() == [Decimal(value) for value in values]
    frames = candles.read(tmp_path / "out")[1]
    assert frames["BTC/USD"][list(EXTRAS)].to_dict("list") == {n: [*map(float, v)] for n, v in EXTRAS.items()}
    assert [*frames["ETH/USD"].columns] == ["open_time_ms", *AMOUNTS]
