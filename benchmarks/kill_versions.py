"""Kill a process that publishes snapshots and stores versions, at random instants, and look at what is left.

    python benchmarks/kill_versions.py [--kills 500] [--seed 1]

Half of the runs publish one of three sets of candles over the last one and store it as a version, the others store what
is there; `kill -9` comes at an instant drawn over the whole length. After every kill the snapshot has to be whole, old
or new, and every version whole.
Prints JSON; exit code 1 when anything was corrupt or half-published, or when a last run left anything behind.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts.user_files import read_params
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.contracts.version_documents import Author
from candlelock.snapshot import candles, files, publication, versions

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
SYMBOLS = ("BTC/USD", "ETH/USD", "XRP/USD")
N_SETS, N_ROWS = 3, 2_000
NAMES = ("n_runs", "n_kills", "n_kills_while_publishing", "n_kills_while_storing", "n_corrupt", "n_failed")
NAMES += ("n_left_behind", "n_versions")
WHO = Author(name="benchmark", email=None)


def write_sources(root: Path) -> None:
    """Three folders of CSV candles that differ in their values."""
    for number in range(N_SETS):
        for digit, symbol in enumerate(SYMBOLS):
            path = root / f"in{number}" / f"{symbol.replace('/', '-')}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = (
                f"{1_600_000_200 + 60 * row},{100 + row},{101 + row},99,{100 + row}.{number}{digit},7"
                for row in range(N_ROWS)
            )
            path.write_text("date,open,high,low,close,volume\n" + "\n".join(rows) + "\n")


def publish_and_store(root: Path, params: SnapshotParams, number: int | None) -> None:
    """One run; without a number the snapshot that is there is stored."""
    if number is not None:
        source = files.read(params.symbols, params.timeframe, root / f"in{number}")
        publication.publish(root / "data/snapshot", *source, params)
    versions.store(root / "data/snapshot", root / "data/versions", WHO, "2024-01-01T00:00:00Z", None)


def forget_most(shelf: Path, draw: random.Random) -> None:
    """So that most runs have a version to store, and some to leave alone."""
    for name in versions.ids(shelf):
        if draw.random() < 0.8:
            shutil.rmtree(shelf / name)


def look(root: Path) -> None:
    """Exit code 1 when a snapshot or version that is there is not whole."""
    snapshot, shelf = root / "data/snapshot", root / "data/versions"
    if snapshot.exists():
        candles.read_exact(snapshot)
    problems = [problem for name in versions.ids(shelf) for problem in versions.faults(shelf / name)]
    if problems:
        print(*problems, file=sys.stderr)
        os._exit(1)


def fork(work: Callable[[], None]) -> int:
    """A child that does `work`. The parent itself uses no Arrow threads, which would not survive the fork."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # the child must not return
            print(type(error).__name__, error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return child


def wait(child: int) -> int:
    """Its exit code; -9 when it was killed."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def litter(root: Path) -> set[Path]:
    """What killed runs left, to be swept by the next one."""
    return {*(root / "data").glob(".*"), *(root / "data/versions").glob(".*")}


def strike(root: Path, params: SnapshotParams, number: int | None, delay_s: float) -> Counter[str]:
    """One run with a kill after `delay_s`, and what it left; nothing struck where the run was done before."""
    before = litter(root)
    child = fork(lambda: publish_and_store(root, params, number))
    time.sleep(delay_s)
    os.kill(child, signal.SIGKILL)
    code = wait(child)
    left = {path.name.split(".")[1] for path in litter(root) - before}
    is_corrupt = wait(fork(lambda: look(root))) != 0
    return Counter(
        n_runs=1,
        n_kills=code == -signal.SIGKILL,
        n_kills_while_publishing="snapshot" in left,
        n_kills_while_storing="new" in left,
        n_failed=code > 0,
        n_corrupt=is_corrupt,
    )


def run(root: Path, n_kills: int, seed: int) -> Counter[str]:
    """Kill until `n_kills` have struck a living run; the counts."""
    draw = random.Random(seed)  # noqa: S311
    own = {"source": "files", "timeframe": "1m", "symbols": list(SYMBOLS), "min_rows": 10}
    params = SnapshotParams.model_validate(read_params(ROOT).snapshot.model_dump() | own)
    write_sources(root)
    counts = Counter(n_failed=wait(fork(lambda: publish_and_store(root, params, 0))) != 0)
    length_s: dict[bool, float] = {True: 0.1, False: 0.1}
    while counts["n_kills"] < n_kills:
        forget_most(root / "data/versions", draw)
        number = draw.choice((None, draw.randrange(N_SETS)))
        is_long = number is not None
        found = strike(root, params, number, draw.uniform(0, length_s[is_long]))
        length_s[is_long] *= 1.05 if found["n_kills"] else 0.95  # half are struck, however fast the machine is
        counts += found
    for number in range(N_SETS):
        counts["n_failed"] += wait(fork(lambda number=number: publish_and_store(root, params, number))) != 0
    return counts + Counter(n_left_behind=len(litter(root)), n_versions=len(versions.ids(root / "data/versions")))


def main() -> int:
    """0 when nothing was corrupt, failed or left behind."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = run(Path(folder), asked.kills, asked.seed)
    print(json.dumps({name: counts[name] for name in NAMES}, indent=2))
    is_sound = not (counts["n_corrupt"] or counts["n_failed"] or counts["n_left_behind"])
    return 0 if is_sound and counts["n_versions"] == N_SETS else 1


if __name__ == "__main__":
    sys.exit(main())
