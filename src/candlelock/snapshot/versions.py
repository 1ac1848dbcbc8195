"""Stored versions: a folder per snapshot, named by its id, whole or not there, and never changed.

A version holds the snapshot as it was published and, beside it, a record of who stored it and when.
"""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents
from candlelock.contracts.errors import InputError, Problem, raise_if
from candlelock.contracts.snapshot_documents import Manifest
from candlelock.contracts.version_documents import VersionRecord
from candlelock.snapshot import candles, manifest

if TYPE_CHECKING:
    from candlelock.contracts.version_documents import Author

MIN_PREFIX = 6  # characters of an id
MAX_NAME = 255  # characters that a file system takes
MAX_LISTED = 8


def store(
    folder: Path, shelf: Path, stored_by: Author, stored_at_utc: str, note: str | None
) -> tuple[Manifest, VersionRecord, bool]:
    """Copy a snapshot folder to `shelf`; manifest and record of the version, and whether it is new.

    A version that is there already keeps its record. Raises InputError when either is not what its manifest says.
    """
    source, _ = candles.read_exact(folder)
    record = VersionRecord(
        snapshot_id=source.snapshot_id,
        stored_at_utc=stored_at_utc,
        stored_by=stored_by,
        candlelock_version=version("candlelock"),
        note=note,
    )
    target = shelf / source.snapshot_id
    is_new = not target.exists()
    if is_new:
        with atomic.adding_folder(target) as fresh:
            _fill(fresh, folder, source, record)
    raise_if(faults(target))
    stored, its_record = _read_version(target)
    return stored, its_record, is_new and its_record == record


def _fill(fresh: Path, folder: Path, source: Manifest, record: VersionRecord) -> None:
    try:
        for name in (manifest.NAME, *(entry.file for entry in source.symbols)):
            shutil.copyfile(folder / name, fresh / name, follow_symlinks=False)
        is_same = manifest.verify(fresh) == source
    except (FileNotFoundError, InputError):
        is_same = False
    if not is_same:
        found, expected = "it changed while it was copied", "a folder that nobody writes to"
        raise InputError(Problem("version-moved", str(folder), found, expected, "run it again"))
    documents.write(fresh / manifest.RECORD, record)
    for path in fresh.iterdir():
        path.chmod(0o444)


def ids(shelf: Path) -> list[str]:
    """Names of the stored versions, sorted."""
    return sorted(path.name for path in shelf.glob("[!.]*") if path.is_dir())


def read(folder: Path) -> tuple[Manifest, VersionRecord | None]:
    """Manifest and record as they stand; a snapshot folder that is no version has no record. Nothing is rehashed.

    InputError when one is broken.
    """
    record = folder / manifest.RECORD
    kept = documents.read(record, VersionRecord) if record.exists() or record.is_symlink() else None
    return documents.read(folder / manifest.NAME, Manifest), kept


def _read_version(folder: Path) -> tuple[Manifest, VersionRecord]:
    return documents.read(folder / manifest.NAME, Manifest), documents.read(folder / manifest.RECORD, VersionRecord)


def read_all(shelf: Path) -> list[tuple[Manifest, VersionRecord]]:
    """Every version, the newest last. InputError with all problems when any cannot be read."""
    found: list[tuple[Manifest, VersionRecord]] = []
    problems: list[Problem] = []
    for name in ids(shelf):
        try:
            found.append(_read_version(shelf / name))
        except InputError as error:
            problems.extend(error.problems)
    raise_if(problems)
    return sorted(found, key=lambda each: (each[1].stored_at_utc, each[1].snapshot_id))


def find(shelf: Path, name: str) -> Path:
    """The folder that `name` means: a snapshot folder by its path, or a version by its id or the start of one.

    Raises InputError when no version, or more than one, has an id that starts so.
    """
    if len(name) <= MAX_NAME and (Path(name) / manifest.NAME).is_file():
        return Path(name)
    stored = ids(shelf)
    hits = [each for each in stored if each.startswith(name.lower())]
    if len(hits) == 1 and len(name) >= MIN_PREFIX:
        return shelf / hits[0]
    if len(hits) > 1 and len(name) >= MIN_PREFIX:
        raise InputError(Problem("version-ambiguous", name, _listed(hits), "one id", "give more of the id"))
    expected = f"a snapshot folder, or {MIN_PREFIX} characters or more of a version's id"
    help_line = f"stored are: {_listed(stored)}" if stored else "store one with `candlelock data create`"
    raise InputError(Problem("version-unknown", name, f"none in {shelf}", expected, help_line))


def faults(folder: Path) -> list[Problem]:
    """Everything wrong after rehashing all of it: files, rows and id, and of a version its record and name.

    A version is what has a record, or an id for its name.
    """
    problems: list[Problem] = []
    try:
        snapshot_id = candles.read_exact(folder)[0].snapshot_id
        if (folder / manifest.RECORD).exists() or len(folder.absolute().name) == len(snapshot_id):
            problems += _naming_faults(folder, snapshot_id)
    except InputError as error:
        problems += error.problems
    return problems


def _naming_faults(folder: Path, snapshot_id: str) -> list[Problem]:
    record = folder / manifest.RECORD
    if record.is_symlink():
        return [manifest.no_file(record)]
    named = {record: documents.read(record, VersionRecord).snapshot_id, folder: folder.name}
    help_line = "restore the version with `dvc checkout`, or remove its folder and store the snapshot again"
    return [
        Problem("version-name", str(place), name, f"{snapshot_id}, the snapshot's id", help_line)
        for place, name in named.items()
        if name != snapshot_id
    ]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(name[:12] for name in names[:MAX_LISTED]) + more
