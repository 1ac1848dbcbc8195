"""The finished trials of a search that is under way, kept on disk, so that one that was killed goes on where it was.

The file is an Optuna journal, one line for each trial that ended, so that Optuna's tools can watch it. What a trial
found stands beside a hash that covers the trials before it, and the first one's covers everything the search follows
from: a journal that was damaged, or made of anything else, is never continued.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.resources
import platform
import shutil
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import optuna
import sklearn
import xgboost
from filelock import FileLock, Timeout
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from pydantic import ValidationError

from candlelock.artifacts import atomic
from candlelock.artifacts.hashing import sha256_json
from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.study_documents import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from optuna.trial import FrozenTrial

PACKAGE = "candlelock.train"
LIBRARIES = (lightgbm, np, optuna, sklearn, xgboost)  # whose versions a trial's losses depend on
DAMAGE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, optuna.exceptions.OptunaError)
optuna.logging.set_verbosity(optuna.logging.WARNING)


class StudyFile:
    """The journal of one search; `key`: hash of everything that its trials follow from."""

    def __init__(self, folder: Path, name: str, key: str) -> None:
        self.path = folder / f"{name}-{key[:16]}.log"
        self._name, self._key, self._digest = name, key, key
        with atomic.naming_disk_faults(self.path):
            folder.mkdir(parents=True, exist_ok=True)
            self.path.with_name(f"{self.path.name}.lock").unlink(missing_ok=True)  # a killed run's; nobody else is here
            _cut_torn_line(self.path)
            self._study = self._open()

    def trials(self) -> list[Trial]:
        """The trials kept so far, in their order. Raises InputError where the file is damaged."""
        kept = []
        self._digest = self._key
        for number, frozen in enumerate(self._study.get_trials(deepcopy=False)):
            try:
                trial = Trial.model_validate(frozen.user_attrs["trial"])
            except (KeyError, ValidationError) as error:
                raise self._damaged(f"trial {number} cannot be read") from error
            self._digest = _chain(self._digest, trial)
            if frozen.user_attrs.get("digest") != self._digest or trial.number != number:
                raise self._damaged(f"trial {number} is not as it was kept")
            kept.append(trial)
        return kept

    def keep(self, trial: Trial, frozen: FrozenTrial) -> None:
        """Add a trial that has ended, as the report has it and as Optuna does."""
        self._digest = _chain(self._digest, trial)
        frozen.user_attrs = {"trial": trial.model_dump(mode="json"), "digest": self._digest}
        with atomic.naming_disk_faults(self.path):
            self._study.add_trial(frozen)

    def _open(self) -> optuna.Study:
        try:
            storage = JournalStorage(JournalFileBackend(str(self.path)))
            return optuna.create_study(storage=storage, study_name=self._name, load_if_exists=True)
        except DAMAGE as error:
            raise self._damaged(f"no journal of trials: {error}") from error

    def _damaged(self, found: str) -> InputError:
        help_line = "delete the file: the search begins anew and ends the same"
        return InputError(Problem("search-damaged", str(self.path), found, "the trials as they were kept", help_line))


@contextlib.contextmanager
def study_files(folder: Path) -> Iterator[Callable[[str, str], StudyFile]]:
    """Yield what opens the file of a learner by name and key, for one process at a time.

    On a clean exit all of the folder is deleted, those of other keys too; otherwise it is kept for the next run. Raises
    InputError while another process searches there.
    """
    with atomic.naming_disk_faults(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{folder}.lock", timeout=0):
            yield lambda name, key: StudyFile(folder, name, key)
            shutil.rmtree(folder, ignore_errors=True)
    except Timeout:
        found, help_line = "another process is searching for the same head", "wait for it to end"
        raise InputError(Problem("search-busy", str(folder), found, "one process at a time", help_line)) from None


def find_key(settings: dict[str, Any], arrays: Iterable[np.ndarray], libraries: Iterable[Any] = ()) -> str:
    """Hash of all that a search's trials follow from: settings, rows, this package's code, versions of libraries.

    `libraries`: optional packages that this search uses.
    """
    rows = hashlib.sha256()
    for array in arrays:
        rows.update(repr((array.shape, array.dtype.str)).encode())
        rows.update(np.ascontiguousarray(array).data)
    versions = {library.__name__: library.__version__ for library in (*LIBRARIES, *libraries)}
    versions["python"] = platform.python_version()
    return sha256_json([settings, rows.hexdigest(), versions, _code_digest(importlib.resources.files(PACKAGE))])


def _code_digest(folder: Traversable) -> list[Any]:
    """Names and hashes of the Python below a package."""
    found: list[Any] = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".py"):
            found.append([path.name, hashlib.sha256(path.read_bytes()).hexdigest()])
        elif path.is_dir() and path.name != "__pycache__":
            found.append([path.name, _code_digest(path)])
    return found


def _chain(before: str, trial: Trial) -> str:
    return sha256_json([before, trial.model_dump(mode="json")])


def _cut_torn_line(path: Path) -> None:
    """Take off what a kill left of a line: its trial is run again."""
    content = path.read_bytes() if path.is_file() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with path.open("r+b") as handle:
            handle.truncate(len(whole))
