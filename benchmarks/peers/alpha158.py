"""qlib's Alpha158 under LightGBM on a set of candles: features by qlib's own engine, one model of all symbols.

The candles are written as qlib's own converter writes them: one calendar, which is the times at which any symbol has a
candle; float32 from each symbol's first candle to its last; NaN where it has none. So, as qlib does by default, windows
count the bars of the calendar, and a missing candle is a bar without a value inside them. The handler's 158 features
less VWAP0, as the candles have no such price, are 157. Nothing is normalised or filled, as Alpha158 does by default;
LightGBM takes NaN as it is.

The rows, labels and trees are those of `reference.py`, which has to be importable: 250 trees of 31 leaves, one seed,
trained on everything before the cut less the horizon. qlib's own benchmark settings of LightGBM are made for a
regression on daily returns of some hundred shares, and are not used; nor is its label, the return from the next close
to the one after it.
"""

from __future__ import annotations

import json
import shutil
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.peers.peer import Answer, call
from candlelock.features.market import CANDLE_FIELDS

if TYPE_CHECKING:
    from benchmarks.skill import CandleSet
    from candlelock.features.market import Market

NAME = "qlib's Alpha158"
REQUIREMENT = "pyqlib==0.9.7"
N_FEATURES = 157


def write_candles(market: Market, frequency: str, folder: Path) -> None:
    """qlib's layout: a calendar, the instruments with their spans, and a binary file for each field of a symbol."""
    kept = market.has_bar.any(axis=0)
    calendar = pd.to_datetime(market.open_time_ms[kept], unit="ms").strftime("%Y-%m-%d %H:%M:%S")
    spans = []
    for at, pair in enumerate(market.symbols):
        symbol = pair.split("/")[0]
        first, last = np.flatnonzero(market.has_bar[at, kept])[[0, -1]]
        spans.append(f"{symbol}\t{calendar[first]}\t{calendar[last]}\n")
        own = folder / "features" / symbol.lower()
        own.mkdir(parents=True)
        for name in CANDLE_FIELDS:
            values = getattr(market, name)[at, kept][first : last + 1]
            np.r_[first, values].astype("<f4").tofile(own / f"{name}.{frequency}.bin")
    for name, lines in ((f"calendars/{frequency}.txt", calendar + "\n"), ("instruments/all.txt", spans)):
        (folder / name).parent.mkdir()
        (folder / name).write_text("".join(lines))


def label(market: Market, horizon: int) -> pd.DataFrame:
    """symbol, time and y of the reference's rows."""
    times = pd.to_datetime(market.open_time_ms, unit="ms", utc=True)
    candles = {}
    for at, pair in enumerate(market.symbols):
        frame = pd.DataFrame({name: getattr(market, name)[at] for name in CANDLE_FIELDS}, times)
        candles[pair.split("/")[0]] = frame[market.has_bar[at]]
    rows, _ = import_module("reference").table(candles, pd.Timedelta(milliseconds=market.bar_ms), horizon)
    return pd.DataFrame(rows[["symbol", "time", "y"]])


def predict(python: Path, work: Path, wanted: CandleSet, market: Market, cut: pd.Timestamp) -> Answer:
    """Train on the rows before the cut and predict those from it on, in a folder that is made anew."""
    shutil.rmtree(work, ignore_errors=True)
    frequency = wanted.timeframe.replace("m", "min")
    write_candles(market, frequency, work / "candles")
    script = Path(__file__).with_name("alpha158_call.py")
    call([python, script, work / "candles", frequency], work, work / "features.log")
    features = pd.read_parquet(work / "features.parquet")
    features["time"] = features["time"].dt.tz_localize("UTC")
    names = list(features.columns.drop(["symbol", "time"]))
    if len(names) != N_FEATURES:
        raise SystemExit(f"{REQUIREMENT} gave {len(names)} features, not {N_FEATURES}")
    rows = label(market, wanted.horizon).merge(features, on=["symbol", "time"])
    train = rows[rows["time"] < cut - pd.Timedelta(milliseconds=wanted.horizon * market.bar_ms)]
    test = rows[rows["time"] >= cut]
    began = time.process_time()
    model = import_module("reference").LightGBM().fit(train[names], train["y"])
    seconds = [json.loads((work / "seconds.json").read_text()), time.process_time() - began]
    return Answer(test[["symbol", "time"]].assign(p_up=model.up(test[names])), seconds)
