"""One built project for all tests that only read it or work in a copy."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from tests.pipeline import project
from tests.pipeline.project import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A committed project after `dvc repro`; built once, also for several workers. Do not change it."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "dvc-project"
    with FileLock(f"{root}.lock"):
        if not (root / "dvc.lock").is_file():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir(parents=True)
            fresh = project.create(root)
            fresh.dvc("repro")
            fresh.commit("Build")
    return Project(root)


@pytest.fixture
def copy(built: Project, tmp_path: Path) -> Project:
    """The built project in a folder of its own, cache included."""
    shutil.copytree(built.root, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")
