from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError
from candlelock.contracts.snapshot_documents import Source
from candlelock.snapshot import files
from candlelock.snapshot.publication import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.stage_params import SnapshotParams
    from candlelock.snapshot.raw_candles import RawCandles

SOURCE = Source(kind="files", name="test", address=None, asked=None, files={})
Printed = dict[str, list[str]]
SYMBOLS = ["BTC/USD", "ETH/USD", "XRP/USD"]
PUBLISH = """
import sys
from pathlib import Path
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.snapshot import files
from candlelock.snapshot.publication import publish
source, target, params = Path(sys.argv[1]), Path(sys.argv[2]), SnapshotParams.model_validate_json(sys.argv[3])
publish(target, *files.read(params.symbols, params.timeframe, source), params)
"""


@pytest.fixture
def source(tmp_path: Path, write_candles: Callable[..., None], printed: Callable[..., Printed]) -> Callable[..., Path]:
    """Write the same candles of all symbols in a format; `broken` spoils a price of the last two."""

    def write(suffix: str, broken: bool = False) -> Path:
        folder = tmp_path / f"in{suffix}{broken}"
        for seed, symbol in enumerate(SYMBOLS):
            columns = printed(seed=seed)
            if broken and seed:
                columns["low"][3] = "-1"
            write_candles(folder / f"{symbol.replace('/', '_')}-30m{suffix}", columns)
        return folder

    return write


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_id_names_the_candles_whatever_their_file_format_and_order(
    tmp_path: Path, source: Callable[..., Path], params: Callable[..., SnapshotParams]
) -> None:
    ids, tables = set(), set()
    for suffix, symbols in ((".csv", SYMBOLS), (".feather", SYMBOLS[::-1]), (".parquet", [*SYMBOLS[1:], SYMBOLS[0]])):
        manifest = publish(tmp_path / "out", *files.read(symbols, "30m", source(suffix)), params(*symbols))
        ids.add(manifest.snapshot_id)
        tables.add(tuple(entry.sha256 for entry in manifest.symbols))
    assert len(ids) == len(tables) == 1


def test_the_id_changes_with_a_digit_a_symbol_or_a_row(
    tmp_path: Path,
    write_candles: Callable[..., None],
    printed: Callable[..., Printed],
    params: Callable[..., SnapshotParams],
) -> None:
    def publish_candles(symbol: str, columns: Printed) -> str:
        folder = tmp_path / f"in{symbol[:3]}"
        write_candles(folder / f"{symbol.replace('/', '-')}.csv", columns)
        return publish(tmp_path / "out", *files.read([symbol], "30m", folder), params(symbol)).snapshot_id

    columns = printed()
    digit = {**columns, "volume": ["0.00000001", *columns["volume"][1:]]}
    shorter = {name: values[:-1] for name, values in columns.items()}
    ids = [
        publish_candles(symbol, c)
        for symbol, c in (("BTC/USD", columns), ("BTC/USD", digit), ("BTC/USD", shorter), ("ETH/USD", columns))
    ]
    assert len(set(ids)) == 4


def test_a_second_process_elsewhere_writes_the_same_bytes(
    tmp_path: Path, source: Callable[..., Path], params: Callable[..., SnapshotParams]
) -> None:
    folder = source(".csv")
    publish(tmp_path / "out", *files.read(SYMBOLS, "30m", folder), params(*SYMBOLS))
    elsewhere = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    arguments = [str(folder), str(tmp_path / "other"), params(*SYMBOLS[::-1]).model_dump_json()]
    subprocess.run([sys.executable, "-c", PUBLISH, *arguments], check=True, cwd="/", env=elsewhere)
    assert contents(tmp_path / "other") == contents(tmp_path / "out")
    assert sorted(contents(tmp_path / "out")) == [
        "BTC-USD.parquet",
        "ETH-USD.parquet",
        "XRP-USD.parquet",
        "manifest.json",
    ]


def test_bad_candles_of_any_symbol_leave_the_old_snapshot_as_it_was(
    tmp_path: Path, source: Callable[..., Path], params: Callable[..., SnapshotParams]
) -> None:
    publish(tmp_path / "out", *files.read(SYMBOLS, "30m", source(".csv")), params(*SYMBOLS))
    before = contents(tmp_path / "out")
    with pytest.raises(InputError) as caught:
        publish(tmp_path / "out", *files.read(SYMBOLS, "30m", source(".csv", broken=True)), params(*SYMBOLS))
    places = [Path(problem.place).name for problem in caught.value.problems]
    assert places == ["ETH_USD-30m.csv:5", "XRP_USD-30m.csv:5"]
    assert contents(tmp_path / "out") == before


def test_symbols_no_longer_wanted_leave_the_folder(
    tmp_path: Path, source: Callable[..., Path], params: Callable[..., SnapshotParams]
) -> None:
    for symbols in (SYMBOLS, SYMBOLS[:1]):
        publish(tmp_path / "out", *files.read(symbols, "30m", source(".csv")), params(*symbols))
    assert sorted(contents(tmp_path / "out")) == ["BTC-USD.parquet", "manifest.json"]


@pytest.mark.parametrize("name", ["notes.txt", "BTC-USD.parquet"])
def test_a_folder_of_other_things_is_not_replaced(
    name: str, tmp_path: Path, raw: Callable[..., RawCandles], params: Callable[..., SnapshotParams]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(InputError) as caught:
        publish(tmp_path / "out", {"BTC/USD": raw()}, SOURCE, params("BTC/USD"))
    assert [problem.code for problem in caught.value.problems] == ["snapshot-out"]
    assert (tmp_path / "out" / name).read_text() == "mine"


def test_a_file_and_a_link_are_not_replaced(
    tmp_path: Path, raw: Callable[..., RawCandles], params: Callable[..., SnapshotParams]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "file").write_text("mine")
    for name in ("link", "file"):
        with pytest.raises(InputError, match="no folder"):
            publish(tmp_path / name, {"BTC/USD": raw()}, SOURCE, params("BTC/USD"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "mine"


def test_one_history_under_two_symbols_is_refused_but_the_same_digits_at_another_scale_are_not(
    tmp_path: Path, raw: Callable[..., RawCandles], params: Callable[..., SnapshotParams]
) -> None:
    with pytest.raises(InputError) as caught:
        publish(tmp_path / "out", {"A/USD": raw(), "B/USD": raw()}, SOURCE, params("A/USD", "B/USD"))
    assert [problem.code for problem in caught.value.problems] == ["candles-twins"]
    other = raw()
    tenfold = other.table
    for at, name in enumerate(tenfold.column_names):
        if name != "date":
            values = [str(Decimal(value) * 10) for value in tenfold[name].to_pylist()]
            tenfold = tenfold.set_column(at, name, pa.array(values))
    publish(
        tmp_path / "out", {"A/USD": raw(), "B/USD": replace(other, table=tenfold)}, SOURCE, params("A/USD", "B/USD")
    )
