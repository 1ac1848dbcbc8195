"""Ninety days of one-minute candles of three symbols from the loopback exchange, beside a bare ccxt loop.

    python benchmarks/exchange_speed.py [--repeats 3] [--latency-ms 0 50]

Each is a process of its own, timed after its imports, by turns: `candlelock` from the first request to the published
snapshot; `bare`, a loop over `fetch_ohlcv` that checks and writes nothing, with ccxt's defaults; `unlimited`, the same
with ccxt's rate limiter off, as nobody may run it against a real exchange. Prints medians, ratios and peak memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
DAYS = 90
MINUTES = DAYS * 1440


def write_candles(folder: Path) -> None:
    """A parquet file of exact decimals per symbol."""
    from tests.exchange_runs import make_market

    for seed, symbol in enumerate(SYMBOLS):
        pq.write_table(make_market(symbol, seed, MINUTES + 10).table, folder / f"{symbol.replace('/', '_')}-1m.parquet")


def take_bare(base_url: str, is_limited: bool) -> dict[str, float]:
    """The loop that everybody writes."""
    import ccxt

    exchange = ccxt.binance({"enableRateLimit": is_limited, "options": {"fetchMarkets": {"types": ["spot"]}}})
    exchange.has["fetchCurrencies"] = False
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], f"{base_url}/api/v3")
    started, n_rows = time.perf_counter(), 0
    end = exchange.fetch_time() // 60_000 * 60_000
    for symbol in SYMBOLS:
        since = end - MINUTES * 60_000
        while since < end:
            rows = exchange.fetch_ohlcv(symbol, "1m", since, 1000)
            n_rows, since = n_rows + len(rows), rows[-1][0] + 60_000
    return {"n_rows": n_rows, "seconds": time.perf_counter() - started}


def take_checked(base_url: str) -> dict[str, float]:
    """What `candlelock snapshot` does, quality refusals, hashes and files included."""
    from candlelock.contracts.stage_params import SnapshotParams
    from candlelock.snapshot.exchange.client import Patience
    from candlelock.snapshot.exchange.fetch import taking
    from candlelock.snapshot.publication import publish
    from tests.exchange_runs import QUALITY

    asked = {"name": "binance", "base_url": base_url, "start": None, "end": None, "days": DAYS, "n_readings": 1}
    params = SnapshotParams.model_validate(
        {
            "source": "exchange",
            "timeframe": "1m",
            "symbols": list(SYMBOLS),
            "min_rows": 1,
            "files": {"path": "x"},
            "exchange": asked,
            "quality": QUALITY,
        }
    )
    with tempfile.TemporaryDirectory() as name:
        started = time.perf_counter()
        with taking(params, Path(name) / "downloads", Patience(), lambda n_done, n_total: None) as (candles, source):
            manifest = publish(Path(name) / "out", candles, source, params)
        seconds = time.perf_counter() - started
    return {"n_rows": sum(symbol.n_rows for symbol in manifest.symbols), "seconds": seconds}


def run_child(kind: str, base_url: str) -> None:
    """One measurement, printed as JSON."""
    found = take_checked(base_url) if kind == "candlelock" else take_bare(base_url, kind == "bare")
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def measure(folder: Path, latency_ms: float, kinds: tuple[str, ...], repeats: int) -> None:
    """All kinds by turns against one server; the medians."""
    command = ["-m", "candlelock.cli.main", "exchange-sim", "--dialect", "binance", "--data", str(folder), "--json"]
    with subprocess.Popen(
        [sys.executable, *command, "--latency-ms", str(latency_ms)], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout
            base_url = json.loads(server.stdout.readline())["base_url"]
            found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
            for _ in range(repeats):
                for kind in kinds:
                    answer = subprocess.run(
                        [sys.executable, __file__, "--child", kind, base_url],
                        capture_output=True,
                        text=True,
                        check=False,
                    )
                    if answer.returncode:
                        raise SystemExit(answer.stderr)
                    found[kind].append(json.loads(answer.stdout))
        finally:
            server.terminate()
    ours = statistics.median(run["seconds"] for run in found["candlelock"])
    for kind, runs in found.items():
        seconds = statistics.median(run["seconds"] for run in runs)
        rows, peak = runs[0]["n_rows"], max(run["peak_mb"] for run in runs)
        print(
            f"{latency_ms:4.0f} ms  {kind:10}  {rows:9,.0f} rows  {seconds:6.2f} s  {peak:4.0f} MB  "
            f"candlelock takes {ours / seconds:.2f} of it"
        )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, nargs="+", default=[0, 50])
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run_child(*options.child)
        return
    with tempfile.TemporaryDirectory() as name:
        write_candles(Path(name))
        for latency_ms in options.latency_ms:
            measure(Path(name), latency_ms, ("candlelock", "bare", "unlimited"), options.repeats)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
