"""Import one-minute candles from parquet, checked and exact, against pandas reading and writing them unchecked.

    python benchmarks/import_candles.py
    python benchmarks/import_candles.py --rows 1000000 --runs 5

Four symbols with --rows rows in all (ten million by default): float64 walks with two decimals in prices and five in
volumes, made with fixed seeds. A run is `files.read` and `publish`: read, check, write, hash, manifest. Both sides take
turns; the figures are medians of --runs runs, after the files have been read once.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from candlelock.artifacts.user_files import read_params
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.snapshot import files
from candlelock.snapshot.publication import publish

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
FIRST_CENTS = {"BTC": 6_000_000, "ETH": 300_000, "SOL": 15_000, "XRP": 6_000}
FIRST_MS, MINUTE_MS = 1_609_459_200_000, 60_000


def make_candles(seed: int, first_cents: int, n_rows: int) -> pa.Table:
    """A random walk with steps of about five basis points, every price a whole number of cents."""
    random = np.random.default_rng(seed)
    close = np.rint(first_cents * np.exp(np.cumsum(random.normal(0, 5e-4, n_rows)))) + 100
    opened = np.concatenate([[close[0]], close[:-1]])
    wick = np.rint(close * np.abs(random.normal(0, 3e-4, (2, n_rows))))
    fields = {"open": opened, "high": np.maximum(opened, close) + wick[0], "low": np.minimum(opened, close) - wick[1]}
    fields["low"] = np.maximum(fields["low"], 1)
    prices = {name: values / 100 for name, values in (fields | {"close": close}).items()}
    volume = np.rint(random.lognormal(3, 1.2, n_rows) * 1e5) / 1e5
    times = pa.array(FIRST_MS + MINUTE_MS * np.arange(n_rows), pa.timestamp("ms", "UTC"))
    return pa.table({"date": times, **prices, "volume": volume})


def import_snapshot(source: Path, target: Path) -> None:
    """What the snapshot stage does with files."""
    symbols = [f"{base}/USDT" for base in FIRST_CENTS]
    own = {"source": "files", "timeframe": "1m", "symbols": symbols}
    params = SnapshotParams.model_validate(read_params(ROOT).snapshot.model_dump() | own)
    publish(target, *files.read(symbols, "1m", source), params)


def copy_with_pandas(source: Path, target: Path) -> None:
    """Read and write, nothing else."""
    target.mkdir(exist_ok=True)
    for path in sorted(source.iterdir()):
        pd.read_parquet(path).to_parquet(target / path.name, index=False)


def seconds(action: Callable[[Path, Path], None], source: Path, target: Path) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    action(source, target)
    return time.perf_counter() - start


def main() -> None:
    """Make the candles, run both and print a table."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--rows", type=int, default=10_000_000)
    ask.add_argument("--runs", type=int, default=3)
    got = ask.parse_args()
    with tempfile.TemporaryDirectory(prefix="candlelock-import-") as name:
        work = Path(name)
        (work / "in").mkdir()
        n_rows = got.rows // len(FIRST_CENTS)
        for seed, (base, cents) in enumerate(FIRST_CENTS.items()):
            pq.write_table(make_candles(seed, cents, n_rows), work / "in" / f"{base}_USDT-1m.parquet")
        sides = {"candlelock": import_snapshot, "pandas, unchecked": copy_with_pandas}
        took: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(got.runs):
            for side, action in sides.items():
                took[side].append(seconds(action, work / "in", work / side))
        print("| side | million rows/s, median (all runs) | bytes a row |\n|---|---|---|")
        for side, runs in took.items():
            rates = [n_rows * len(FIRST_CENTS) / each / 1e6 for each in runs]
            size = sum(path.stat().st_size for path in (work / side).iterdir()) / n_rows / len(FIRST_CENTS)
            each = ", ".join(f"{rate:.2f}" for rate in rates)
            print(f"| {side} | {statistics.median(rates):.2f} ({each}) | {size:.2f} |")
    print(f"peak memory of both sides: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
