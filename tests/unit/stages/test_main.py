"""The entry point of the stages: exit codes, nothing lost on an error, and no stage that outlives its parent."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
STAND_IN = """
import os, sys, time
from pathlib import Path
from stages.__main__ import die_with_parent
die_with_parent(os.getppid())
Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(600)
"""
PARENT = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", *sys.argv[1:]]).wait()
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "stages", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def outputs(root: Path) -> dict[str, str]:
    folders = ("data", "models", "reports")
    files = [path for folder in folders for path in sorted((root / folder).rglob("*")) if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(
    "words",
    [(), ("features", "direction"), ("tune",), ("tune", "direction", "more"), ("feature",), ("--help",), ("",)],
    ids=" ".join,
)
def test_wrong_usage_says_how_and_exits_with_2(words: tuple[str, ...], tmp_path: Path) -> None:
    answer = run(tmp_path, *words)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("usage: python -m stages {snapshot,quality,features,causality,split,controls}\n")
    per_head = "select,tune,train,calibrate,evaluate,backtest,significance,audit,bench,card"
    assert answer.stderr.endswith(f"{{{per_head}}} HEAD\n")


def test_without_params_it_says_where_to_run(tmp_path: Path) -> None:
    answer = run(tmp_path, "snapshot")
    assert answer.returncode == 2
    assert "error[yaml-missing] params.yaml" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def edit(file: str, old: str, new: str) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new, 1))

    return change


@pytest.mark.parametrize(
    ("words", "spoil", "said"),
    [
        (("evaluate", "directoin"), lambda _: None, ["error[head-unknown] params.yaml:", "did you mean 'direction'?"]),
        (("split",), edit("params.yaml", "n_folds: ", "n_folds: -"), ["split.n_folds", "greater than or equal to 2"]),
        (("features",), edit("features.yml", "group: trend", "group: trends"), ["features.yml:", ".group"]),
        (
            ("features",),
            edit("features.yml", "name: weekday", "name: week_day"),
            ["features.yml:", "week_day", "feature-w"],
        ),
        (("evaluate", "direction"), edit("reports/direction/training.json", '"n_up"', '"n_ups"'), ["training.json"]),
        (
            ("card", "direction"),
            lambda root: (root / "models/direction/stack.json").unlink(),
            ["stack.json", "no file"],
        ),
    ],
    ids=["unknown head", "params", "registry", "feature without function", "document", "artifact missing"],
)
def test_bad_input_is_one_clear_error_and_earlier_outputs_stay(
    words: tuple[str, ...], spoil: Callable[[Path], object], said: list[str], project_copy: Path
) -> None:
    spoil(project_copy)
    before = outputs(project_copy)
    answer = run(project_copy, *words)
    assert answer.returncode == 2
    for text in ("error[", "found", "expected", "help", *said):
        assert text in answer.stderr
    assert "Traceback" not in answer.stderr
    assert outputs(project_copy) == before


@pytest.mark.parametrize("words", [("features",), ("evaluate", "direction"), ("card", "direction")], ids=" ".join)
def test_a_stage_run_again_writes_the_same_bytes_under_another_hash_seed_zone_and_locale(
    words: tuple[str, ...], project_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = outputs(project_copy)
    for name, value in (("PYTHONHASHSEED", "5"), ("TZ", "Asia/Tokyo"), ("LC_ALL", "C"), ("OMP_NUM_THREADS", "2")):
        monkeypatch.setenv(name, value)
    answer = run(project_copy, *words)
    assert answer.returncode == 0, answer.stderr
    assert outputs(project_copy) == before


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal at a parent's death is Linux's")
def test_a_stage_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, STAND_IN, str(note)], cwd=ROOT)
    stage = _read_pid(note)
    assert _is_alive(stage)
    parent.kill()
    parent.wait()
    try:
        _wait_until(lambda: not _is_alive(stage))
    finally:
        if _is_alive(stage):
            os.kill(stage, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal at a parent's death is Linux's")
def test_a_stage_whose_parent_is_gone_already_does_not_start() -> None:
    code = "from stages.__main__ import die_with_parent\ndie_with_parent(1 << 30)\nprint('started')"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "is gone" in answer.stderr


def _read_pid(note: Path) -> int:
    _wait_until(lambda: note.is_file() and note.read_text() != "")
    return int(note.read_text())


def _is_alive(pid: int) -> bool:
    """Running, not a zombie that nobody has reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
