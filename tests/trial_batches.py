"""Batches of the ledger of trials in a git repository of a test's own."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from candlelock.artifacts import documents
from candlelock.contracts.trial_documents import TrialBatch, TrialRecord
from candlelock.evaluate.trial_ledger import batch_file

if TYPE_CHECKING:
    from pathlib import Path

TRIALS = "ledger/direction/trials"


def git(root: Path, *arguments: str) -> str:
    who = {f"GIT_{name}": "tester@example.org" for name in ("AUTHOR_NAME", "AUTHOR_EMAIL")}
    who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
    environment = os.environ | who | {"GIT_CONFIG_GLOBAL": os.devnull}
    answer = subprocess.run(["git", *arguments], cwd=root, env=environment, capture_output=True, text=True, check=True)
    return answer.stdout.strip()


def batch(*numbers: int) -> TrialBatch:
    records = [
        TrialRecord(
            kind="search",
            head="direction",
            subject_sha256=f"{number:064x}",
            read_sha256=None,
            learner="lightgbm",
            loss=0.69,
            daily_sharpe=None,
            n_days=None,
        )
        for number in numbers
    ]
    return TrialBatch(records=records)


def write_batch(root: Path, *numbers: int) -> str:
    name = batch_file(batch(*numbers))
    (root / TRIALS).mkdir(parents=True, exist_ok=True)
    documents.write(root / TRIALS / name, batch(*numbers))
    return name
