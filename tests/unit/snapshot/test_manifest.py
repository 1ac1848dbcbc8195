from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts import tables
from candlelock.artifacts.hashing import logical_hash, sha256_json
from candlelock.contracts.errors import InputError
from candlelock.contracts.tables import CANDLES
from candlelock.snapshot import files, manifest
from candlelock.snapshot.publication import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.stage_params import SnapshotParams


@pytest.fixture
def folder(
    tmp_path: Path,
    write_candles: Callable[..., None],
    printed: Callable[..., dict[str, list[str]]],
    params: Callable[..., SnapshotParams],
) -> Path:
    """A published snapshot of two symbols."""
    symbols = ["ETH/USD", "BTC/USD"]
    for seed, symbol in enumerate(symbols):
        write_candles(tmp_path / "in" / f"{symbol.replace('/', '_')}-30m.csv", printed(seed=seed))
    publish(tmp_path / "out", *files.read(symbols, "30m", tmp_path / "in"), params(*symbols))
    return tmp_path / "out"


def refused(folder: Path) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        manifest.verify(folder)
    return [(problem.code, Path(problem.place).name) for problem in caught.value.problems]


def test_the_manifest_describes_what_lies_in_the_folder(folder: Path) -> None:
    found = manifest.verify(folder)
    assert [entry.symbol for entry in found.symbols] == ["BTC/USD", "ETH/USD"]
    for entry in found.symbols:
        assert entry.logical_hash == logical_hash(tables.read(folder / entry.file, CANDLES))
        assert (entry.n_rows, entry.first_open_utc, entry.last_open_utc) == (
            40,
            "2024-01-01T00:00:00Z",
            "2024-01-01T19:30:00Z",
        )
    hashes = {entry.symbol: entry.logical_hash for entry in found.symbols}
    assert found.snapshot_id == sha256_json({"timeframe": "30m", "candles": hashes})


def test_every_changed_missing_and_added_file_is_named(folder: Path) -> None:
    content = bytearray((folder / "BTC-USD.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "BTC-USD.parquet").write_bytes(content)
    (folder / "ETH-USD.parquet").rename(folder / "ETH-EUR.parquet")
    assert refused(folder) == [
        ("snapshot-missing", "ETH-USD.parquet"),
        ("snapshot-extra", "ETH-EUR.parquet"),
        ("snapshot-changed", "BTC-USD.parquet"),
    ]


@pytest.mark.parametrize(("key", "value"), [("timeframe", "1h"), ("snapshot_id", "0" * 64)])
def test_an_edited_manifest_no_longer_fits_its_id(folder: Path, key: str, value: str) -> None:
    path = folder / manifest.NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    assert [code for code, _ in refused(folder)] == ["snapshot-id"]


def test_files_outside_the_folder_are_not_part_of_it(folder: Path) -> None:
    path = folder / manifest.NAME
    document = json.loads(path.read_text())
    (folder / "ETH-USD.parquet").rename(folder.parent / "ETH-USD.parquet")
    document["symbols"][1]["file"] = "../ETH-USD.parquet"
    path.write_text(json.dumps(document))
    assert refused(folder) == [("snapshot-missing", "ETH-USD.parquet")]


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == [("document-missing", manifest.NAME)]
