"""A disk that is full or refuses: one clear error with exit code 3, the old content kept, no litter. Real faults."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts import atomic
from candlelock.contracts.errors import EXIT_ENVIRONMENT, EnvironmentFaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BIG = b"x" * 400_000
WRITE_TABLE = """
import resource, sys
from pathlib import Path
import numpy as np, pyarrow as pa
from candlelock.artifacts import atomic, tables
from candlelock.contracts.errors import EnvironmentFaultError
from candlelock.contracts.tables import Column, TableSchema
schema = TableSchema("x", (Column("a", pa.int64(), "1", "a"),), key=("a",))
table = pa.table({"a": np.cumsum(np.random.default_rng(1).integers(1, 2**40, 200_000))})
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with atomic.replacing_folder(Path(sys.argv[1])) as fresh:
        tables.write(fresh / "x.parquet", table, schema)
except EnvironmentFaultError as error:
    print(error.problems[0].code, error.exit_code)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB; skipped where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process may grow beyond 100 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write_file(folder: Path, content: bytes) -> None:
    atomic.write_bytes(folder / "x.bin", content)


def replace_folder(folder: Path, content: bytes) -> None:
    with atomic.replacing_folder(folder / "out") as fresh:
        (fresh / "a.bin").write_bytes(b"small")
        (fresh / "x.bin").write_bytes(content)


def add_folder(folder: Path, content: bytes) -> None:
    with atomic.adding_folder(folder / f"out{len(content)}") as fresh:
        (fresh / "x.bin").write_bytes(content)


WRITES = [write_file, replace_folder, add_folder]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(write: Callable[[Path, bytes], None], folder: Path) -> EnvironmentFaultError:
    write(folder, b"old")
    before = contents(folder)
    with pytest.raises(EnvironmentFaultError) as caught:
        write(folder, BIG)
    assert contents(folder) == before
    write(folder, b"new")  # and what is small enough can be written again
    return caught.value


@pytest.mark.parametrize("write", WRITES)
def test_a_full_disk_leaves_what_was_there(write: Callable[[Path, bytes], None], small_disk: Path) -> None:
    error = refused(write, small_disk)
    assert (error.problems[0].code, error.exit_code) == ("disk-full", EXIT_ENVIRONMENT)
    assert "No space left" in error.problems[0].found


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("write", WRITES)
def test_a_file_that_may_not_grow_leaves_what_was_there(write: Callable[[Path, bytes], None], tmp_path: Path) -> None:
    assert refused(write, tmp_path).problems[0].code == "disk-full"


@pytest.mark.parametrize("how", ["limit", "disk"])
def test_arrow_s_own_writes_are_named_too(how: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue("small_disk") if how == "disk" else tmp_path
    answer = subprocess.run(
        [sys.executable, "-c", WRITE_TABLE, str(folder / "out"), how], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "disk-full 3\n"
    assert list(folder.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(small_disk: Path) -> None:
    write_file(small_disk, b"old")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for write in WRITES:
        with pytest.raises(EnvironmentFaultError) as caught:
            write(small_disk, b"new")
        assert caught.value.problems[0].code == "disk-refused"
    assert contents(small_disk) == {"x.bin": b"old"}


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic.replacing_folder(tmp_path / "out") as fresh:
        (fresh / "none" / "x").write_bytes(b"")
    with pytest.raises(ConnectionResetError), atomic.replacing(tmp_path / "x"):
        raise ConnectionResetError
    assert list(tmp_path.iterdir()) == []
