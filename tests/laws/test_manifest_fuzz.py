"""Whatever stands in a snapshot folder: it is read as what its id names, or refused in words; no other file is read."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from candlelock.artifacts import merkle
from candlelock.artifacts.hashing import sha256_file, sha256_json
from candlelock.artifacts.user_files import read_params
from candlelock.contracts.errors import InputError
from candlelock.contracts.snapshot_documents import Source
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.contracts.version_documents import Author
from candlelock.snapshot import candles, manifest, versions
from candlelock.snapshot.publication import publish
from candlelock.snapshot.raw_candles import RawCandles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SYMBOLS = ("AAA/USD", "BBB/USD")
FILES = ("AAA-USD.parquet", "BBB-USD.parquet", manifest.NAME, manifest.RECORD)
UTC_MS = pa.timestamp("ms", "UTC")
OPENED: list[str] = []


def _note_opened(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str | bytes):
        OPENED.append(os.fsdecode(arguments[0]))


sys.addaudithook(_note_opened)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored version of two symbols, 70 minutes each."""
    committed = read_params(Path(__file__).parents[2]).snapshot.model_dump()
    own = {"source": "files", "timeframe": "1m", "symbols": list(SYMBOLS), "min_rows": 10}
    times = [str(1_700_000_100 + 60 * minute) for minute in range(70)]
    columns = {name: ["1.5"] * 70 for name in ("open", "high", "low", "close")}
    raw = {
        symbol: RawCandles(
            symbol, has_lines=False, table=pa.table({"date": times, **columns, "volume": [f"{n}.5"] * 70})
        )
        for n, symbol in enumerate(SYMBOLS)
    }
    source = Source(kind="files", name="x", address=None, asked=None, files={"a.csv": "0" * 64})
    folder = tmp_path_factory.mktemp("sound")
    publish(folder / "out", raw, source, SnapshotParams.model_validate(committed | own))
    versions.store(folder / "out", folder / "versions", Author(name="x", email=None), "2024-01-01T00:00:00Z", None)
    return next((folder / "versions").iterdir())


HOSTILE = (
    *(
        "../secret",
        "/etc/passwd",
        "..",
        ".",
        "",
        "\x00",
        "a/b",
        "AAA-USD.parquet",
        "../AAA-USD.parquet",
        "AAA/USD",
        "Ä",
    ),
    *("0" * 64, "1m", "60m", "99999999999d", "1d", "NaN", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    *("2024-02-30T00:00:00Z", "exchange", "manifest.json", "\ud800", "A" * 300),
)
hostile = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=8),
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 69, 70, 2**31, 2**63, 2**64, 10**30, 1.5, 1e308, [], {}, [[]], {"": None}]),
    st.sampled_from([[["close", 2]], [{"name": "close", "scale": 99}], {"AAA/USD": {}}]),
)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON document."""
    yield above
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*above, key))


def edit(name: str, at: float, how: str, value: Any, folder: Path) -> None:
    """Change one value of a document: set it, delete it, double it, or put another beside it."""
    path = folder / name
    if not path.is_file():
        return
    document = json.loads(path.read_text())
    *above, last = (found := [each for each in places(document) if each])[int(at * len(found))]
    inner = document
    for key in above:
        inner = inner[key]
    if how == "delete":
        del inner[last]
    elif how == "double" and isinstance(inner, list):
        inner.append(inner[last])
    elif how == "beside" and isinstance(inner, dict):
        inner[value if isinstance(value, str) else "other"] = value
    else:
        inner[last] = value
    put(path, json.dumps(document).encode())


def mend(folder: Path) -> None:
    """Make hashes and id fit again, as a forger would."""
    path = folder / manifest.NAME
    document = json.loads(path.read_text())
    for entry in document["symbols"]:
        if (table := folder / str(entry["file"])).is_file() and not table.is_symlink():
            entry["sha256"] = sha256_file(table)
    named = {
        entry["symbol"]: {
            "columns": [[column["name"], column["scale"]] for column in entry["columns"]],
            "merkle_root": entry["merkle_root"],
            "n_rows": entry["n_rows"],
        }
        for entry in document["symbols"]
    }
    document["snapshot_id"] = sha256_json({"timeframe": document["timeframe"], "symbols": named})
    put(path, json.dumps(document).encode())


def put(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def spoil(name: str, at: float, noise: bytes, n_cut: int, folder: Path) -> None:
    """Put other bytes into a file."""
    if not (folder / name).is_file():  # a pipe would never end
        return
    content = (folder / name).read_bytes()
    start = int(at * len(content))
    put(folder / name, content[:start] + noise + content[start + n_cut :])


def replace_by(name: str, kind: str, folder: Path) -> None:
    """Put something else in a file's place."""
    path = folder / name
    if kind == "extra":
        (folder / "extra.bin").write_bytes(b"x")
    elif kind == "bytes in a name":
        Path(os.fsdecode(bytes(folder) + b"/\xff\xfe")).write_bytes(b"x")
    else:
        path.unlink()
    if kind == "link":
        path.symlink_to(folder.parent / "outside" / "secret")
    elif kind == "link to its like":
        shutil.copy(folder.parent / "outside" / name, folder.parent / "outside" / "copy")
        path.symlink_to(folder.parent / "outside" / "copy")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)


def forge(column: str, values: pa.Array, has_root: bool, folder: Path) -> None:
    """Other rows under hashes that fit."""
    path = folder / FILES[0]
    if not path.is_file():
        return
    table = pq.read_table(path)
    n_rows = min(table.num_rows, len(values))
    table = table.slice(0, n_rows)
    forged = table.set_column(max(table.column_names.index(column), 0), column, values.slice(0, n_rows))
    path.unlink()
    pq.write_table(forged, path)
    document = json.loads((folder / manifest.NAME).read_text())
    entry = document["symbols"][0]
    entry["n_rows"] = n_rows
    if has_root:
        try:
            entry["merkle_root"] = merkle.root(forged)
        except ValueError:
            entry["merkle_root"] = "0" * 64
    put(folder / manifest.NAME, json.dumps(document).encode())


times = st.sampled_from([0, 1, 2**62, -(2**62), 2**63 - 1, -(2**63), 1_700_000_100_000, 253_402_300_800_000])
FORGED = (
    st.lists(times, min_size=0, max_size=70).map(lambda v: pa.array(v, pa.int64()).cast(UTC_MS))
    | st.integers(0, 70).map(
        lambda n: pa.array([1_700_000_100_000 + 60_000 * row for row in range(n)], pa.int64()).cast(UTC_MS)
    )
    | st.sampled_from(
        [pa.int64(), pa.float64(), pa.string(), pa.decimal256(60, 2), pa.decimal128(38, 0), pa.null()]
    ).map(lambda dtype: pa.array([None] * 70, dtype))
    | st.sampled_from([pa.decimal256(60, 2), pa.decimal128(38, 2), pa.decimal128(18, 2), pa.decimal128(38, 38)]).map(
        lambda dtype: pa.array([Decimal("0.5")] * 70, dtype)
    )
    | st.sampled_from([1, "x", b"x", [1], {"a": 1}, True, 1.5]).map(lambda value: pa.array([value] * 70))
)
share = st.floats(0, 1, exclude_max=True)
any_file = st.sampled_from(FILES)
any_document = st.sampled_from([manifest.NAME, manifest.NAME, manifest.RECORD])
hows = st.sampled_from(["set", "delete", "double", "beside"])
kinds = st.sampled_from(["gone", "link", "link to its like", "folder", "pipe", "loop", "extra", "bytes in a name"])
forged_columns = st.sampled_from(["open_time_utc", "close", "volume"])
mutations = st.one_of(
    st.builds(partial, st.just(edit), any_document, share, hows, hostile),
    st.builds(partial, st.just(spoil), any_file, share, st.binary(max_size=6), st.sampled_from([0, 0, 1, 5, 10**6])),
    st.builds(partial, st.just(replace_by), any_file, kinds),
    st.builds(partial, st.just(forge), forged_columns, FORGED, st.booleans()),
)
NOTHING_TO_CHANGE = (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, pa.ArrowException)


def read_or_be_refused(sound: Path, changes: list[Callable[[Path], None]], is_mended: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "snapshot"
        shutil.copytree(sound, Path(name) / "outside")
        shutil.copytree(sound, folder)
        (Path(name) / "outside" / "secret").write_bytes(b"{}")
        for change in [*changes, *([mend] if is_mended else [])]:
            if (folder / manifest.NAME).is_file():
                with contextlib.suppress(*NOTHING_TO_CHANGE):  # where an earlier change left nothing
                    change(folder)
        OPENED.clear()
        found = None
        try:
            found = candles.read_exact(folder)
            candles.read(folder)
        except InputError as error:
            assert error.problems
            assert all(problem.place and problem.found and problem.help for problem in error.problems)
        problems = versions.faults(folder)
        opened = {Path(path).resolve() for path in OPENED if path.startswith(name)}
        assert all(folder.resolve() in path.parents for path in opened)
    assert found is not None or problems
    if found is not None:
        original, tables = candles.read_exact(sound)
        assert found[0].snapshot_id != original.snapshot_id or values(found[1]) == values(tables)


def values(tables: dict[str, pa.Table]) -> dict[str, Any]:
    return {symbol: table.to_pydict() for symbol, table in tables.items()}


RARE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@given(changes=st.lists(mutations, min_size=1, max_size=3), is_mended=st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=RARE)
def test_a_snapshot_folder_is_read_or_refused(
    sound: Path, changes: list[Callable[[Path], None]], is_mended: bool
) -> None:
    read_or_be_refused(sound, changes, is_mended)


@pytest.mark.heavy
@given(changes=st.lists(mutations, min_size=1, max_size=3), is_mended=st.booleans())
@settings(max_examples=10_000, deadline=None, suppress_health_check=RARE)
def test_ten_thousand_snapshot_folders_are_read_or_refused(
    sound: Path, changes: list[Callable[[Path], None]], is_mended: bool
) -> None:
    read_or_be_refused(sound, changes, is_mended)
