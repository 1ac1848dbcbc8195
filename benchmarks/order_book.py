"""Speed and memory of importing a recorded order book: messages a second, peak resident memory.

    python benchmarks/order_book.py [FILES… --symbol BTC/USDT] [--copies 1]

Without files it takes those beside the project, ../shared/data/orderbook. Copies follow one another in time and in ids:
a recording so many times as long. Memory should not grow with it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import tempfile
import time
from pathlib import Path

from candlelock.orderbook.importer import import_recording

SHARED = Path(__file__).resolve().parents[2] / "shared/data/orderbook/binance_spot_2024"
SHIFT_MS = 3_600_000
SHIFT_ID = 10**9
IDS, TIMES = ("U", "u", "t", "lastUpdateId"), ("E", "T")


def shifted(path: Path, copy: int, folder: Path) -> Path:
    """The same file, `copy` hours later and with ids of their own."""
    out = folder / f"{copy}-{path.name}"
    with gzip.open(path, "rt") as lines, gzip.open(out, "wt", compresslevel=1) as target:
        for line in lines:
            local, body = line.split(" ", 1)
            message = json.loads(body)
            data = message.get("data", message)
            data |= {key: data[key] + copy * SHIFT_ID for key in IDS if key in data}
            data |= {key: data[key] + copy * SHIFT_MS for key in TIMES if key in data}
            target.write(f"{int(local) + copy * SHIFT_MS * 1_000_000} {json.dumps(message)}\n")
    return out


def measure(paths: list[Path], symbol: str) -> None:
    """Import once and print."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        report = import_recording(paths, symbol, "1m", (1, 5, 10, 20), Path(folder) / "out", lambda *_: None)
        wall_s = time.perf_counter() - started
    n_messages = sum(report.messages.model_dump().values())
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    check = report.ticker_check
    print(
        f"{symbol}: {n_messages:,} messages in {wall_s:.2f} s, {n_messages / wall_s:,.0f} a second; "
        f"{report.n_bars} bars, {len(report.sequence_breaks)} breaks, {check.n_contradictions} contradictions "
        f"in {check.n_compared:,}; peak memory so far {memory_mb:.0f} MB"
    )


def main() -> None:
    """Measure the files named, or both symbols beside the project."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--symbol", default="BTC/USDT")
    parser.add_argument("--copies", type=int, default=1)
    options = parser.parse_args()
    sets = {options.symbol: options.files} if options.files else {}
    for base in ("BTC", "ETH") if not sets else ():
        sets[f"{base}/USDT"] = sorted(SHARED.glob(f"{base.lower()}usdt_*.gz"))
    with tempfile.TemporaryDirectory() as folder:
        for symbol, paths in sets.items():
            more = [shifted(path, copy, Path(folder)) for copy in range(1, options.copies) for path in paths]
            measure([*paths, *more], symbol)


if __name__ == "__main__":
    main()
