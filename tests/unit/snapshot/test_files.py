from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pytest

from candlelock.contracts.errors import InputError
from candlelock.contracts.snapshot_documents import Source
from candlelock.snapshot import candles, files
from candlelock.snapshot.publication import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.stage_params import SnapshotParams

Printed = dict[str, list[str]]


def refused(symbols: list[str], folder: Path, timeframe: str = "30m") -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        files.read(symbols, timeframe, folder)
    return [(problem.code, problem.place) for problem in caught.value.problems]


def test_the_source_names_files_and_hashes_but_no_path(
    tmp_path: Path, write_candles: Callable[..., None], printed: Callable[..., Printed]
) -> None:
    write_candles(tmp_path / "mine" / "BTC-USD.csv", printed())
    write_candles(tmp_path / "mine" / "ETH_USD-30m.feather", printed())
    write_candles(tmp_path / "mine" / "XRP-USD.csv", printed())
    read, source = files.read(["ETH/USD", "BTC/USD"], "30m", tmp_path / "mine")
    names = ["BTC-USD.csv", "ETH_USD-30m.feather"]
    hashes = {name: hashlib.sha256((tmp_path / "mine" / name).read_bytes()).hexdigest() for name in names}
    assert source == Source(kind="files", name="mine", address=None, asked=None, files=hashes)
    assert sorted(read) == ["BTC/USD", "ETH/USD"]


def test_gzipped_csv_is_the_same_text(
    tmp_path: Path, write_candles: Callable[..., None], printed: Callable[..., Printed]
) -> None:
    write_candles(tmp_path / "BTC-USD.csv", printed())
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "BTC-USD.csv.gz").write_bytes(gzip.compress((tmp_path / "BTC-USD.csv").read_bytes()))
    plain, _ = files.read(["BTC/USD"], "30m", tmp_path)
    zipped, _ = files.read(["BTC/USD"], "30m", tmp_path / "z")
    assert zipped["BTC/USD"].table.equals(plain["BTC/USD"].table)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert refused(["BTC/USD"], tmp_path / "none") == [("files-folder", str(tmp_path / "none"))]


def test_every_unusable_file_is_named_at_once(
    tmp_path: Path, write_candles: Callable[..., None], printed: Callable[..., Printed]
) -> None:
    for name in ("A-USD.parquet", "B-USD.feather"):
        write_candles(tmp_path / name, printed())
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-100])
    (tmp_path / "C-USD.csv.gz").write_bytes(gzip.compress(b"date,open\n" * 100)[:-10])
    (tmp_path / "D-USD.csv.gz").write_bytes(b"date,open\n")
    zipped = gzip.compress(b"date,open\n" * 100)
    (tmp_path / "H-USD.csv.gz").write_bytes(zipped[:10] + b"\xff" * 9 + zipped[19:])
    (tmp_path / "E-USD.csv").write_bytes(b"date,open\n1\n")
    (tmp_path / "F-USD.parquet").write_bytes(b"")
    (tmp_path / "G-USD.csv").mkdir()
    found = refused([f"{letter}/USD" for letter in "ABCDEFGH"], tmp_path)
    unreadable = ["A-USD.parquet", "B-USD.feather", "C-USD.csv.gz", "D-USD.csv.gz", "F-USD.parquet", "H-USD.csv.gz"]
    assert [Path(place).name for code, place in found if code == "files-unreadable"] == unreadable
    assert ("csv-ragged", f"{tmp_path / 'E-USD.csv'}:2") in found
    assert ("files-missing", f"{tmp_path}: G/USD 30m") in found


@pytest.mark.parametrize(
    ("sound", "damaged"),
    [
        (struct.pack("<3i", 5, 10, 15), struct.pack("<3i", 5, 2**31 - 1, 15)),  # where the texts of a column end
        (b"volume", b"v\xfflume"),
    ],
)
def test_a_feather_file_damaged_inside_is_refused(tmp_path: Path, sound: bytes, damaged: bytes) -> None:
    path = tmp_path / "BTC-USD.feather"
    feather.write_feather(pa.table({"volume": [f"{n}.000" for n in range(9)]}), path, compression="uncompressed")
    assert sound in path.read_bytes()
    files.read(["BTC/USD"], "30m", tmp_path)
    path.write_bytes(path.read_bytes().replace(sound, damaged))
    assert refused(["BTC/USD"], tmp_path) == [("files-unreadable", str(path))]


def test_a_published_snapshot_is_a_source_of_the_same_candles(
    tmp_path: Path,
    write_candles: Callable[..., None],
    printed: Callable[..., Printed],
    params: Callable[..., SnapshotParams],
) -> None:
    write_candles(tmp_path / "in" / "BTC-USD.csv", printed())
    first = publish(tmp_path / "one", *files.read(["BTC/USD"], "30m", tmp_path / "in"), params("BTC/USD"))
    second = publish(tmp_path / "two", *files.read(["BTC/USD"], "30m", tmp_path / "one"), params("BTC/USD"))
    assert second.snapshot_id == first.snapshot_id
    assert (tmp_path / "two" / "BTC-USD.parquet").read_bytes() == (tmp_path / "one" / "BTC-USD.parquet").read_bytes()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "symbol", "timeframe", "file"),
    [
        ("binance_spot_5m_2024", "BTC/USDT", "5m", "BTC_USDT-5m.feather"),
        ("binance_usdm_1m_2025", "SOL/USDT", "1m", "SOL_USDT_USDT-1m-futures.feather"),
    ],
)
def test_freqtrade_files_come_back_bit_for_bit(
    tmp_path: Path,
    shared_candles: Path,
    params: Callable[..., SnapshotParams],
    folder: str,
    symbol: str,
    timeframe: str,
    file: str,
) -> None:
    wanted = params(symbol, timeframe=timeframe)
    publish(tmp_path / "out", *files.read([symbol], timeframe, shared_candles / folder), wanted)
    frame = candles.read(tmp_path / "out")[1][symbol]
    original = pd.read_feather(shared_candles / folder / file)
    assert np.array_equal(
        frame["open_time_ms"].to_numpy(), original["date"].astype("datetime64[ms, UTC]").astype("int64").to_numpy()
    )
    for name in ("open", "high", "low", "close", "volume"):
        assert frame[name].to_numpy().tobytes() == original[name].to_numpy().tobytes()


@pytest.mark.shared
def test_exchange_csv_with_twelve_columns_is_read_as_printed(
    tmp_path: Path, shared_candles: Path, params: Callable[..., SnapshotParams]
) -> None:
    read, source = files.read(["LINK/USDT"], "1m", shared_candles / "binance_usdm_klines12_1m_2023")
    entry = publish(tmp_path / "out", read, source, params("LINK/USDT", timeframe="1m")).symbols[0]
    assert (entry.n_rows, entry.first_open_utc, entry.gaps) == (40_320, "2023-02-01T00:00:00Z", [])
    first = candles.read_exact(tmp_path / "out")[1]["LINK/USDT"].slice(0, 1).to_pylist()[0]
    assert [str(first[name]) for name in ("open", "high", "low", "close", "volume")] == [
        "6.949",
        "6.959",
        "6.947",
        "6.957",
        "30020.25",
    ]
    extras = ("quote_volume", "n_trades", "taker_buy_volume", "taker_buy_quote_volume")
    assert [column.name for column in entry.columns[6:]] == [*extras]
    assert [str(first[name]) for name in extras] == ["208718.48852", "471", "10610.28", "73780.89351"]
