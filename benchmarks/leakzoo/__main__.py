"""Plant one leak at a time and count what the audit finds, for the right reason, and where it is wrong.

    python -m benchmarks.leakzoo --out docs/leakzoo.md --markets walk,sample --seeds 3
    python -m benchmarks.leakzoo --markets walk --seeds 1 --areas joins      # one area, on standard output
    python -m benchmarks.leakzoo --out docs/leakzoo.md --runs runs.json     # what is in the file is not run again

From the repository's root. Every specimen is examined on every market with every seed. What freqtrade says of them is
in freqtrade.json beside this file (`python -m benchmarks.leakzoo.freqtrade`). The sample is the project's snapshot.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.leakzoo.areas import AREAS
from benchmarks.leakzoo.markets import MARKETS
from benchmarks.leakzoo.page import Run, write_page

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMAND = "python -m benchmarks.leakzoo --out docs/leakzoo.md --markets {markets} --seeds {seeds}"


def run_once(area: str, market: str, seed: int) -> tuple[Run, float]:
    """One area on one market, and the wall seconds it took."""
    start = time.perf_counter()
    examine = next(each.examine for each in AREAS if each.name == area)
    found = examine(MARKETS[market](seed), seed)
    kept = {name: frozenset(codes) for name, codes in found.items() if codes}
    return Run(area, market, seed, kept), time.perf_counter() - start


def read_runs(path: Path) -> dict[tuple[str, str, int], Run]:
    """Area, market and seed -> the run."""
    runs = [
        Run(each["area"], each["market"], each["seed"], {name: frozenset(one) for name, one in each["found"].items()})
        for each in json.loads(path.read_text())
    ]
    return {(run.area, run.market, run.seed): run for run in runs}


def write_runs(path: Path, runs: Iterable[Run]) -> None:
    """The runs as a JSON list."""
    rows = [
        {"area": run.area, "market": run.market, "seed": run.seed}
        | {"found": {name: sorted(codes) for name, codes in sorted(run.found.items())}}
        for run in runs
    ]
    path.write_text(json.dumps(rows, indent=1) + "\n")


def main() -> None:
    """Examine, count, write the page."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--out", type=Path, help="the page; standard output if left out")
    ask.add_argument("--markets", default="walk,sample")
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--areas", default=",".join(each.name for each in AREAS))
    ask.add_argument("--runs", type=Path, help="runs made before; the new ones are added. Delete it when code changes")
    ask.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 2))
    got = ask.parse_args()
    areas = [each for each in AREAS if each.name in got.areas.split(",")]
    wanted = [
        (area.name, market, seed)
        for market in got.markets.split(",")
        for seed in range(1, got.seeds + 1)
        for area in areas
    ]
    known = read_runs(got.runs) if got.runs and got.runs.is_file() else {}
    left = [each for each in wanted if each not in known]
    with ProcessPoolExecutor(got.jobs) as pool:
        for run, seconds in pool.map(run_once, *zip(*left, strict=True)) if left else ():
            print(f"{run.area} {run.market} {run.seed}: {seconds:.0f} s", flush=True)
            known[run.area, run.market, run.seed] = run
            if got.runs:
                write_runs(got.runs, known.values())
    runs = [known[each] for each in wanted]
    page = write_page(areas, runs, COMMAND.format(markets=got.markets, seeds=got.seeds))
    if got.out:
        got.out.write_text(page)
    else:
        print(page)


if __name__ == "__main__":
    main()
