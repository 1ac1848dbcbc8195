"""The numeric environment of the stages, and one small project built in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from candlelock.artifacts import numeric_environment

numeric_environment.lock()  # before any test module imports NumPy: figures derived here have the stages' bits
# Shared with copies of the project; of each worker, as numba's index of signatures does not bear two writers.
CACHE = Path(__file__).parents[1] / ".pytest_cache/numba" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
os.environ.setdefault("NUMBA_CACHE_DIR", str(CACHE))

from tests.pipeline import project  # noqa: E402
from tests.pipeline.project import Project  # noqa: E402


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A committed project on planted candles after `dvc repro`; built once, also for several workers.

    Do not change it: `copy` and `project_copy` are there for that.
    """
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
    """The built project in a folder of its own, git and DVC's cache included."""
    shutil.copytree(built.root, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def built_project(built: Project) -> Path:
    """The folder of the built project, for tests that need neither git nor DVC. Do not change it."""
    return built.root


@pytest.fixture
def project_copy(built_project: Path, tmp_path: Path) -> Path:
    """The built project's files in a folder of their own."""
    root = tmp_path / "project"
    shutil.copytree(built_project, root, ignore=shutil.ignore_patterns(".git", ".dvc"))
    return root
