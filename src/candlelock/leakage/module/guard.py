"""What code does besides computing: files written or read, processes, the network. For a process that runs it.

Python tells an audit hook of such things before they happen (PEP 578). Writing, processes and sockets are refused with
an error; reading is allowed and told. It holds mistakes off, not malice: compiled code can go past Python.
"""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    Told = Callable[["Deed"], None]

Code = Literal["module-writes", "module-reads"]
DEVICES = ("/proc", "/sys", "/dev")
SYSTEM = ("/etc", "/usr", "/lib", "/lib64", "/System", "/Library", *DEVICES)
MODULE_SUFFIXES = (".py", ".pyc", ".so", ".pyd", ".dylib", ".dll", ".pth")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
REFUSED: Mapping[str, str] = {  # event -> what it is in words; its first argument is the object
    "os.remove": "removes",
    "os.rename": "renames",
    "os.rmdir": "removes the folder",
    "os.mkdir": "makes the folder",
    "os.link": "links",
    "os.symlink": "links",
    "os.truncate": "cuts off",
    "os.chmod": "changes the rights of",
    "os.chown": "changes the owner of",
    "os.utime": "changes the times of",
    "os.setxattr": "marks",
    "sqlite3.connect": "opens the database",
    "subprocess.Popen": "starts the process",
    "os.system": "starts the process",
    "os.exec": "becomes the process",
    "os.posix_spawn": "starts the process",
    "os.spawn": "starts the process",
    "os.fork": "starts a copy of the process",
    "os.forkpty": "starts a copy of the process",
    "os.kill": "sends a signal to the process",
    "os.killpg": "sends a signal to the processes",
    "urllib.Request": "asks the network for",
    "socket.getaddrinfo": "asks the network for",
    "socket.gethostbyname": "asks the network for",
    "socket.connect": "connects to the network",
    "socket.bind": "listens on the network",
    "socket.sendto": "sends to the network",
}


class RefusedError(PermissionError):
    """What the guard raises in place of a deed that it refuses."""


@dataclass(frozen=True)
class Deed:
    """One thing that the code did or tried, in words, and the innermost line of the user's file that led to it."""

    code: Code
    what: str
    line: int | None


def forbid_growth() -> None:
    """No file of this process can grow from here on, compiled code's neither; pipes are no files."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def watch(path: Path, tell: Told) -> None:
    """Tell of every deed from here to the process's end, and refuse those that change something.

    `path`: the user's file, as its code names it. There is no way to take a guard off again.
    """
    own = (*SYSTEM, sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]))
    roots = tuple(os.path.realpath(each) for each in own)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            code = deed_of_open(args[0], args[2], roots)
            words = f"{'reads' if code == 'module-reads' else 'writes'} {_name(args[0])}"
        elif event in REFUSED:
            code = "module-writes"
            words = f"{REFUSED[event]} {_name(args[1] if event in ('socket.connect', 'socket.bind') else args[0])}"
        else:
            return
        if code is not None:
            tell(Deed(code, words, line_in(path, sys._getframe(1))))
        if code == "module-writes":
            raise RefusedError(f"{words}: refused while the file is examined")

    sys.addaudithook(hook)


def deed_of_open(target: object, flags: int, roots: tuple[str, ...]) -> Code | None:
    """What opening `target` with `flags` is: writing, reading data, or None for what Python itself needs."""
    if not isinstance(target, str | bytes | os.PathLike):  # a descriptor that is open already
        return None
    path = os.path.realpath(os.fsdecode(target))
    if flags & WRITING:
        return None if path in (os.devnull, "/dev/tty") else "module-writes"
    is_code = path.endswith(MODULE_SUFFIXES)
    return None if is_code or any(path == root or path.startswith(f"{root}/") for root in roots) else "module-reads"


def line_in(path: Path, frame: FrameType | None) -> int | None:
    """The innermost line of the file that a frame was called from; None where there is none."""
    while frame is not None:
        if frame.f_code.co_filename == str(path):
            return frame.f_lineno
        frame = frame.f_back
    return None


def _name(target: object) -> str:
    """What a deed is done to, in one short line."""
    text = os.fsdecode(target) if isinstance(target, str | bytes | os.PathLike) else str(target)
    return " ".join(text.split())[:200]
