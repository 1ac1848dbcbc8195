"""How much memory each stage takes, from candles to the back-test.

    python benchmarks/memory.py                     # 300,000 rows of the default features
    python benchmarks/memory.py --trials 5          # as the figures in docs/search.md were measured

Five symbols of a market with a planted edge, the project's parameters and features. Each stage is a process of
its own, as under `dvc repro`; what is shown is the most that it had resident, of which the stage `tune` is to stay
within 8 GiB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from candlelock.artifacts import user_files
from candlelock.audit.control_markets import make_martingale
from candlelock.audit.controls import BAR_MS, SYMBOLS, _make_project

ROOT = Path(__file__).resolve().parent.parent
HEAD = "direction"
FIRST, LATER = ("snapshot", "features", "split"), ("select", "tune", "train", "calibrate", "evaluate", "backtest")


def make_project(folder: Path, n_rows: int, n_trials: int) -> None:
    """The project's parameters on so many rows."""
    params = user_files.read_params(ROOT)
    horizon_bars, skipped = params.heads[HEAD].horizon_bars, params.split.min_history_bars
    n_bars = n_rows // len(SYMBOLS) + skipped
    _make_project(ROOT, folder, params, HEAD, make_martingale(SYMBOLS, n_bars, BAR_MS, params.seed, horizon_bars))
    own = user_files.read_params(folder).model_dump(mode="json")
    own["tune"]["n_trials"] = n_trials
    user_files.write_params(folder, own)


def run_stage(folder: Path, name: str) -> tuple[float, float, str]:
    """Most that was resident, GiB; seconds; the last line it said."""
    command = [sys.executable, "-m", "stages", name, *([HEAD] if name in LATER else [])]
    environment, said, began = os.environ | {"PYTHONPATH": str(ROOT / "src")}, folder / "said.txt", time.monotonic()
    with said.open("w") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)
        _, status, used = os.wait4(process.pid, 0)
    lines = said.read_text().splitlines() or [""]
    if os.waitstatus_to_exitcode(status):
        raise SystemExit("\n".join([f"{name} failed:", *lines[-10:]]))
    return used.ru_maxrss / 2**20, time.monotonic() - began, lines[-1]


def main() -> None:
    """Run them one after another and print a Markdown table."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--rows", type=int, default=300_000)
    ask.add_argument("--trials", type=int, default=15, help="of each learner")
    got = ask.parse_args()
    print("| stage | most resident, GiB | seconds | said |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        make_project(Path(folder), got.rows, got.trials)
        for name in (*FIRST, *LATER):
            gib, seconds, said = run_stage(Path(folder), name)
            print(f"| {name} | {gib:.2f} | {seconds:.0f} | {said} |", flush=True)


if __name__ == "__main__":
    main()
