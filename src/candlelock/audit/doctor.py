"""What state the machine and the project are in: versions, missing parts, threads, git and DVC."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Literal

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from candlelock.artifacts.numeric_environment import LOCKED
from candlelock.contracts import files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Status = Literal["ok", "note", "fault"]
TIMEOUT_SECONDS = 60
NUMERIC = ("candlelock", "numpy", "pandas", "pyarrow", "scikit-learn", "lightgbm", "xgboost-cpu", "torch", "optuna")
OPTIONAL = ("catboost", "hyperopt")


@dataclass(frozen=True)
class Symptom:
    """One thing looked at. `note` needs no action for a run; `fault` does."""

    name: str
    status: Status
    found: str
    help: str = ""


def examine(root: Path, environment: Mapping[str, str]) -> Iterator[Symptom]:
    """Look at everything, one symptom at a time."""
    yield _python()
    yield from _packages()
    yield _versions()
    yield _lock(root / "requirements.lock")
    yield Symptom("threads", "ok", f"{os.cpu_count()} cores; trees use `threads` of params.yaml, the rest one")
    yield _numeric(environment)
    yield from _git(root)
    yield from _dvc(root)
    wheels = sorted(path.name for path in (root / files.DOWNLOADS).glob("*.whl"))
    yield Symptom(
        "sample", "ok" if wheels else "note", wheels[0] if wheels else "not fetched yet", "`dvc repro` fetches it"
    )


def _python() -> Symptom:
    version = platform.python_version()
    fits = sys.version_info[:2] == (3, 11)
    return Symptom("python", "ok" if fits else "fault", version, "the lock is made for Python 3.11")


def _packages() -> Iterator[Symptom]:
    """The packages candlelock asks for: missing, or outside the versions it allows."""
    faults, n_fine = [], 0
    for line in metadata.requires("candlelock") or []:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = _installed().get(canonicalize_name(requirement.name))
        if found is None:
            faults.append(Symptom(requirement.name, "fault", "missing", "make setup"))
        elif not requirement.specifier.contains(found, prereleases=True):
            faults.append(Symptom(requirement.name, "fault", f"{found}, {requirement.specifier} needed", "make setup"))
        else:
            n_fine += 1
    yield Symptom("packages", "ok", f"{n_fine} of {n_fine + len(faults)} as required")
    yield from faults


def _versions() -> Symptom:
    """Versions of the libraries whose bytes end up in the artifacts."""
    installed = _installed()
    names = (*NUMERIC, *(name for name in OPTIONAL if name in installed))
    return Symptom("versions", "ok", ", ".join(f"{name} {installed.get(name, 'missing')}" for name in names))


def _installed() -> dict[str, str]:
    """Name -> version; the nameless remains of a broken installation are left out."""
    named = ((part.metadata["Name"], part) for part in metadata.distributions())
    return {canonicalize_name(name): part.version for name, part in named if name}


def _lock(path: Path) -> Symptom:
    """Installed versions against the lock; other versions may give other bytes."""
    if not path.is_file():
        return Symptom("lock", "fault", "no requirements.lock", "run from the project's root")
    pins = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE))
    installed = _installed()
    other = sorted(
        name for name, pin in pins.items() if installed.get(canonicalize_name(name), "").split("+")[0] != pin
    )
    if not other:
        return Symptom("lock", "ok", f"all {len(pins)} pins installed")
    return Symptom("lock", "note", f"{len(other)} of {len(pins)} pins differ: {', '.join(other[:5])}", "make setup")


def _numeric(environment: Mapping[str, str]) -> Symptom:
    """Variables a stage will override; only worth knowing when comparing bytes outside the stages."""
    other = sorted(name for name, value in LOCKED.items() if environment.get(name, value) != value)
    found = f"overridden in stages: {', '.join(other)}" if other else "nothing in the way"
    return Symptom("numeric environment", "note" if other else "ok", found, "stages set their own")


def _git(root: Path) -> Iterator[Symptom]:
    if shutil.which("git") is None:
        yield Symptom("git", "fault", "not found", "install git")
        return
    code, head = _ask(root, "git", "rev-parse", "--short", "HEAD")
    if code:
        yield Symptom("git", "fault", "no revision here", "run inside a clone")
        return
    changed = len(_ask(root, "git", "status", "--porcelain")[1].splitlines())
    branch = _ask(root, "git", "rev-parse", "--abbrev-ref", "HEAD")[1]
    found = f"{branch} at {head}, {changed} files changed" if changed else f"{branch} at {head}, clean"
    yield Symptom("git", "note" if changed else "ok", found, "a card of uncommitted work cannot be checked out again")


def _dvc(root: Path) -> Iterator[Symptom]:
    command = [sys.executable, "-m", "dvc"]
    code, version = _ask(root, *command, "--version")
    if code or not (root / ".dvc").is_dir():
        yield Symptom("dvc", "fault", "not usable here", "make setup, and run from the project's root")
        return
    status = _ask(root, *command, "status", "--quiet")[0]
    found = "up to date" if status == 0 else "outputs differ from dvc.lock"
    yield Symptom(
        "dvc", "ok" if status == 0 else "note", f"{version}, {found}", "`dvc repro` rebuilds, `dvc status` says what"
    )
    remotes = _ask(root, *command, "remote", "list")[1].splitlines()
    yield Symptom(
        "dvc remote", "ok" if remotes else "note", remotes[0] if remotes else "none", "docs/rollback.md sets one up"
    )


def _ask(root: Path, *command: str) -> tuple[int, str]:
    """Exit code and trimmed output of a command; code 1 when it cannot run or does not end."""
    try:
        answer = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 1, ""
    return answer.returncode, answer.stdout.strip()
