"""`candlelock trials`: what was tried, and what of it only git remembers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.trial_batches import TRIALS, git, write_batch

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

PARAMS = Path(__file__).resolve().parents[3] / "params.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Trials 1 and 2 on main; 2, 3 and 4 in an experiment that only a reference of its own holds."""
    shutil.copy(PARAMS, tmp_path)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    for numbers in ((1, 2), (2, 3, 4)):
        write_batch(tmp_path, *numbers)
        git(tmp_path, "add", "--all")
        git(tmp_path, "commit", "--quiet", "--message", "Try")
    git(tmp_path, "update-ref", "refs/exps/aa/bb/sole-heron", "HEAD")
    git(tmp_path, "reset", "--quiet", "--hard", "HEAD~1")
    return tmp_path


def test_what_only_git_remembers_is_told_and_joined(project: Path, candlelock: Run) -> None:
    code, out, _ = candlelock("trials", "--root", project, "--json")
    (head,) = json.loads(out)
    assert code == 1
    assert (head["n_trials"], head["n_search"], head["n_trials_in_git_alone"]) == (2, 2, 2)
    assert (len(head["batches"]), len(head["batches_in_git_alone"])) == (1, 1)
    code, out, _ = candlelock("trials", "--root", project)
    assert code == 1
    assert "1 batches in git alone: --join adds them" in out

    code, out, _ = candlelock("trials", "--root", project, "--join")
    assert (code, "dvc repro" in out) == (0, True)
    code, out, _ = candlelock("trials", "--root", project, "--json")
    (head,) = json.loads(out)
    assert (code, head["n_trials"], head["n_trials_in_git_alone"], len(head["batches"])) == (0, 4, 0, 2)


def test_a_joined_batch_has_the_bytes_it_had(project: Path, candlelock: Run) -> None:
    candlelock("trials", "--root", project, "--join")
    git(project, "add", "--all")
    added = git(project, "ls-files", "--stage", TRIALS)
    assert added == git(
        project,
        "ls-tree",
        "-r",
        "--format=%(objectmode) %(objectname) 0%x09%(path)",
        "refs/exps/aa/bb/sole-heron",
        TRIALS,
    )
