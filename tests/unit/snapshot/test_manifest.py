from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from candlelock.artifacts import merkle, tables
from candlelock.artifacts.hashing import sha256_file, sha256_json
from candlelock.contracts.errors import InputError
from candlelock.contracts.snapshot_documents import CandleColumn
from candlelock.contracts.tables import CANDLES
from candlelock.snapshot import candles, files, manifest
from candlelock.snapshot.publication import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.stage_params import SnapshotParams

CANDLE_COLUMNS = ("open_time_utc", "open", "high", "low", "close", "volume")


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
        assert entry.merkle_root == merkle.root(tables.read(folder / entry.file, CANDLES))
        assert entry.columns == [
            CandleColumn(name=name, scale=scale)
            for name, scale in zip(CANDLE_COLUMNS, (None, 2, 2, 2, 2, 8), strict=True)
        ]
        assert (entry.n_rows, entry.first_open_utc, entry.last_open_utc) == (
            40,
            "2024-01-01T00:00:00Z",
            "2024-01-01T19:30:00Z",
        )
    columns = [["open_time_utc", None], *([name, 2] for name in ("open", "high", "low", "close")), ["volume", 8]]
    named = {
        entry.symbol: {"columns": columns, "merkle_root": entry.merkle_root, "n_rows": 40} for entry in found.symbols
    }
    assert found.snapshot_id == sha256_json({"timeframe": "30m", "symbols": named})


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


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads((folder / manifest.NAME).read_text())
    change(document)
    (folder / manifest.NAME).write_text(json.dumps(document))


@pytest.mark.parametrize("name", ["../ETH-USD.parquet", "/etc/passwd", "", ".", "BTC-USD.parquet"])
def test_an_entry_names_no_file_but_its_own(folder: Path, name: str) -> None:
    edit(folder, lambda document: document["symbols"][1].update(file=name))
    assert [code for code, _ in refused(folder)] == ["snapshot-name"]


def test_a_symbol_stands_once(folder: Path) -> None:
    edit(folder, lambda document: document["symbols"].append(document["symbols"][0]))
    assert [code for code, _ in refused(folder)] == ["snapshot-twice"]


@pytest.mark.parametrize("name", ["BTC-USD.parquet", manifest.NAME])
def test_a_link_is_not_followed(folder: Path, name: str) -> None:
    (folder / name).rename(folder.parent / "elsewhere")
    (folder / name).symlink_to(folder.parent / "elsewhere")
    assert refused(folder) == [("snapshot-no-file", name)]


def test_a_pipe_or_a_folder_is_no_file_and_not_waited_for(folder: Path) -> None:
    for name, make in (("BTC-USD.parquet", os.mkfifo), ("ETH-USD.parquet", os.mkdir)):
        (folder / name).unlink()
        make(folder / name)
    assert refused(folder) == [("snapshot-no-file", "BTC-USD.parquet"), ("snapshot-no-file", "ETH-USD.parquet")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_missing_bars", 1),
        ("first_open_utc", "2023-12-31T00:00:00Z"),
        (
            "gaps",
            [
                {
                    "first_open_utc": "2024-01-01T00:00:00Z",
                    "last_open_utc": "2024-01-01T00:00:00Z",
                    "n_bars": 1,
                    "is_confirmed": True,
                }
            ],
        ),
    ],
)
def test_what_the_id_does_not_name_has_to_follow_from_the_rows(folder: Path, field: str, value: object) -> None:
    edit(folder, lambda document: document["symbols"][0].update({field: value}))
    manifest.verify(folder)
    with pytest.raises(InputError, match=f"snapshot-rows.*\n.*another {field}"):
        candles.read_exact(folder)


def test_other_rows_with_a_hash_that_fits_are_found_by_their_root(folder: Path) -> None:
    path = folder / "BTC-USD.parquet"
    table = tables.read(path, CANDLES)
    rows = table.to_pylist()
    rows[7]["volume"] += Decimal("0.00000001")
    tables.write(path, pa.Table.from_pylist(rows, schema=table.schema), CANDLES)
    edit(folder, lambda document: document["symbols"][0].update(sha256=sha256_file(path)))
    manifest.verify(folder)
    with pytest.raises(InputError, match="another merkle_root"):
        candles.read_exact(folder)


def test_the_order_of_columns_is_named_by_the_id(folder: Path) -> None:
    """Else one block of bytes could be shown with its prices under each other's names."""
    found = manifest.verify(folder)
    entry = found.symbols[0]
    turned = entry.model_copy(update={"columns": [entry.columns[0], *entry.columns[:0:-1]]})
    assert manifest.identify("30m", [turned, *found.symbols[1:]]) != found.snapshot_id


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == [("document-missing", manifest.NAME)]
