"""Versions of the data travel by DVC, as docs/data_versions.md says."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from candlelock.contracts import files
from candlelock.contracts.version_documents import Author
from candlelock.snapshot import versions
from tests.pipeline.project import ROOT, Project

if TYPE_CHECKING:
    from pathlib import Path


def test_versions_are_added_pushed_and_pulled(built_project: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.root.mkdir()
    for name in (".gitignore", ".dvcignore"):
        shutil.copy(ROOT / name, project.root / name)
    project.git("init", "--quiet")
    project.dvc("init", "--quiet")
    project.dvc("remote", "add", "--quiet", "--default", "storage", str(tmp_path / "storage"))
    shelf, who = project.root / files.VERSIONS, Author(name="x", email=None)
    stored, _, _ = versions.store(built_project / files.SNAPSHOT, shelf, who, "2024-01-01T00:00:00Z", None)
    project.dvc("add", "--quiet", str(files.VERSIONS))
    project.commit("Share a version")
    assert project.git("ls-files", "data") == "data/versions.dvc"
    project.dvc("push", "--quiet")
    shutil.rmtree(shelf)
    shutil.rmtree(project.root / ".dvc/cache")
    project.dvc("pull", "--quiet")
    assert versions.ids(shelf) == [stored.snapshot_id]
    assert versions.faults(shelf / stored.snapshot_id) == []
    assert project.git("status", "--porcelain") == ""
