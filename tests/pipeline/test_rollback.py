"""Back to an earlier revision and forth again, from a remote, in a fresh clone: every hash and every answer."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.pipeline import project
from tests.pipeline.project import Project

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = """
import hashlib
from pathlib import Path
from candlelock.artifacts import numeric_environment
numeric_environment.lock()
from candlelock.artifacts.user_files import read_params
from candlelock.serve.bundle import load_bundle
from candlelock.split.joined import read_matrix
_, x, _ = read_matrix(Path(), "direction", read_params(Path()).features)
print(hashlib.sha256(load_bundle(Path("models/direction")).predict(x[-200:]).tobytes()).hexdigest())
"""


def test_checkout_and_pull_bring_back_hashes_and_answers(copy: Project, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    copy.dvc("remote", "add", "--default", "storage", str(remote))
    copy.dvc("freeze", "controls")  # they cost as much as all the rest
    first = copy.commit("Name a remote")
    copy.dvc("push")
    states = {first: _state(copy)}

    project.write_candles(copy.root, "BBB/USD", seed=77)
    project.change_params(copy.root, {"train": {"lightgbm": {"num_leaves": 5}}})
    copy.dvc("repro")
    second = copy.commit("Other candles, another model")
    copy.dvc("push")
    states[second] = _state(copy)
    assert states[first] != states[second]

    subprocess.run(["git", "clone", "--quiet", str(copy.root), str(tmp_path / "clone")], check=True)
    clone = Project(tmp_path / "clone")
    for revision in (first, second, first):
        clone.git("checkout", "--quiet", revision)
        clone.dvc("pull")
        assert _state(clone) == states[revision]


def _state(at: Project) -> dict[str, str]:
    """Hash of every output file as it lies there, and of the answers the bundle gives."""
    outputs = [
        path
        for folder in ("data/snapshot", "data/features", "data/split", "data/predictions", "models", "reports")
        for path in _files(at, folder)
    ]
    answers = at.run(sys.executable, "-c", ANSWER).stdout.strip()
    return {str(path.relative_to(at.root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in outputs} | {
        "answers": answers
    }


def _files(at: Project, folder: str) -> list[Path]:
    return sorted(path for path in (at.root / folder).rglob("*") if path.is_file() and path.name != ".gitignore")
