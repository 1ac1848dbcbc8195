"""Reads of test and trials that any reference of git knows of are found, also of experiments that were left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts import documents
from candlelock.audit.read_history import find_lost_trials, read_history
from candlelock.contracts.errors import EnvironmentFaultError
from candlelock.contracts.leakage_documents import TestRead, TestReads
from tests.trial_batches import TRIALS, batch, git, write_batch

if TYPE_CHECKING:
    from pathlib import Path

LEDGER = "ledger/direction/test_reads.json"


def read(number: int) -> TestRead:
    day = "2024-03-01T00:00:00Z"
    return TestRead(
        test_rows_sha256="0" * 64,
        predictions_sha256=f"{number:064x}",
        n_rows=9,
        first_decision_utc=day,
        last_label_end_utc=day,
    )


def write(root: Path, *numbers: int) -> None:
    documents.write(root / LEDGER, TestReads(reads=[read(number) for number in numbers]))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Reads 1 and 2 on main; 3 in an experiment that only a reference of its own holds; 4 in the working tree."""
    (tmp_path / LEDGER).parent.mkdir(parents=True)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    for numbers in ((1,), (1, 2)):
        write(tmp_path, *numbers)
        git(tmp_path, "add", "--all")
        git(tmp_path, "commit", "--quiet", "--message", "Read test")
    write(tmp_path, 1, 2, 3)
    git(tmp_path, "commit", "--quiet", "--all", "--message", "Experiment")
    git(tmp_path, "update-ref", "refs/exps/aa/bb/honest-owl", "HEAD")
    git(tmp_path, "reset", "--quiet", "--hard", "HEAD~1")
    write(tmp_path, 1, 2, 4)
    return tmp_path


def numbers(reads: list[TestRead]) -> set[int]:
    return {int(each.predictions_sha256, 16) for each in reads}


def test_commits_experiments_and_the_working_tree_count(project: Path) -> None:
    found = read_history(project, "direction")
    assert numbers(found) == {1, 2, 3, 4}
    assert len(found) == 4


def test_lines_that_were_deleted_by_hand_come_back(project: Path) -> None:
    write(project, 4)
    assert numbers(read_history(project, "direction")) == {1, 2, 3, 4}


def test_a_conflict_that_was_committed_loses_no_line(project: Path) -> None:
    text = (project / LEDGER).read_text()
    (project / LEDGER).write_text(f"<<<<<<< ours\n{text}=======\n{text.replace('4', '5')}>>>>>>> theirs\n")
    git(project, "commit", "--quiet", "--all", "--message", "Conflict")
    write(project, 1)
    assert numbers(read_history(project, "direction")) >= {1, 2, 3, 4, 5}


def test_outside_of_a_repository_there_is_the_file(tmp_path: Path) -> None:
    (tmp_path / LEDGER).parent.mkdir(parents=True)
    write(tmp_path, 7)
    assert numbers(read_history(tmp_path, "direction")) == {7}


def test_trials_of_an_experiment_and_deleted_ones_are_found(project: Path) -> None:
    kept, deleted = write_batch(project, 1, 2), write_batch(project, 3)
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Trials")
    (project / TRIALS / deleted).unlink()
    left = write_batch(project, 4, 5)
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Experiment")
    git(project, "update-ref", "refs/exps/aa/bb/vain-gull", "HEAD")
    git(project, "reset", "--quiet", "--hard", "HEAD~1")
    (project / TRIALS / deleted).unlink()
    assert (project / TRIALS / kept).is_file()
    assert find_lost_trials(project, "direction") == {deleted: batch(3), left: batch(4, 5)}
    write_batch(project, 3, 4, 5)  # the same trials in another batch
    assert find_lost_trials(project, "direction") == {}


def test_what_is_no_batch_is_passed_over(project: Path) -> None:
    write_batch(project, 1)
    (project / TRIALS / "notes.json").write_text("<<<<<<< ours")
    (project / TRIALS / ".DS_Store").write_bytes(b"\x00\xff\xfe")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Trials")
    (project / TRIALS / "notes.json").unlink()
    (project / TRIALS / ".DS_Store").unlink()
    assert find_lost_trials(project, "direction") == {}
    assert find_lost_trials(project, "another") == {}


def test_outside_of_a_repository_no_trial_is_lost(tmp_path: Path) -> None:
    write_batch(tmp_path, 1)
    assert find_lost_trials(tmp_path, "direction") == {}


def test_a_repository_that_git_cannot_read_is_an_error_and_not_silence(project: Path) -> None:
    (project / ".git/HEAD").write_text("broken")
    for ask in (find_lost_trials, read_history):
        with pytest.raises(EnvironmentFaultError, match="not a git repository") as raised:
            ask(project, "direction")
        assert raised.value.problems[0].code == "git-unreadable"
