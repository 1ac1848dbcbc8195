"""Who was built from a snapshot: Model Cards by its id, git revisions by DVC's hash of its files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts import documents
from candlelock.audit import lineage
from candlelock.contracts import files
from candlelock.contracts.errors import InputError
from candlelock.contracts.version_documents import Author
from candlelock.snapshot import manifest, versions
from tests.pipeline import project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DVC_YAML = (
    "stages: {snapshot: {cmd: mkdir -p data && cp -r candles data/snapshot, deps: [candles], outs: [data/snapshot]}}"
)


@pytest.fixture
def stored(built_project: Path, tmp_path: Path) -> Path:
    """The built project's snapshot as a version."""
    found, _, _ = versions.store(
        built_project / files.SNAPSHOT, tmp_path / "shelf", Author(name="x", email=None), "2024-01-01T00:00:00Z", None
    )
    return tmp_path / "shelf" / found.snapshot_id


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Run a command in a git and DVC project of its own."""
    root = tmp_path / "project"
    root.mkdir()

    def call(*words: str) -> str:
        answer = subprocess.run(
            words, cwd=root, env=project.environment(root), capture_output=True, text=True, check=True
        )
        return answer.stdout.strip()

    call("git", "init", "--quiet")
    call(sys.executable, "-m", "dvc", "init", "--quiet")
    (root / "dvc.yaml").write_text(DVC_YAML)
    return call


def build(run: Callable[..., str], root: Path, snapshot: Path) -> str:
    """Let DVC take a snapshot in; the revision that has it in dvc.lock."""
    shutil.rmtree(root / "candles", ignore_errors=True)
    shutil.copytree(snapshot, root / "candles", ignore=shutil.ignore_patterns(manifest.RECORD))
    run(sys.executable, "-m", "dvc", "repro", "--quiet")
    run("git", "add", "dvc.yaml", "dvc.lock")
    run("git", "commit", "--quiet", "--message", "Build")
    return run("git", "rev-parse", "HEAD")


def test_cards_say_which_snapshot_they_were_trained_on(built_project: Path, tmp_path: Path) -> None:
    path = built_project / "reports/direction/model_card.json"
    snapshot_id = json.loads((built_project / files.MANIFEST).read_text())["snapshot_id"]
    (use,) = lineage.read_cards(built_project.glob(lineage.CARDS))
    assert (use.path, use.head, use.snapshot_id, use.is_intact) == (path, "direction", snapshot_id, True)
    card = json.loads(path.read_text())
    card["train"]["snapshot_id"] = "0" * 64
    (tmp_path / "edited.json").write_bytes(documents.to_bytes(card))
    (use,) = lineage.read_cards([tmp_path / "edited.json"])
    assert (use.snapshot_id, use.is_intact) == ("0" * 64, False)
    with pytest.raises(InputError, match="document-missing"):
        lineage.read_cards([tmp_path / "none.json"])


def test_revisions_are_those_whose_lock_names_the_very_files(
    stored: Path, run: Callable[..., str], tmp_path: Path
) -> None:
    root = tmp_path / "project"
    first = build(run, root, stored)
    other = tmp_path / "other"
    shutil.copytree(stored, other, ignore=shutil.ignore_patterns(manifest.RECORD))
    (other / manifest.NAME).write_text((other / manifest.NAME).read_text() + "\n")
    build(run, root, other)
    again = build(run, root, stored)
    assert lineage.revisions_with(stored, root) == [again, first]
    assert lineage.revisions_with(other, root) == [run("git", "rev-parse", "HEAD~1")]
    (other / manifest.NAME).write_text("")
    assert lineage.revisions_with(other, root) == []


def test_without_git_or_lock_there_are_no_revisions(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert lineage.revisions_with(stored, tmp_path) == []
    monkeypatch.setenv("PATH", str(tmp_path))
    assert lineage.revisions_with(stored, tmp_path) == []
