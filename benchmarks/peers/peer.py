"""What is the same for every peer: an environment of its own, and what it answers."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.freqtrade_client import make_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd


@dataclass(frozen=True)
class Answer:
    """symbol, time and p_up of candles from the cut on; CPU seconds of the features and of the training, all pairs."""

    rows: pd.DataFrame
    seconds: list[float]


def environment(folder: Path, requirement: str) -> Path:
    """The interpreter of a virtual environment with a package, which is made if it is not there."""
    done = folder / "done"
    if not done.is_file() or done.read_text() != requirement:
        try:
            make_environment(folder, requirement)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"{requirement} cannot be installed in {folder}; pip says above why") from error
        done.write_text(requirement)
    return folder / "bin/python"


def call(command: Sequence[object], work: Path, log: Path) -> None:
    """Run a peer's command on one thread; what it says in the log."""
    with log.open("w") as out:
        ended = subprocess.run(
            [str(part) for part in command], cwd=work, env=os.environ | {"PYTHONPATH": "", "OMP_NUM_THREADS": "1"},
            stdout=out, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    if ended.returncode:
        raise SystemExit(f"{log.stem} failed; {log} says why")
