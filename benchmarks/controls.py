"""How often the whole flow gives a GO where nothing can be known, and where an edge was planted.

    python benchmarks/controls.py --runs 20

Each run is a control of `candlelock audit` with another seed: a martingale, shuffled candles of the project's snapshot,
a planted edge. Prints a Markdown table with exact intervals (Clopper and Pearson 1934).
"""

from __future__ import annotations

import argparse
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import numeric_environment

numeric_environment.lock()

from scipy.stats import binomtest  # noqa: E402  (after the numeric environment)

from candlelock.artifacts.user_files import read_params  # noqa: E402
from candlelock.audit.controls import N_AT_ONCE, NAMES, ask_once, make_market, run_control  # noqa: E402
from candlelock.contracts import files  # noqa: E402
from candlelock.contracts.params import bar_seconds  # noqa: E402
from candlelock.snapshot import candles  # noqa: E402

if TYPE_CHECKING:
    from candlelock.contracts.leakage_documents import Control

ROOT = Path(__file__).resolve().parent.parent
HEADER = "| market | runs | GO [95 %] | median AUC | AUC from | to |\n|---|---|---|---|---|---|"


def line(name: str, controls: list[Control]) -> str:
    """One row of the table."""
    n_go = sum(control.verdict == "GO" for control in controls)
    interval = binomtest(n_go, len(controls)).proportion_ci()
    scores = sorted(control.auc_roc for control in controls)
    share = f"{n_go} [{interval.low:.0%}, {interval.high:.0%}]"
    return (
        f"| {name} | {len(controls)} | {share} | {statistics.median(scores):.3f} | {scores[0]:.3f} | {scores[-1]:.3f} |"
    )


def main() -> None:
    """Run them all, a few at once, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="of each market")
    parser.add_argument("--markets", nargs="+", default=list(NAMES), choices=NAMES)
    arguments = parser.parse_args()
    params = ask_once(read_params(ROOT))
    manifest, frames = candles.read(ROOT / files.SNAPSHOT)
    bar_ms = 1000 * bar_seconds(manifest.timeframe)
    lines = [HEADER]
    for name in arguments.markets:
        with ThreadPoolExecutor(N_AT_ONCE) as pool:
            jobs = [
                pool.submit(run_control, ROOT, params, name, make_market(name, params, frames, bar_ms, seed))
                for seed in range(1, arguments.runs + 1)
            ]
            done = []
            for seed, job in enumerate(jobs, 1):
                done.append(job.result()[0])
                print(
                    f"{name}, seed {seed}: {done[-1].verdict}, AUC {done[-1].auc_roc:.3f}", file=sys.stderr, flush=True
                )
        lines.append(line(name, done))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
