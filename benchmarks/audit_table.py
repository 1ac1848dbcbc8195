"""Speed and memory of `candlelock audit table`, beside a plain pandas.read_parquet of the same file.

    python benchmarks/audit_table.py [--rows 1000000] [--features 40] [--symbols 10]

The table is a random walk per symbol, moving together, with slow, fast and missing values, a label over 12 bars and
parts that are purged: nothing is to be found in it.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

HORIZON, MINUTE = 12, 60_000
BEGIN = 1_600_000_020_000
READ = "import pandas; pandas.read_parquet({!r})"


def table(n_rows: int, n_features: int, n_symbols: int) -> pd.DataFrame:
    """An honest table."""
    rng = np.random.default_rng(7)
    n_bars = n_rows // n_symbols
    market = rng.standard_t(4, n_bars)
    return pd.concat(
        [block(rng, market, f"C{number:02}", n_features) for number in range(n_symbols)], ignore_index=True
    )


def block(rng: np.random.Generator, market: np.ndarray, symbol: str, n_features: int) -> pd.DataFrame:
    """One symbol's rows."""
    n_bars = len(market)
    move = pd.Series(0.001 * (0.8 * market + 0.6 * rng.standard_t(4, n_bars)))
    close = move.cumsum()
    columns = {}
    for number in range(n_features):
        window = 2 + 5 * (number // 4)
        columns[f"f{number:02}"] = (
            move.rolling(window).sum(),
            move.rolling(window).std(),
            close - close.rolling(window).mean(),
            pd.Series(rng.normal(size=n_bars)).rolling(window).mean(),
        )[number % 4]
    times = BEGIN + MINUTE * np.arange(n_bars)
    rows = pd.DataFrame(columns)
    rows.insert(0, "symbol", symbol)
    rows.insert(1, "time", pd.to_datetime(times, unit="ms", utc=True))
    rows["label"] = (close.shift(-HORIZON) > close).astype(float).where(close.shift(-HORIZON).notna())
    rows["label_end"] = rows["time"] + pd.Timedelta(minutes=HORIZON)
    cuts = [int(0.7 * n_bars), int(0.85 * n_bars)]
    bar = np.arange(n_bars)
    rows["split"] = np.array(["train", "validation", "test"], dtype=object)[np.searchsorted(cuts, bar, side="right")]
    rows.loc[[any(cut - HORIZON <= each < cut for cut in cuts) for each in bar], "split"] = None
    return rows


def measure(command: list[str]) -> tuple[float, int]:
    """Seconds that a command took, and its exit code."""
    started = time.perf_counter()
    code = subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode
    return time.perf_counter() - started, code


def main() -> None:
    """Measure and print a row of a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--symbols", type=int, default=10)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        table(chosen.rows, chosen.features, chosen.symbols).to_parquet(path)
        plain_s, _ = measure([sys.executable, "-c", READ.format(str(path))])
        plain_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        names = ["--time", "time", "--label", "label", "--label-end", "label_end", "--split", "split"]
        command = [str(Path(sys.executable).parent / "candlelock"), "audit", "table", str(path), *names]
        audit_s, code = measure([*command, "--symbol", "symbol"])
        audit_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print("| rows | features | symbols | read_parquet | audit table | exit code |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {chosen.rows:,} | {chosen.features} | {chosen.symbols} | {plain_s:.1f} s, {plain_mb:,.0f} MB "
        f"| {audit_s:.1f} s, {audit_mb:,.0f} MB | {code} |"
    )


if __name__ == "__main__":
    main()
