"""A write appears whole or not at all, whatever stops it: an error, a kill at any step, a reader in between."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts import atomic

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = {"a.txt": "old", "b.txt": "old"}, {"a.txt": "new", "sub/c.txt": "new"}
KILL_AT_EVERY_STEP = """
import json, os, signal, sys
from pathlib import Path
from candlelock.artifacts import atomic

OLD, NEW = json.loads(sys.argv[2])
root = Path(sys.argv[1])
seen, last = 0, 0

def kill_at(event, args):
    global seen
    if event == "open" or event.startswith(("os.", "shutil.", "tempfile.", "ctypes.")):
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)

def fill(folder, content):
    for name, text in content.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)

for last in range(1, 500):
    target = root / str(last) / "out"
    if sys.argv[3] == "over":
        target.mkdir(parents=True)
        fill(target, OLD)
    child = os.fork()
    if child == 0:
        sys.addaudithook(kill_at)
        with atomic.replacing_folder(target) as fresh:
            fill(fresh, NEW)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(last)
"""


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def fill(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_replaced_and_readable_by_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "x.json"
    atomic.write_bytes(path, b"one")
    atomic.write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert mode(path) == 0o644
    assert [each.name for each in path.parent.iterdir()] == ["x.json"]


def test_a_crash_while_writing_a_file_leaves_the_old_one_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="full"), atomic.replacing(path) as temporary:
        temporary.write_bytes(b"half of")
        raise RuntimeError("disk full")
    assert content(tmp_path) == {"x.json": "old"}


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "out"
    for files in (OLD, NEW):
        with atomic.replacing_folder(folder) as fresh:
            fill(fresh, files)
            assert content(folder) == ({} if files is OLD else OLD)
        assert content(folder) == files
    assert mode(folder) == 0o755
    assert [each.name for each in folder.parent.iterdir()] == ["out"]


def test_a_crash_while_filling_a_folder_leaves_the_old_one_and_no_litter(tmp_path: Path) -> None:
    fill(tmp_path / "out", OLD)
    with pytest.raises(RuntimeError, match="full"), atomic.replacing_folder(tmp_path / "out") as fresh:
        fill(fresh, NEW)
        raise RuntimeError("disk full")
    assert [each.name for each in tmp_path.iterdir()] == ["out"]
    assert content(tmp_path / "out") == OLD


@pytest.mark.parametrize("start", ["over", "first"])
def test_a_kill_at_any_step_leaves_old_or_new_and_the_next_run_sweeps(start: str, tmp_path: Path) -> None:
    arguments = [str(tmp_path), json.dumps([OLD, NEW]), start]
    answer = subprocess.run(
        [sys.executable, "-c", KILL_AT_EVERY_STEP, *arguments], capture_output=True, text=True, check=True
    )
    n_steps = int(answer.stdout)
    ends = []
    for step in range(1, n_steps):
        folder = tmp_path / str(step) / "out"
        ends.append(content(folder) if folder.exists() else {})
        with atomic.replacing_folder(folder) as fresh:
            fill(fresh, NEW)
        assert [each.name for each in folder.parent.iterdir()] == ["out"]
        assert content(folder) == NEW
    before = OLD if start == "over" else {}
    n_before = sum(end == before for end in ends)
    assert ends == [before] * n_before + [NEW] * (len(ends) - n_before)
    assert n_before >= 5  # killed while filling, syncing, renaming
    assert start == "first" or n_before < len(ends)  # and while the old content was thrown away


def test_a_folder_is_replaced_where_the_system_cannot_exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    fill(tmp_path / "out", OLD)
    with atomic.replacing_folder(tmp_path / "out") as fresh:
        fill(fresh, NEW)
    assert content(tmp_path / "out") == NEW
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_other_folders_and_their_litter_are_left_alone(tmp_path: Path) -> None:
    others = {".output.abc45678.partial/x": "", "out2/x": "", ".out.backup/x": ""}
    fill(tmp_path, {**others, ".out.abc45678.partial/x": "own litter"})
    with atomic.replacing_folder(tmp_path / "out") as fresh:
        fill(fresh, NEW)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        ".out.backup",
        ".output.abc45678.partial",
        "out",
        "out2",
    ]


def test_a_folder_that_is_there_is_not_added_again(tmp_path: Path) -> None:
    for files in (OLD, NEW):
        with atomic.adding_folder(tmp_path / "out") as fresh:
            fill(fresh, files)
    assert content(tmp_path / "out") == OLD
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_another_run_is_filling_is_not_swept(tmp_path: Path) -> None:
    with atomic.replacing_folder(tmp_path / "out") as first:
        fill(first, OLD)
        with atomic.replacing_folder(tmp_path / "out") as second:
            fill(second, NEW)
        assert content(tmp_path / "out") == NEW
        assert content(first) == OLD
    assert content(tmp_path / "out") == OLD
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_of_two_runs_that_add_the_first_to_finish_stays(tmp_path: Path) -> None:
    with atomic.adding_folder(tmp_path / "out") as first:
        fill(first, OLD)
        with atomic.adding_folder(tmp_path / "out") as second:
            fill(second, NEW)
    assert content(tmp_path / "out") == NEW
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_readers_see_whole_files_only(tmp_path: Path) -> None:
    path, versions = tmp_path / "x.bin", [bytes([number]) * 300_000 for number in range(3)]
    atomic.write_bytes(path, versions[0])
    seen: set[bytes] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    readers = [threading.Thread(target=watch) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(40):
        atomic.write_bytes(path, versions[number % 3])
    done.set()
    for reader in readers:
        reader.join()
    assert seen <= set(versions)
    assert len(seen) > 1
