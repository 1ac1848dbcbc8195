"""The numeric environment of the stages, and one small project built by them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from candlelock.artifacts import numeric_environment

numeric_environment.lock()  # before any test module imports NumPy: figures derived here have the stages' bits

from tests.pipeline import project  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

RUN_STAGES = """
import sys
from stages import __main__ as stages
for name in stages.WHOLE:
    assert stages.main([name]) == 0
for name in stages.PER_HEAD:
    assert stages.main([name, "direction"]) == 0
"""


@pytest.fixture(scope="session")
def built_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on planted candles after every stage has run, without dvc; built once, also for several workers.

    Do not change it: `project_copy` is there for that.
    """
    own = tmp_path_factory.getbasetemp()
    root = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "stages-project"
    with FileLock(f"{root}.lock"):
        if not (root / "reports/direction/model_card.json").is_file():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir(parents=True)
            project.create(root)
            command = [sys.executable, "-c", RUN_STAGES]
            answer = subprocess.run(
                command, cwd=root, env=project.environment(root), capture_output=True, text=True, check=False
            )
            if answer.returncode:
                raise AssertionError(answer.stderr)
    return root


@pytest.fixture
def project_copy(built_project: Path, tmp_path: Path) -> Path:
    """The built project in a folder of its own."""
    root = tmp_path / "project"
    shutil.copytree(built_project, root, ignore=shutil.ignore_patterns(".git"))
    return root
