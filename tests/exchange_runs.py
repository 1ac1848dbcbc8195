"""Snapshots taken from a simulated exchange, and what became of them: for tests and benchmarks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from candlelock.contracts.errors import CandlelockError
from candlelock.contracts.stage_params import SnapshotParams
from candlelock.simulator.market import Market
from candlelock.snapshot.exchange.client import Patience
from candlelock.snapshot.exchange.fetch import taking
from candlelock.snapshot.publication import publish
from candlelock.snapshot.raw_candles import AMOUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from candlelock.contracts.snapshot_documents import Manifest
    from candlelock.simulator.running import Simulator

MINUTE_MS = 60_000
START_MS = 1_704_067_200_000  # 2024-01-01
FIRST_TICKS = 1_000_000  # a walk of many bars stays above zero
SYMBOLS = ("BTC/USDT", "ETH/USDT")
QUICK = Patience(answer_s=0.5, n_attempts=6, backoff_s=0.01, max_pause_s=5.0)
QUALITY = {"max_missing_frac": 0.25, "max_zero_volume_frac": 0.9, "frozen_bars": 99, "outlier_mads": 1e9}


def make_market(symbol: str, seed: int, n_bars: int, holes: Sequence[range] = (), timeframe: str = "1m") -> Market:
    """A seeded walk of minute bars from 2024-01-01 on, two decimals in price and five in volume, without the holes."""
    random = np.random.default_rng(seed)
    close = FIRST_TICKS + np.cumsum(random.integers(-50, 51, n_bars))
    opened = np.concatenate([[FIRST_TICKS], close[:-1]])
    high = np.maximum(opened, close) + random.integers(0, 20, n_bars)
    low = np.minimum(opened, close) - random.integers(0, 20, n_bars)
    volume = random.integers(1, 10**7, n_bars)
    kept = np.array([not any(bar in hole for hole in holes) for bar in range(n_bars)])
    times = START_MS + MINUTE_MS * np.flatnonzero(kept)
    columns = {"open_time_utc": pa.array(times).cast(pa.timestamp("ms", "UTC"))}
    for name, ticks in zip(AMOUNTS, (opened, high, low, close, volume), strict=True):
        scale = 5 if name == "volume" else 2
        text = [f"{tick / 10**scale:.{scale}f}" for tick in ticks[kept].tolist()]
        columns[name] = pa.array(text).cast(pa.decimal128(18, scale))
    return Market.of(symbol, timeframe, MINUTE_MS, pa.table(columns))


def make_params(
    sim: Simulator, symbols: Sequence[str] = SYMBOLS, name: str = "binance", **asked: Any
) -> SnapshotParams:
    """Settings that take one-minute candles from the simulator: by default the last day."""
    exchange = {"name": name, "base_url": sim.base_url, "start": None, "end": None, "days": None, "n_readings": 1}
    return SnapshotParams.model_validate(
        {
            "source": "exchange",
            "timeframe": "1m",
            "symbols": list(symbols),
            "min_rows": 1,
            "files": {"path": "x"},
            "exchange": exchange | (asked or {"days": 1}),
            "quality": QUALITY,
        }
    )


def take(
    params: SnapshotParams,
    folder: Path,
    patience: Patience = QUICK,
    on_progress: Callable[[int, int], None] = lambda n_done, n_total: None,
) -> Manifest:
    """Take a snapshot into `folder`/out, with the answers kept in `folder`/downloads."""
    with taking(params, folder / "downloads", patience, on_progress) as (candles, source):
        return publish(folder / "out", candles, source, params)


def content(folder: Path) -> dict[str, bytes]:
    """File name -> bytes of what was published; empty when nothing was."""
    return {path.name: path.read_bytes() for path in sorted((folder / "out").glob("*"))}


def try_under(
    sim: Simulator, rules: Sequence[Mapping[str, Any]], params: SnapshotParams, folder: Path, deadline_s: float = 60.0
) -> str:
    """How a run under faults ends: `complete`, the code of the error, `hang`, or the traceback's type."""
    sim.set_faults(rules)
    ends: list[str] = []

    def run() -> None:
        try:
            take(params, folder)
            ends.append("complete")
        except CandlelockError as error:
            ends.append(error.problems[0].code)
        except BaseException as error:
            ends.append(f"{type(error).__name__}: {error}")
            raise

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(deadline_s)
    sim.set_faults([])
    return ends[0] if ends else "hang"
