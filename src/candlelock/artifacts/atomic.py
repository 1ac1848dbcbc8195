"""Writes that appear whole or not at all: temporary neighbour, fsync, rename.

A folder that is being filled is locked, so that a run beside this one tells it from what a killed run left behind. A
disk that refuses a write is an EnvironmentFaultError.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import glob
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.contracts.errors import EnvironmentFaultError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of linux/fcntl.h and linux/fs.h
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REFUSED = (
    *(errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.EBUSY),
    *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP),
)
PARTIAL = ".partial"
THERE = (errno.ENOTEMPTY, errno.EEXIST)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content`; a reader sees the old file or the new one, never a part."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file to write; on a clean exit it is synced and renamed to `path`, else removed."""
    with naming_disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            _sync(temporary)
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; on a clean exit it takes the place of `folder`, else nothing has changed.

    What a killed run left behind is swept first. Of runs beside each other the last one to finish stays.
    """
    with _filling(folder, f".{folder.name}.") as fresh:
        yield fresh
        _sync_all(fresh)
        if not _rename(fresh, folder):
            _exchange(fresh, folder)


@contextlib.contextmanager
def adding_folder(folder: Path) -> Iterator[Path]:
    """As `replacing_folder`, but a folder that is there already stays as it is, whoever of several runs was first.

    Swept is what killed runs left behind beside it, of whatever name.
    """
    with _filling(folder, ".new.") as fresh:
        yield fresh
        _sync_all(fresh)
        _rename(fresh, folder)


@contextlib.contextmanager
def _filling(folder: Path, prefix: str) -> Iterator[Path]:
    with naming_disk_faults(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        pattern = f"{glob.escape(prefix)}????????{PARTIAL}"  # tempfile's names have eight characters
        for stale in folder.parent.glob(pattern):
            _sweep(stale)
        fresh, lock = _lock_new_folder(folder.parent, prefix)
        try:
            yield fresh
        finally:
            shutil.rmtree(fresh, ignore_errors=True)  # after an exchange, the old content
            os.close(lock)


def _lock_new_folder(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:  # until no run beside this one sweeps it between the two steps
        fresh = Path(tempfile.mkdtemp(prefix=prefix, suffix=PARTIAL, dir=parent))
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(fresh, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if fresh.exists():
                return fresh, lock
            os.close(lock)


def _sweep(stale: Path) -> None:
    """Remove a folder that no living run is filling: the lock goes with its process."""
    with contextlib.suppress(OSError):
        lock = os.open(stale, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(stale, ignore_errors=True)
        finally:
            os.close(lock)


def _rename(fresh: Path, folder: Path) -> bool:
    """Whether it could be done: not where `folder` has content."""
    try:
        fresh.rename(folder)
    except OSError as error:
        if error.errno not in THERE:
            raise
        return False
    return True


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders in one step, so that a kill leaves either whole.

    Where the system cannot (no Linux, an old file system), in three: a kill between them leaves none.
    """
    exchange = getattr(ctypes.CDLL(None), "renameat2", None)
    if exchange is None or exchange(AT_FDCWD, bytes(one), AT_FDCWD, bytes(other), RENAME_EXCHANGE):
        aside = one.with_name(f"{one.name}.old")
        other.rename(aside)
        one.rename(other)
        aside.rename(one)


def _sync_all(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _sync(path)
    folder.chmod(0o755)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def naming_disk_faults(path: Path) -> Iterator[None]:
    """For writes to `path`: an OSError of a disk that is full or refuses becomes an EnvironmentFaultError."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            code, expected, help_line = "disk-full", "room to write it", "free some space, or raise the quota or limit"
        elif error.errno in REFUSED:
            code, expected, help_line = "disk-refused", "a place that can be written", "mind owner, mount and disk"
        else:
            raise
        found = f"{error.strerror or error}: nothing was published"
        raise EnvironmentFaultError(Problem(code, str(path), found, expected, help_line)) from error
