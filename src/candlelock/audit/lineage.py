"""What was built from a snapshot: the Model Cards that name it, and the revisions whose dvc.lock names its files."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from candlelock.artifacts import documents
from candlelock.card.build import digest
from candlelock.contracts.card_document import ModelCard
from candlelock.snapshot import manifest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CARDS = "reports/*/model_card.json"


@dataclass(frozen=True)
class CardUse:
    """A card and the snapshot its model was trained on. `is_intact`: its digest is that of its content."""

    path: Path
    model: str
    head: str
    snapshot_id: str
    is_intact: bool


def read_cards(paths: Iterable[Path]) -> list[CardUse]:
    """What each card says. InputError when one is missing or broken."""
    cards = ((path, documents.read(path, ModelCard)) for path in paths)
    return [
        CardUse(path, card.model_name, card.head, card.train.snapshot_id, digest(card) == card.digest)
        for path, card in cards
    ]


def revisions_with(folder: Path, root: Path) -> list[str]:
    """Commits in the history of `root` whose dvc.lock names exactly the files of a snapshot folder, newest first.

    Empty without git. Files count, not candles: the same candles under another manifest are another folder to DVC.
    """
    commits = _git(root, "log", "--format=%H", "--", "dvc.lock").split()
    if not commits:
        return []
    hits = _git(root, "grep", "-l", "--fixed-strings", f"md5: {dvc_hash(folder)}", *commits, "--", "dvc.lock")
    named = {line.partition(":")[0] for line in hits.splitlines()}
    return [commit for commit in commits if commit in named]


def dvc_hash(folder: Path) -> str:
    """The hash DVC gives to a snapshot folder, without the record of a version. Source: DVC's `.dir` objects."""
    files = sorted(path for path in folder.iterdir() if path.name != manifest.RECORD)
    listed = [{"md5": hashlib.md5(path.read_bytes()).hexdigest(), "relpath": path.name} for path in files]  # noqa: S324
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"  # noqa: S324


def _git(root: Path, *arguments: str) -> str:
    """Standard output; empty where git fails or is not there."""
    try:
        answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return answer.stdout
