"""Run a stage, or several with commas: `python -m stages STAGE [HEAD]`, from the project's root; dvc.yaml's entry."""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
from pathlib import Path

from candlelock.artifacts import numeric_environment
from candlelock.contracts.errors import EXIT_BAD_INPUT, CandlelockError

PR_SET_PDEATHSIG = 1
WHOLE = ("snapshot", "quality", "features", "causality", "split", "controls")  # stages for all heads at once
PER_HEAD = ("select", "tune", "train", "calibrate", "evaluate", "backtest", "significance", "audit", "bench", "card")
USAGE = f"usage: python -m stages {{{','.join(WHOLE)}}}\n       python -m stages {{{','.join(PER_HEAD)}}} HEAD"


def die_with_parent(parent: int) -> None:
    """Let the kernel end this stage when dvc is killed: a survivor could write into the next run (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(f"the process that started this stage ({parent}) is gone")


def main(arguments: list[str]) -> int:
    """Exit code 0, or that of the error: 1 a check failed, 2 wrong input, 3 environment."""
    die_with_parent(os.getppid())
    name, *head = arguments or [""]
    names = name.split(",")
    if not set(names) <= {*WHOLE, *PER_HEAD} or len(head) != (not set(names) <= set(WHOLE)):
        print(USAGE, file=sys.stderr)
        return EXIT_BAD_INPUT
    try:
        numeric_environment.lock()
        from candlelock.artifacts.user_files import read_params

        for each, own in ((each, head if each in PER_HEAD else []) for each in names):
            importlib.import_module(f"stages.{each}").run(read_params(Path(), *own), *own)
    except CandlelockError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
