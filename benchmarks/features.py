"""Time the feature library: whole markets, against other libraries on their columns, growth with length, and live bars.

    pip install -e ".[bench]"
    python benchmarks/features.py                    # everything but the long markets
    python benchmarks/features.py --only growth      # 1e5 to 1e7 rows in parts, each in a process of its own

One thread unless said. Both sides of a comparison take turns in one process; figures are medians of --runs runs after
one that compiles. Candles are random walks of one-minute bars; the figures do not depend on the prices.
"""

from __future__ import annotations

import argparse
import gc
import math
import resource
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from feature_peers import of_pandas, of_pandas_ta, of_ta

from candlelock.artifacts.user_files import read_catalogue, read_params
from candlelock.contracts.registry import select
from candlelock.features.build import build_features, build_in_parts
from candlelock.features.market import CANDLE_FIELDS, Market
from candlelock.features.stream import FeatureStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from candlelock.contracts.registry import Feature

ROOT = Path(__file__).resolve().parent.parent
MINUTE_MS, FIRST_MS = 60_000, 1_700_000_040_000
INDICATORS = ("returns", "volume", "momentum", "oscillators", "trend", "volatility", "statistical")
OF_CANDLES = (*INDICATORS, "patterns", "time", "cross_asset", "relative", "microstructure", "timeframes")
CATALOGUE = read_catalogue(ROOT)


def make_market(n_symbols: int, n_bars: int, seed: int = 1) -> Market:
    """Random walks with ticks of a cent, sound candles, no gaps."""
    random = np.random.default_rng(seed)
    close = np.round(10_000 * np.exp(np.cumsum(random.normal(0, 5e-4, (n_symbols, n_bars)), axis=1)), 2)
    opened = np.concatenate([close[:, :1], close[:, :-1]], axis=1)
    wick = np.round(close * np.abs(random.normal(0, 3e-4, (2, *close.shape))), 2)
    high, low = np.maximum(opened, close) + wick[0], np.minimum(opened, close) - wick[1]
    volume = np.round(random.lognormal(3, 1.2, close.shape), 5)
    times = FIRST_MS + MINUTE_MS * np.arange(n_bars, dtype=np.int64)
    return Market(tuple(f"S{i}/USDT" for i in range(n_symbols)), MINUTE_MS, times, opened, high, low, close, volume)


def turns(sides: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Median seconds of each side; they take turns, so that a busy moment of the machine hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for run in range(runs + 1):
        for name, call in sides.items():
            gc.collect()
            began = time.perf_counter()
            call()
            if run:
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def batch(runs: int) -> None:
    """Three symbols of 130,000 one-minute bars."""
    market = make_market(3, 130_000)
    rows = market.close.size
    entries = select(CATALOGUE, OF_CANDLES)
    lean, plain = select(CATALOGUE, INDICATORS), select(CATALOGUE, ("patterns",))
    usual = select(CATALOGUE, [group for group in INDICATORS if group in read_params(ROOT).features.groups])
    sides: dict[str, Callable[[], object]] = {
        f"{len(entries)} features of candles, 1 thread": lambda: build_features(market, entries),
        f"{len(entries)} features of candles, 2 threads": lambda: build_features(market, entries, n_threads=2),
        f"{len(lean)} bar indicators without patterns, 1 thread": lambda: build_features(market, lean),
        f"{len(usual)} of them, those of the default groups, 1 thread": lambda: build_features(market, usual),
        f"{len(plain)} candlestick patterns, 1 thread": lambda: build_features(market, plain),
    }
    for name, seconds in turns(sides, runs).items():
        print(f"{name}: {seconds:.2f} s for {rows:,} rows, {rows / seconds / 1e6:.2f} M rows/s")


def peers(runs: int) -> None:
    """The same columns from other libraries, one symbol."""
    market = make_market(1, 130_000)
    frame = pd.DataFrame({name: getattr(market, name)[0] for name in CANDLE_FIELDS})
    frame.index = pd.to_datetime(market.open_time_ms, unit="ms", utc=True)
    for library, columns in {"pandas": of_pandas(), "ta": of_ta(), "pandas-ta-classic": of_pandas_ta()}.items():
        entries = [entry for entry in CATALOGUE if entry.name in columns]
        missing = columns.keys() - {entry.name for entry in entries}
        if missing:
            raise SystemExit(f"no such features: {sorted(missing)}")
        slow = 1 if library == "ta" else runs

        def theirs(columns: dict[str, Callable[[pd.DataFrame], object]] = columns) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for call in columns.values():
                    call(frame)

        def ours(entries: Sequence[Feature] = entries) -> None:
            build_features(market, entries)

        seconds = turns({"ours": ours, "theirs": theirs}, slow)
        ratio = seconds["theirs"] / seconds["ours"]
        both = f"ours {seconds['ours']:.3f} s, theirs {seconds['theirs']:.3f} s"
        print(f"{library}: {len(columns)} columns, {both}: {ratio:.1f}x", flush=True)


def grow_to(n_rows: int) -> None:
    """Build every feature of candles in parts and let them go; print seconds and the process's peak memory."""
    market = make_market(3, n_rows // 3)
    entries = select(CATALOGUE, OF_CANDLES)
    build_features(market.until(int(market.open_time_ms[1000])), entries)
    began = time.perf_counter()
    total = sum(int(np.isfinite(part["return_1"]).sum()) for part in build_in_parts(market, entries, 100_000))
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{n_rows} {seconds:.4f} {peak:.2f} {total}")


def growth(runs: int) -> None:
    """Time against length, each length in processes of its own, and the exponent of a power law through the medians."""
    sizes, medians = [100_000, 1_000_000, 10_000_000], []
    for size in sizes:
        answers = []
        for _ in range(runs if size < 5_000_000 else 1):
            command = [sys.executable, __file__, "--grow-to", str(size)]
            answers.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
        medians.append(statistics.median(float(answer[1]) for answer in answers))
        peak = max(float(answer[2]) for answer in answers)
        print(f"{size:,} rows: {medians[-1]:.2f} s, {size / medians[-1] / 1e6:.2f} M rows/s, peak {peak:.2f} GB")
    print(f"exponent: {math.log(medians[-1] / medians[0]) / math.log(sizes[-1] / sizes[0]):.3f}")


def live(n_bars: int) -> None:
    """One symbol, bar by bar: quantiles of the time from a closed bar to all its features, early and late."""
    entries = select(CATALOGUE, [group for group in OF_CANDLES if group not in ("cross_asset", "relative")])
    market = make_market(1, n_bars)
    stream = FeatureStream(market.symbols, MINUTE_MS, entries)
    columns = np.stack([getattr(market, name)[0] for name in CANDLE_FIELDS], axis=1).tolist()
    seconds = np.empty(n_bars)
    memory = []
    for i, (opened, values) in enumerate(zip(market.open_time_ms.tolist(), columns, strict=True)):
        bar = dict(zip(CANDLE_FIELDS, values, strict=True))
        began = time.perf_counter()
        stream.push(market.symbols[0], opened, bar)
        seconds[i] = time.perf_counter() - began
        if i in (n_bars // 10, n_bars - 1):
            memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
    micro = 1e6 * seconds
    p50, p99 = np.quantile(micro[n_bars // 10 :], [0.5, 0.99])
    print(f"live, {len(entries)} features, {n_bars:,} bars: p50 {p50:.0f} us, p99 {p99:.0f} us")
    tenth = n_bars // 10
    for name, part in {"second tenth": micro[tenth : 2 * tenth], "last tenth": micro[-tenth:]}.items():
        print(f"  {name}: p50 {np.quantile(part, 0.5):.1f} us, p99 {np.quantile(part, 0.99):.1f} us")
    print(f"  peak memory after a tenth {memory[0]:.0f} MB, at the end {memory[1]:.0f} MB")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--runs", type=int, default=5)
    ask.add_argument("--bars", type=int, default=1_000_000, help="live bars")
    ask.add_argument("--only", choices=["batch", "peers", "growth", "live"])
    ask.add_argument("--grow-to", type=int, help=argparse.SUPPRESS)
    got = ask.parse_args()
    if got.grow_to:
        grow_to(got.grow_to)
        return
    for name, measure in {"batch": batch, "peers": peers, "growth": growth}.items():
        if got.only == name or (got.only is None and name != "growth"):
            measure(got.runs)
    if got.only in (None, "live"):
        live(got.bars)


if __name__ == "__main__":
    main()
