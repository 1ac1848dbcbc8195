"""What the project's history knows of the ledgers: commits, branches and experiments that never came back."""

from __future__ import annotations

import contextlib
import re
import subprocess
from typing import TYPE_CHECKING

from pydantic import ValidationError

from candlelock.artifacts import documents
from candlelock.contracts import files
from candlelock.contracts.errors import EnvironmentFaultError, Problem
from candlelock.contracts.leakage_documents import TestRead, TestReads
from candlelock.contracts.trial_documents import TrialBatch
from candlelock.evaluate.trial_ledger import batch_file, read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_history(root: Path, head: str) -> list[TestRead]:
    """The lines of the ledger as it lies below `root`, and of every version of it that any git reference reaches.

    `dvc exp run` keeps its results under such references, those of `--temp` and `--queue` too. Outside of a git
    repository there is only the file. Raises EnvironmentFaultError where there is one that git cannot read.
    """
    path = files.HeadFiles(head).test_reads
    reads = list(documents.read(root / path, TestReads).reads)
    for blob in _versions(root, path):
        content = _git(root, "cat-file", "blob", blob)
        reads += [each for each in _lines(content) if each not in reads]
    return reads


def find_lost_trials(root: Path, head: str) -> dict[str, TrialBatch]:
    """Batches of the ledger of trials, by the name of their file, that git references reach and that tell of trials the
    ledger below `root` lacks. A version that is no batch is none. Raises EnvironmentFaultError as `read_history` does.
    """
    path = files.HeadFiles(head).trials
    known = set(read_ledger(root / path))
    found = {}
    for blob in _versions(root, path):
        with contextlib.suppress(ValidationError):
            batch = TrialBatch.model_validate_json(_git(root, "cat-file", "blob", blob))
            if not known.issuperset(batch.records):
                found[batch_file(batch)] = batch
    return found


def _lines(content: str) -> Iterator[TestRead]:
    """Every line of a version of the ledger that can be read: a conflict that was committed loses none of them."""
    for text in re.findall(r"\{[^{}]*\}", content):
        with contextlib.suppress(ValidationError):
            yield TestRead.model_validate_json(text)


def _versions(root: Path, path: Path) -> list[str]:
    """Names of the blobs that the file, or those of the folder, ever were, the latest first."""
    if not any((folder / ".git").exists() for folder in (root.absolute(), *root.absolute().parents)):
        return []
    lines = _git(root, "log", "--all", "--format=", "--raw", "--no-abbrev", "-m", "--", str(path)).splitlines()
    blobs = [line.split()[3] for line in lines if line.startswith(":")]
    return [blob for blob in dict.fromkeys(blobs) if set(blob) != {"0"}]


def _git(root: Path, *arguments: str) -> str:
    """What git says, undecodable bytes replaced."""
    command = ["git", *arguments]
    try:
        ended = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except FileNotFoundError:
        raise _fault(root, "no git on the PATH") from None
    if ended.returncode:
        raise _fault(root, ended.stderr.strip() or f"exit code {ended.returncode}")
    return ended.stdout


def _fault(root: Path, found: str) -> EnvironmentFaultError:
    expected, help_line = "the history of the ledgers", "install git, or mend the repository (`git fsck`)"
    return EnvironmentFaultError(Problem("git-unreadable", str(root.absolute()), found, expected, help_line))
