"""Stored versions: one per content, whole, unchanged, found by the start of their id."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from candlelock.contracts.errors import InputError
from candlelock.contracts.version_documents import Author
from candlelock.snapshot import candles, files, manifest, versions
from candlelock.snapshot.publication import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.stage_params import SnapshotParams

WHO = Author(name="A. Quant", email="a@example.org")
ROOT = Path(__file__).resolve().parents[3]
STORE = """
import sys
from pathlib import Path
from candlelock.contracts.version_documents import Author
from candlelock.snapshot import versions
folder, shelf, name = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
print(versions.store(Path(folder), Path(shelf), Author(name=name, email=None), "2024-05-05T00:00:00Z", None)[2])
"""
PUBLISH = """
import sys
from pathlib import Path
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.snapshot import files
from candlelock.snapshot.publication import publish
source, target, params = Path(sys.argv[1]), Path(sys.argv[2]), SnapshotParams.model_validate_json(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(15):
    publish(target, *files.read(params.symbols, params.timeframe, source), params)
"""


@pytest.fixture
def make(
    tmp_path: Path,
    write_candles: Callable[..., None],
    printed: Callable[..., dict[str, list[str]]],
    params: Callable[..., SnapshotParams],
) -> Callable[..., Path]:
    """Publish a snapshot of one symbol; the seed decides its values."""

    def publish_seed(seed: int = 1) -> Path:
        write_candles(tmp_path / f"in{seed}/BTC-USD.csv", printed(seed=seed))
        wanted = params("BTC/USD")
        publish(tmp_path / f"out{seed}", *files.read(wanted.symbols, "30m", tmp_path / f"in{seed}"), wanted)
        return tmp_path / f"out{seed}"

    return publish_seed


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "data/versions"


def store(folder: Path, shelf: Path, at: str = "2024-05-05T00:00:00Z", note: str | None = None) -> tuple[str, bool]:
    found, record, is_new = versions.store(folder, shelf, WHO, at, note)
    assert record.snapshot_id == found.snapshot_id
    return found.snapshot_id, is_new


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def refused(call: Callable[[], object]) -> list[str]:
    with pytest.raises(InputError) as caught:
        call()
    return [problem.code for problem in caught.value.problems]


def test_a_version_is_the_published_folder_and_a_record(make: Callable[..., Path], shelf: Path) -> None:
    folder = make()
    name, is_new = store(folder, shelf, note="before the listing")
    assert is_new
    kept = contents(shelf / name)
    record = json.loads(kept.pop(manifest.RECORD))
    assert kept == contents(folder)
    assert record == {
        "version": "1",
        "snapshot_id": name,
        "stored_at_utc": "2024-05-05T00:00:00Z",
        "stored_by": {"name": "A. Quant", "email": "a@example.org"},
        "candlelock_version": record["candlelock_version"],
        "note": "before the listing",
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in (shelf / name).iterdir()} == {0o444}
    assert versions.faults(shelf / name) == []


def test_the_same_candles_are_one_version_with_its_first_record(make: Callable[..., Path], shelf: Path) -> None:
    name, _ = store(make(), shelf, note="first")
    before = contents(shelf / name)
    assert store(make(), shelf, at="2025-01-01T00:00:00Z", note="second") == (name, False)
    assert contents(shelf / name) == before
    assert versions.ids(shelf) == [name]


def test_a_version_can_be_stored_and_read_again(make: Callable[..., Path], shelf: Path, tmp_path: Path) -> None:
    name, _ = store(make(), shelf)
    assert store(shelf / name, shelf) == (name, False)
    assert store(shelf / name, tmp_path / "elsewhere") == (name, True)
    assert candles.read_exact(shelf / name)[0].snapshot_id == name


def test_a_version_is_a_folder_of_candle_files(
    make: Callable[..., Path], shelf: Path, tmp_path: Path, params: Callable[..., SnapshotParams]
) -> None:
    """`snapshot.source: files` with the version as `files.path` gives the same snapshot."""
    name, _ = store(make(), shelf)
    wanted = params("BTC/USD")
    again = publish(tmp_path / "again", *files.read(wanted.symbols, "30m", shelf / name), wanted)
    assert again.snapshot_id == name
    assert sorted(again.source.files) == ["BTC-USD.parquet"]


def test_versions_are_listed_by_the_time_they_were_stored(make: Callable[..., Path], shelf: Path) -> None:
    late, _ = store(make(1), shelf, at="2024-06-01T00:00:00Z")
    early, _ = store(make(2), shelf, at="2024-05-01T00:00:00Z")
    assert [found.snapshot_id for found, _ in versions.read_all(shelf)] == [early, late]
    assert versions.read_all(shelf.parent / "none") == []


def test_a_version_is_found_by_the_start_of_its_id_or_by_its_path(
    make: Callable[..., Path], shelf: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = make()
    name, _ = store(folder, shelf)
    assert versions.find(shelf, name) == versions.find(shelf, name[:6]) == versions.find(shelf, name[:9].upper())
    assert versions.find(shelf, str(folder)) == folder
    monkeypatch.chdir(tmp_path)
    assert versions.find(shelf, "out1") == Path("out1")
    for unknown in (name[:5], "", "0" * 64, "..", "*", name + "0", "no/such/folder"):
        assert refused(lambda unknown=unknown: versions.find(shelf, unknown)) == ["version-unknown"]
    shutil.copytree(shelf / name, shelf / (name[:8] + "0" * 56))
    with pytest.raises(InputError, match=f"version-ambiguous.*\\n.*{name[:8]}"):
        versions.find(shelf, name[:8])
    with pytest.raises(InputError, match=f"stored are: .*{name[:12]}"):
        versions.find(shelf, "123456")


def test_what_is_not_sound_is_not_stored(make: Callable[..., Path], shelf: Path) -> None:
    folder = make()
    (folder / "BTC-USD.parquet").write_bytes(b"PAR1")
    assert refused(lambda: store(folder, shelf)) == ["snapshot-changed"]
    assert not shelf.exists()


@pytest.mark.parametrize("spoil", ["parquet", "record", "record id", "name", "extra", "gone", "link"])
def test_each_fault_of_a_version_is_found(make: Callable[..., Path], shelf: Path, spoil: str) -> None:
    name, _ = store(make(), shelf)
    folder, record, table = shelf / name, shelf / name / manifest.RECORD, shelf / name / "BTC-USD.parquet"
    if spoil == "parquet":
        content = bytearray(table.read_bytes())
        content[len(content) // 2] ^= 1
        table.unlink()
        table.write_bytes(content)
    elif spoil == "record":
        record.unlink()
        record.write_text("{}")
    elif spoil == "record id":
        text = record.read_text()
        record.unlink()
        record.write_text(text.replace(name, "0" * 64))
    elif spoil == "name":
        folder = folder.rename(shelf / ("0" * 64))
    elif spoil == "extra":
        (folder / "notes.txt").write_text("")
    elif spoil == "gone":
        table.unlink()
    else:
        record.rename(shelf / "elsewhere")
        record.symlink_to(shelf / "elsewhere")
    expected = {
        "parquet": "snapshot-changed",
        "record": "document-invalid",
        "record id": "version-name",
        "name": "version-name",
        "extra": "snapshot-extra",
        "gone": "snapshot-missing",
        "link": "snapshot-no-file",
    }
    assert {problem.code for problem in versions.faults(folder)} == {expected[spoil]}


def test_storing_again_what_was_damaged_is_not_said_to_be_fine(make: Callable[..., Path], shelf: Path) -> None:
    folder = make()
    name, _ = store(folder, shelf)
    (shelf / name / "BTC-USD.parquet").unlink()
    assert refused(lambda: store(folder, shelf)) == ["snapshot-missing"]


def test_a_folder_that_changes_while_it_is_copied_is_not_stored(
    make: Callable[..., Path], shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, other = make(1), make(2)
    copy = shutil.copyfile

    def copy_after_a_change(source: Path, target: Path, **options: bool) -> None:
        if source.name == "BTC-USD.parquet":
            copy(other / source.name, source)
        copy(source, target, **options)

    monkeypatch.setattr(shutil, "copyfile", copy_after_a_change)
    assert refused(lambda: store(folder, shelf)) == ["version-moved"]
    assert list(shelf.iterdir()) == []


def test_leftovers_of_killed_runs_are_swept_and_count_for_nothing(make: Callable[..., Path], shelf: Path) -> None:
    (shelf / ".new.killed00.partial").mkdir(parents=True)
    (shelf / ".new.killed00.partial" / manifest.NAME).write_text("{")
    assert versions.ids(shelf) == []
    name, _ = store(make(), shelf)
    assert [path.name for path in shelf.iterdir()] == [name]


def together(*commands: list[str]) -> list[tuple[int, str]]:
    """Run processes that wait until all are ready: exit codes and what they printed after it."""
    started = [
        subprocess.Popen([sys.executable, "-c", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for words in commands
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    answers = [process.communicate("go\n")[0] for process in started]
    return [(process.returncode, answer) for process, answer in zip(started, answers, strict=True)]


def test_several_processes_that_store_at_once_make_one_version(make: Callable[..., Path], shelf: Path) -> None:
    folder = make()
    ends = together(*([STORE, str(folder), str(shelf), f"process {number}"] for number in range(3)))
    assert [code for code, _ in ends] == [0, 0, 0]
    assert [said for _, said in ends].count("True\n") == 1
    (name,) = [path.name for path in shelf.iterdir()]
    assert versions.faults(shelf / name) == []


def test_two_processes_that_publish_at_once_leave_the_whole_of_one(
    make: Callable[..., Path], tmp_path: Path, params: Callable[..., SnapshotParams]
) -> None:
    target, wanted = tmp_path / "data/snapshot", params("BTC/USD").model_dump_json()
    sources = [make(seed).with_name(f"in{seed}") for seed in (1, 2)]
    ends = together(*([PUBLISH, str(source), str(target), wanted] for source in sources))
    assert ends == [(0, "")] * 2
    either = {candles.read_exact(tmp_path / f"out{seed}")[0].snapshot_id for seed in (1, 2)}
    assert candles.read_exact(target)[0].snapshot_id in either
    assert [path.name for path in target.parent.iterdir()] == ["snapshot"]


def test_kills_at_random_instants_leave_whole_snapshots_and_versions() -> None:
    command = [sys.executable, str(ROOT / "benchmarks/kill_versions.py"), "--kills", "60"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    counts = json.loads(answer.stdout)
    assert counts["n_kills"] == 60
    assert counts["n_kills_while_publishing"] > 0
    assert counts["n_kills_while_storing"] > 0
