"""Kill `candlelock snapshot` and `candlelock data create` at random instants, and look at what is left.

    python benchmarks/exchange_kills.py [--kills 500] [--seed 1] [--latency-ms 20]

Each run asks the loopback exchange, a process of its own, for one of three ranges, publishes it over the last snapshot
and stores it as a version; `kill -9` comes at an instant drawn over its whole length. The children are forked from a
process with its imports done. After every kill the snapshot that is there has to be, byte for byte, one of the three
that undisturbed runs publish, and every version whole. After every twentieth a run is left alone and has to end with
the same bytes. Prints JSON; exit code 1 when anything was corrupt, half-published, different or left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from kill_versions import ROOT, forget_most, fork, litter, wait

from candlelock.cli import main as cli
from candlelock.contracts import files
from candlelock.snapshot import candles, versions
from candlelock.snapshot.exchange import fetch  # noqa: F401  (so that no child has to import ccxt)

sys.path.insert(0, str(ROOT))
SYMBOLS = ("BTC/USDT", "ETH/USDT")
ENDS = ("2024-01-03T01:00Z", "2024-01-03T01:30Z", "2024-01-03T02:00Z")
N_BARS = 3_000
NAMES = ("n_runs", "n_kills", "n_kills_while_asking", "n_kills_while_publishing", "n_kills_while_storing")
NAMES += ("n_kills_between", "n_corrupt", "n_failed", "n_undisturbed", "n_different", "n_left_behind")
Published = dict[str, bytes]


def write_candles(folder: Path) -> None:
    """A parquet file for each symbol, with a hole in one."""
    import pyarrow.parquet as pq

    from tests.exchange_runs import make_market

    for number, symbol in enumerate(SYMBOLS):
        market = make_market(symbol, number, N_BARS, [range(1500, 1510)][:number])
        pq.write_table(market.table, folder / f"{symbol.replace('/', '_')}-1m.parquet")


def run_command(*words: str) -> None:
    """`candlelock …` in this process, silent where it succeeds. Raises SystemExit where it does not."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv = ["candlelock", *words]
    try:
        cli.main()
    except SystemExit as end:
        if end.code:
            raise


def take_and_store(root: Path, base_url: str, number: int) -> None:
    """One run."""
    asked = ["--exchange", "binance", "--symbols", ",".join(SYMBOLS), "--timeframe", "1m", "--base-url", base_url]
    span = ["--start", "2024-01-01", "--end", ENDS[number]]
    run_command("snapshot", *asked, *span, "--root", str(root), "--out", str(root / files.SNAPSHOT))
    run_command("data", "create", "--root", str(root))


def published(root: Path) -> Published:
    """File name -> bytes of the snapshot."""
    return {path.name: path.read_bytes() for path in sorted((root / files.SNAPSHOT).glob("*"))}


def look(root: Path, known: list[Published]) -> None:
    """Exit code 1 when the snapshot that is there is none of the known ones, or a version is not whole."""
    if (root / files.SNAPSHOT).exists():
        candles.read_exact(root / files.SNAPSHOT)
        if published(root) not in known:
            os._exit(1)
    shelf = root / files.VERSIONS
    if any(versions.faults(shelf / name) for name in versions.ids(shelf)):
        os._exit(1)


def phase(root: Path, before: set[Path], number: int, known: list[Published]) -> str:
    """What the killed run was at, by what it left behind."""
    left = {path.name.split(".")[1] for path in litter(root) - before}
    if "snapshot" in left or "new" in left:
        return "n_kills_while_publishing" if "snapshot" in left else "n_kills_while_storing"
    is_asking = any((root / files.DOWNLOADS).glob("*/*/*.arrow")) or published(root) != known[number]
    return "n_kills_while_asking" if is_asking else "n_kills_between"


def strike(root: Path, base_url: str, number: int, delay_s: float, known: list[Published]) -> Counter[str]:
    """One run with a kill after `delay_s`, and what it left; nothing struck where the run was done before."""
    before = litter(root)
    child = fork(lambda: take_and_store(root, base_url, number))
    time.sleep(delay_s)
    os.kill(child, signal.SIGKILL)
    code = wait(child)
    is_corrupt = wait(fork(lambda: look(root, known))) != 0
    counts = Counter(n_runs=1, n_kills=code == -signal.SIGKILL, n_failed=code > 0, n_corrupt=is_corrupt)
    if code == -signal.SIGKILL:
        counts[phase(root, before, number, known)] += 1
    return counts


def leave_alone(root: Path, base_url: str, number: int, known: list[Published]) -> Counter[str]:
    """One run that nothing disturbs, after those that were killed."""
    code = wait(fork(lambda: take_and_store(root, base_url, number)))
    is_different = published(root) != known[number]
    return Counter(n_runs=1, n_undisturbed=1, n_failed=code != 0, n_different=is_different)


def reference(root: Path, base_url: str, number: int) -> Published:
    """What a run in a fresh folder publishes."""
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        shutil.copy(root / files.PARAMS, fresh)
        if wait(fork(lambda: take_and_store(fresh, base_url, number))):
            raise SystemExit("the reference failed")
        return published(fresh)


def run(root: Path, base_url: str, n_kills: int, seed: int) -> Counter[str]:
    """Kill until `n_kills` have struck a living run; the counts."""
    draw = random.Random(seed)  # noqa: S311
    shutil.copy(ROOT / files.PARAMS, root)
    known = [reference(root, base_url, number) for number in range(len(ENDS))]
    counts: Counter[str] = Counter()
    length_s, n_next = 2.0, 20
    while counts["n_kills"] < n_kills:
        forget_most(root / files.VERSIONS, draw)
        found = strike(root, base_url, draw.randrange(len(ENDS)), draw.uniform(0, length_s), known)
        length_s *= 1.03 if found["n_kills"] else 0.91  # three of four runs are struck, however fast the machine is
        counts += found
        if counts["n_kills"] >= n_next:
            n_next += 20
            counts += leave_alone(root, base_url, draw.randrange(len(ENDS)), known)
    for number in range(len(ENDS)):
        counts += leave_alone(root, base_url, number, known)
    answers = list((root / files.DOWNLOADS).glob("*/"))
    return counts + Counter(n_left_behind=len(litter(root)) + len(answers))


def main() -> int:
    """0 when nothing was corrupt, failed, different or left behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--latency-ms", type=float, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        source, root = Path(name) / "candles", Path(name) / "project"
        source.mkdir()
        root.mkdir()
        wait(fork(lambda: write_candles(source)))
        words = ["exchange-sim", "--dialect", "binance", "--data", str(source), "--json"]
        command = [sys.executable, "-m", "candlelock.cli.main", *words, "--latency-ms", str(asked.latency_ms)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                said = json.loads(server.stdout.readline() if server.stdout else "")
                counts = run(root, said["base_url"], asked.kills, asked.seed)
            finally:
                server.terminate()
    print(json.dumps({name: counts[name] for name in NAMES}, indent=2))
    return 1 if any(counts[name] for name in ("n_corrupt", "n_failed", "n_different", "n_left_behind")) else 0


if __name__ == "__main__":
    sys.exit(main())
