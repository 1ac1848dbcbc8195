"""Let an unmodified freqtrade download candles from `candlelock exchange-sim` and compare them with their source.

    python benchmarks/freqtrade_client.py ../shared/data/candles/binance_spot_1m_2025 --days 7

Makes a virtual environment with freqtrade in a temporary folder, or takes the interpreter of one that is there with
--python. Two pairs of FOLDER, whose files are feather in freqtrade's layout, are downloaded; every time and every value
has to be the source's. `only_from_ccxt` keeps freqtrade from asking Binance's archive instead of the server.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

SETTINGS = {"dry_run": True, "stake_currency": "USDT", "stake_amount": "unlimited", "max_open_trades": 1}
URLS = {
    "public": "/api/v3",
    "private": "/api/v3",
    "v1": "/api/v1",
    "fapiPublic": "/fapi/v1",
    "dapiPublic": "/dapi/v1",
}


def make_environment(folder: Path, requirement: str = "freqtrade") -> Path:
    """A virtual environment with freqtrade; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin/python"
    subprocess.run([str(python), "-m", "pip", "install", "-q", requirement], check=True)
    return python


def configuration(base_url: str, pairs: list[str]) -> dict[str, object]:
    """Freqtrade's settings, with every address of the exchange replaced by the simulator's."""
    client = {"urls": {"api": {name: base_url + path for name, path in URLS.items()}}}
    exchange = {"name": "binance", "only_from_ccxt": True, "pair_whitelist": pairs, "ccxt_config": client}
    prices = {"price_side": "same", "use_order_book": True, "order_book_top": 1}
    pairlists = [{"method": "StaticPairList"}]
    return SETTINGS | {"exchange": exchange, "entry_pricing": prices, "exit_pricing": prices, "pairlists": pairlists}


def download(python: Path, work: Path, settings: dict[str, object], timeframe: str, span: str) -> float:
    """Wall seconds of `freqtrade download-data`."""
    (work / "config.json").write_text(json.dumps(settings))
    command = [str(python), "-m", "freqtrade", "download-data", "--config", str(work / "config.json")]
    command += ["--userdir", str(work / "user"), "--timeframes", timeframe, "--timerange", span]
    (work / "user").mkdir()
    start = time.perf_counter()
    subprocess.run(command, cwd=work, env=os.environ | {"PYTHONPATH": ""}, check=True)
    return time.perf_counter() - start


def compare(source: Path, downloaded: Path, first: pd.Timestamp, end: pd.Timestamp) -> str:
    """One line of the result: rows and how many values differ."""
    frames = [pd.read_feather(path) for path in (source, downloaded)]
    wanted, got = (f[(f["date"] >= first) & (f["date"] < end)].reset_index(drop=True) for f in frames)
    if len(wanted) != len(got):
        return f"{source.name}: {len(got)} rows of {len(wanted)}: DIFFERENT"
    n_other = int((wanted.to_numpy() != got[list(wanted.columns)].to_numpy()).sum())
    return f"{source.name}: {len(got)} rows, {n_other} values differ: {'DIFFERENT' if n_other else 'equal'}"


def main() -> None:
    """Serve, download, compare."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("folder", type=Path)
    ask.add_argument("--python", type=Path, help="interpreter of an environment that has freqtrade")
    ask.add_argument("--days", type=int, default=7)
    got = ask.parse_args()
    sources = sorted(got.folder.glob("*_USDT-*.feather"))[:2]
    pairs = [path.name.split("-")[0].replace("_", "/") for path in sources]
    timeframe = sources[0].stem.split("-")[1]
    end = min(pd.read_feather(path, columns=["date"])["date"].iloc[-1] for path in sources).floor("D")
    first = end - pd.Timedelta(days=got.days)
    work = Path(tempfile.mkdtemp(prefix="candlelock-freqtrade-"))
    python = got.python or make_environment(work / "venv")
    serve = [sys.executable, "-m", "candlelock.cli.main", "exchange-sim", "--dialect", "binance", "--json"]
    with subprocess.Popen([*serve, "--data", str(got.folder)], stdout=subprocess.PIPE, text=True) as server:
        try:
            base_url = json.loads(server.stdout.readline())["base_url"] if server.stdout else ""
            span = f"{first.timestamp():.0f}-{end.timestamp():.0f}"
            seconds = download(python, work, configuration(base_url, pairs), timeframe, span)
        finally:
            server.terminate()
    folder = work / "user/data/binance"
    print(*(compare(path, folder / path.name, first, end) for path in sources), f"{seconds:.1f} s", sep="\n")


if __name__ == "__main__":
    main()
