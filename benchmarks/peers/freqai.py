"""FreqAI on a set of candles: an offline back-test of freqtrade against the loopback exchange, one model per pair."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmarks.freqtrade_client import configuration
from benchmarks.peers.peer import Answer, call
from candlelock.contracts.params import bar_seconds
from candlelock.simulator.candle_folder import load_markets
from candlelock.simulator.running import running

if TYPE_CHECKING:
    from benchmarks.skill import CandleSet
    from candlelock.features.market import Market

HERE = Path(__file__).parent
NAME = "FreqAI"
REQUIREMENT = "freqtrade[freqai]==2026.9"
IDENTIFIER = "peer"
TIMEFRAMES = {"1m": ["1m", "5m", "15m"], "5m": ["5m", "15m", "1h"], "30m": ["30m", "1h", "4h"]}
LEADS = ("BTC", "ETH")
FIELDS = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """The first candle's opening, the first predicted one's, and the last one's close."""

    first: pd.Timestamp
    cut: pd.Timestamp
    end: pd.Timestamp

    @property
    def predicted(self) -> str:
        """As freqtrade's --timerange has it."""
        return f"{self.cut.timestamp():.0f}-{self.end.timestamp():.0f}"


def settings(wanted: CandleSet, span: Span) -> dict[str, Any]:
    """FreqAI's, as its documentation has them, but for one training on all before the cut, on one thread."""
    features = {
        "include_timeframes": TIMEFRAMES[wanted.timeframe],
        "include_corr_pairlist": [pair for pair in wanted.symbols if pair.split("/")[0] in LEADS],
        "label_period_candles": wanted.horizon,
        "include_shifted_candles": 2,
        "indicator_periods_candles": [10, 20],
    }
    return {
        "enabled": True,
        "identifier": IDENTIFIER,
        "train_period_days": math.ceil((span.cut - span.first) / DAY),
        "backtest_period_days": math.ceil((span.end - span.cut) / DAY),
        "feature_parameters": features,
        "data_split_parameters": {"test_size": 0.25},
        "model_training_parameters": {"n_jobs": 1},
        "save_backtest_models": False,
    }


def write_candles(market: Market, timeframes: list[str], folder: Path) -> None:
    """Feather files in freqtrade's layout: the candles there are, and those of longer bars made of them."""
    folder.mkdir(parents=True)
    times = pd.DatetimeIndex(market.open_time_ms.astype("datetime64[ms]"), name="date").tz_localize("UTC")
    for at, pair in enumerate(market.symbols):
        frame = pd.DataFrame({name: getattr(market, name)[at] for name in FIELDS}, times)[market.has_bar[at]]
        for timeframe in timeframes:
            bars = frame.resample(pd.Timedelta(seconds=bar_seconds(timeframe))).agg(FIELDS).dropna()
            bars.reset_index().to_feather(folder / f"{pair.replace('/', '_')}-{timeframe}.feather")


def backtest(python: Path, work: Path, timerange: str) -> None:
    """`freqtrade backtesting` on one thread; what it says in backtest.log."""
    command = [python, HERE / "freqai_call.py", work / "seconds.json", "backtesting", "--cache", "none", "--no-color"]
    command += ["--config", work / "config.json", "--userdir", work / "user", "--datadir", work / "candles"]
    command += ["--strategy", "Direction", "--freqaimodel", "LightGBMClassifier", "--timerange", timerange]
    call(command, work, work / "backtest.log")


def read_predictions(folder: Path) -> pd.DataFrame:
    """symbol, time and p_up; FreqAI writes a file for each pair, named cb_PAIR_CUT_prediction."""
    parts = []
    for path in sorted(folder.glob("*_prediction.feather")):
        said = pd.read_feather(path)
        parts.append(
            pd.DataFrame({"symbol": path.name.split("_")[1].upper(), "time": said["date"], "p_up": said["up"]})
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["symbol", "time", "p_up"])


def predict(python: Path, work: Path, wanted: CandleSet, market: Market, cut: pd.Timestamp) -> Answer:
    """Train on the candles before the cut and predict all from it on, in a folder that is made anew."""
    shutil.rmtree(work, ignore_errors=True)
    write_candles(market, TIMEFRAMES[wanted.timeframe], work / "candles")
    (work / "user/strategies").mkdir(parents=True)
    shutil.copy(HERE / "freqai_strategy.py", work / "user/strategies")
    first, after = pd.to_datetime(
        [market.open_time_ms[0], market.open_time_ms[-1] + market.bar_ms], unit="ms", utc=True
    )
    span = Span(first, cut, after)
    with running("binance", load_markets(work / "candles", wanted.timeframe)) as simulator:
        changed = {"stake_currency": wanted.symbols[0].split("/")[1], "timeframe": wanted.timeframe}
        told = configuration(simulator.base_url, list(wanted.symbols)) | changed | {"freqai": settings(wanted, span)}
        (work / "config.json").write_text(json.dumps(told, indent=1))
        backtest(python, work, span.predicted)
    rows = read_predictions(work / "user/models" / IDENTIFIER / "backtesting_predictions")
    if rows.loc[rows["p_up"] > 0, "symbol"].nunique() < len(wanted.symbols):
        raise SystemExit(f"FreqAI did not train every pair; {work / 'backtest.log'} says why")
    seconds = json.loads((work / "seconds.json").read_text())
    return Answer(rows, [sum(seconds[phase].values()) for phase in ("features", "training")])
