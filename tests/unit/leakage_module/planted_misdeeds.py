"""Features at fault in ways that no table of values shows: state, clock, chance, files, and what they return."""

from __future__ import annotations

import datetime
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

_KEPT: dict[object, Any] = {}
_HERE = Path(__file__).parent
_HOUR_MS = 3_600_000


def _hours(frame: pd.DataFrame) -> np.ndarray:
    return frame.index.astype("datetime64[ms, UTC]").astype("int64").to_numpy() // _HOUR_MS


def _move(frame: pd.DataFrame) -> pd.Series:
    return np.log(frame["close"]).diff()


def nearest(frame: pd.DataFrame) -> Any:
    daily = frame["close"].resample("1D").last().rename("daily").reset_index()
    left = frame.reset_index()[["open_time"]]
    joined = pd.merge_asof(left, daily, on="open_time", direction="nearest")
    return {"daily": joined["daily"].to_numpy() / frame["close"].to_numpy()}


def unclosed_bar(frame: pd.DataFrame) -> Any:
    return frame["close"].resample("4h").last().reindex(frame.index, method="ffill").rename("higher")


def target_mean(frame: pd.DataFrame) -> Any:
    ahead = frame["close"].shift(-1) / frame["close"] - 1
    return {"encoded": ahead.groupby(frame.index.hour).transform("mean")}


def noise(frame: pd.DataFrame) -> Any:
    return {"noise": np.random.default_rng().normal(size=len(frame))}


def the_time(frame: pd.DataFrame) -> Any:
    return {"age": frame["close"] * 0 + time.time()}


def the_year(frame: pd.DataFrame) -> Any:
    return {"year": frame["close"] * 0 + datetime.datetime.now().year}


def the_day_of_pandas(frame: pd.DataFrame) -> Any:
    return {"days": (pd.Timestamp.now(tz="UTC") - frame.index).days.to_numpy()}


def hash_of_text(frame: pd.DataFrame) -> Any:
    return {"bucket": frame["close"] * 0 + hash("BTC") % 1000}


def order_of_a_set(frame: pd.DataFrame) -> Any:
    order = list({"open", "high", "low", "close", "volume", "other", "more", "names"})
    return {"place": frame["close"] * 0 + order.index("open") * 8 + order.index("more")}


def cached_without_end(frame: pd.DataFrame) -> Any:
    key = (frame.index[0], float(frame["close"].dropna().iloc[0]))
    mean, spread = _KEPT.setdefault(key, (frame["close"].mean(), frame["close"].std()))
    return {"zscore": (frame["close"] - mean) / spread}


def cached_of_any_symbol(frame: pd.DataFrame) -> Any:
    return {"ratio": frame["close"] / _KEPT.setdefault("level", frame["close"].dropna().iloc[0])}


def writes_a_table(frame: pd.DataFrame) -> Any:
    frame.to_csv(_HERE / "written_by_the_module.csv")
    return {"one": frame["close"]}


def writes_and_goes_on(frame: pd.DataFrame) -> Any:
    try:
        (_HERE / "made_by_the_module").mkdir()
    except OSError:
        return {"move": _move(frame)}
    return {"move": _move(frame)}


def starts_a_process(frame: pd.DataFrame) -> Any:
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return {"one": frame["close"]}


def asks_the_network(frame: pd.DataFrame) -> Any:
    socket.create_connection(("127.0.0.1", 9), timeout=1)
    return {"one": frame["close"]}


def reads_a_table(frame: pd.DataFrame) -> Any:
    factor = float((_HERE / "factor.txt").read_text())
    return {"scaled": _move(frame) * factor}


def changes_the_frame(frame: pd.DataFrame) -> Any:
    frame["move"] = _move(frame)
    return frame


def raises(frame: pd.DataFrame) -> Any:
    return {"one": frame["no such column"]}


def prints(frame: pd.DataFrame) -> Any:
    for _ in range(200):
        print("{" * 5_000)
    sys.stderr.write("x" * 100_000)
    os.write(1, b"not a message\n" * 1_000)
    return {"printed": _move(frame)}


def exits(frame: pd.DataFrame) -> Any:
    sys.exit(0)


def too_short(frame: pd.DataFrame) -> Any:
    return {"short": frame["close"].to_numpy()[1:], "whole": _move(frame)}


def infinite(frame: pd.DataFrame) -> Any:
    divided = _move(frame) / (_hours(frame) % 50 != 0)
    return {"divided": divided, "and_ahead": divided.shift(-1)}


def texts(frame: pd.DataFrame) -> Any:
    return {"text": ["up"] * len(frame)}


def nothing(frame: pd.DataFrame) -> Any:
    return None


def no_value(frame: pd.DataFrame) -> Any:
    return {"empty": frame["close"] * np.nan}
