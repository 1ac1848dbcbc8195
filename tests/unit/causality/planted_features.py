"""A plug-in of features that see more than they may, each in its own way, and of honest ones that look alike.

The tests copy it beside a registry made of `planted_registry`, and read it as any plug-in's file.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
import pandas as pd
from scipy import signal

Columns = dict[str, Any]
_STORE: dict[object, pd.Series] = {}
_COUNTER = itertools.count()


def _hour(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(frame.index.hour, frame.index)


def _day(frame: pd.DataFrame) -> pd.Index:
    return frame.index.floor("D")


# --- the next bars ------------------------------------------------------------------------------------------------


def next_return(frame: pd.DataFrame) -> Columns:
    return {"next_return": frame["close"].pct_change(fill_method=None).shift(-1)}


def return_ahead_6(frame: pd.DataFrame) -> Columns:
    return {"return_ahead_6": frame["close"].shift(-6) / frame["close"] - 1}


def next_low_touched(frame: pd.DataFrame) -> Columns:
    return {"next_low_touched": (frame["low"].shift(-1) < frame["low"]).astype(float)}


def centred_mean(frame: pd.DataFrame) -> Columns:
    return {"centred_mean": frame["close"] / frame["close"].rolling(13, center=True, min_periods=1).mean()}


def centred_max(frame: pd.DataFrame) -> Columns:
    return {"centred_max": frame["high"].rolling(7, center=True, min_periods=1).max() / frame["close"]}


def central_difference(frame: pd.DataFrame) -> Columns:
    return {"central_difference": np.gradient(np.log(frame["close"].to_numpy()))}


def pivot_high(frame: pd.DataFrame) -> Columns:
    return {"pivot_high": (frame["high"] == frame["high"].rolling(11, center=True).max()).astype(float)}


def last_pivot(frame: pd.DataFrame) -> Columns:
    pivot = frame["high"] == frame["high"].rolling(11, center=True).max()
    return {"last_pivot": frame["high"].where(pivot).ffill(limit=40) / frame["close"]}


def rare_peek(frame: pd.DataFrame) -> Columns:
    move = np.log(frame["close"]).diff()
    return {"rare_peek": move.where(move.abs() < 0.02, move.shift(-1))}


def bars_to_gap(frame: pd.DataFrame) -> Columns:
    return {"bars_to_gap": frame["close"].isna().shift(-1, fill_value=False).astype(float)}


# --- all rows -----------------------------------------------------------------------------------------------------


def whole_zscore(frame: pd.DataFrame) -> Columns:
    return {"whole_zscore": (frame["volume"] - frame["volume"].mean()) / frame["volume"].std()}


def whole_min_max(frame: pd.DataFrame) -> Columns:
    low, high = frame["low"].min(), frame["high"].max()
    return {"whole_min_max": (frame["close"] - low) / (high - low)}


def over_maximum(frame: pd.DataFrame) -> Columns:
    return {"over_maximum": frame["close"] / frame["close"].max()}


def quantile_bin(frame: pd.DataFrame) -> Columns:
    return {"quantile_bin": pd.qcut(frame["close"], 10, labels=False, duplicates="drop").astype(float)}


def whole_rank(frame: pd.DataFrame) -> Columns:
    return {"whole_rank": frame["close"].rank(pct=True)}


def detrended(frame: pd.DataFrame) -> Columns:
    at, close = np.arange(len(frame)), frame["close"].interpolate().bfill()
    return {"detrended": frame["close"] - np.polyval(np.polyfit(at, close, 1), at) if len(frame) > 2 else close * 0}


def hour_encoded(frame: pd.DataFrame) -> Columns:
    ahead = frame["close"].shift(-1) / frame["close"] - 1
    return {"hour_encoded": ahead.groupby(_hour(frame)).transform("mean")}


def since_last_row(frame: pd.DataFrame) -> Columns:
    known = frame["close"].dropna()
    return {"since_last_row": frame["close"] / (known.iloc[-1] if len(known) else 1.0)}


def share_of_length(frame: pd.DataFrame) -> Columns:
    return {"share_of_length": np.arange(len(frame)) / len(frame)}


def many_rows(frame: pd.DataFrame) -> Columns:
    return {"many_rows": frame["close"] * (len(frame) > 500)}


# --- smoothing both ways ------------------------------------------------------------------------------------------


def filtered_both_ways(frame: pd.DataFrame) -> Columns:
    close = frame["close"].interpolate().bfill().ffill().fillna(1.0).to_numpy()
    taps = signal.butter(2, 0.1)
    return {"filtered_both_ways": signal.filtfilt(*taps, close) if len(close) > 20 else close}


def savitzky_golay(frame: pd.DataFrame) -> Columns:
    close = frame["close"].interpolate().bfill().ffill().fillna(1.0).to_numpy()
    return {"savitzky_golay": signal.savgol_filter(close, 9, 2) if len(close) > 9 else close}


def reversed_decay(frame: pd.DataFrame) -> Columns:
    return {"reversed_decay": frame["close"] / frame["close"][::-1].ewm(span=5).mean()[::-1]}


def low_pass(frame: pd.DataFrame) -> Columns:
    close = frame["close"].interpolate().bfill().ffill().fillna(1.0).to_numpy()
    spectrum = np.fft.rfft(close)
    spectrum[max(len(spectrum) // 10, 1) :] = 0
    return {"low_pass": np.fft.irfft(spectrum, len(close)) / close}


def kernel_smoothed(frame: pd.DataFrame) -> Columns:
    return {"kernel_smoothed": np.convolve(frame["close"].fillna(0.0), np.ones(5) / 5, "same")}


# --- running days, weeks, higher bars -----------------------------------------------------------------------------


def days_high(frame: pd.DataFrame) -> Columns:
    return {"days_high": frame["high"].groupby(_day(frame)).transform("max") / frame["close"]}


def months_mean(frame: pd.DataFrame) -> Columns:
    month = frame.index.year * 12 + frame.index.month
    return {"months_mean": frame["close"].groupby(month).transform("mean") / frame["close"]}


def weeks_volume(frame: pd.DataFrame) -> Columns:
    week = (frame.index.floor("D") - pd.to_timedelta(frame.index.day_of_week, "D")).tz_localize(None)
    return {"weeks_volume": frame["volume"] / frame["volume"].groupby(week).transform("sum")}


def joined_early(frame: pd.DataFrame) -> Columns:
    higher = frame["close"].resample("4h").last()
    return {"joined_early": higher.reindex(frame.index, method="ffill") / frame["close"]}


def running_higher_bar(frame: pd.DataFrame) -> Columns:
    higher = frame.index.floor("4h")
    return {"running_higher_bar": frame["close"].groupby(higher).transform(lambda part: part.expanding().mean())}


def higher_bar_one_early(frame: pd.DataFrame) -> Columns:
    closes = frame["close"].where((_hour(frame) % 4 == 2) & frame["close"].notna())
    return {"higher_bar_one_early": closes.ffill(limit=3)}


# --- gaps ---------------------------------------------------------------------------------------------------------


def filled_backwards(frame: pd.DataFrame) -> Columns:
    return {"filled_backwards": frame["close"].where(_hour(frame) % 6 == 0).bfill() / frame["close"]}


def interpolated(frame: pd.DataFrame) -> Columns:
    return {"interpolated": frame["close"].where(_hour(frame) % 6 == 0).interpolate() / frame["close"]}


def return_over_gap(frame: pd.DataFrame) -> Columns:
    return {"return_over_gap": frame["close"].dropna().pct_change().reindex(frame.index)}


def filled_return(frame: pd.DataFrame) -> Columns:
    return {"filled_return": frame["close"].ffill().diff()}


# --- more past than declared --------------------------------------------------------------------------------------


def since_first_row(frame: pd.DataFrame) -> Columns:
    known = frame["close"].dropna()
    return {"since_first_row": frame["close"] / (known.iloc[0] if len(known) else 1.0)}


def growing_mean(frame: pd.DataFrame) -> Columns:
    return {"growing_mean": frame["close"] / frame["close"].expanding().mean()}


def drawdown(frame: pd.DataFrame) -> Columns:
    return {"drawdown": frame["close"] / frame["close"].cummax() - 1}


def balance_volume(frame: pd.DataFrame) -> Columns:
    return {"balance_volume": (np.sign(frame["close"].diff()) * frame["volume"]).cumsum()}


def decay_too_short(frame: pd.DataFrame) -> Columns:
    return {"decay_too_short": frame["close"] / frame["close"].ewm(span=20, adjust=False).mean()}


def window_too_short(frame: pd.DataFrame) -> Columns:
    return {"window_too_short": frame["close"] / frame["close"].rolling(30).mean()}


def one_bar_too_short(frame: pd.DataFrame) -> Columns:
    return {"one_bar_too_short": np.log(frame["close"]).diff().rolling(10).std()}


def row_number(frame: pd.DataFrame) -> Columns:
    return {"row_number": np.arange(len(frame), dtype=float)}


def noise_by_row(frame: pd.DataFrame) -> Columns:
    return {"noise_by_row": np.random.default_rng(7).normal(size=len(frame))}


# --- what is kept between calls, and other misdeeds -----------------------------------------------------------------


def cached_zscore(frame: pd.DataFrame) -> Columns:
    if not len(frame):
        return {"cached_zscore": frame["close"]}
    key = ("zscore", frame.index[0], float(frame["close"].fillna(0.0).iloc[0]))
    whole = _STORE.get(key)
    if whole is None or len(whole) < len(frame):
        whole = _STORE[key] = (frame["close"] - frame["close"].mean()) / frame["close"].std()
    return {"cached_zscore": whole.iloc[: len(frame)]}


def cached_by_start(frame: pd.DataFrame) -> Columns:
    if not len(frame):
        return {"cached_by_start": frame["close"]}
    key = ("mean", frame.index[0], float(frame["close"].fillna(0.0).iloc[0]))
    kept = _STORE.setdefault(key, frame["close"].rolling(5).mean())
    return {"cached_by_start": kept.reindex(frame.index)}


def noise(frame: pd.DataFrame) -> Columns:
    return {"noise": np.random.default_rng().normal(size=len(frame))}


def clock(frame: pd.DataFrame) -> Columns:
    return {"clock": frame["close"] * 0 + time.perf_counter()}


def call_number(frame: pd.DataFrame) -> Columns:
    return {"call_number": frame["close"] * 0 + next(_COUNTER)}


def changes_frame(frame: pd.DataFrame) -> Columns:
    frame["close"] = frame["close"].ffill()
    return {"changes_frame": frame["close"].diff()}


def fails_when_short(frame: pd.DataFrame) -> Columns:
    if len(frame) < 300:
        raise ValueError("too short")
    return {"fails_when_short": frame["close"].diff()}


def reads_volume(frame: pd.DataFrame) -> Columns:
    return {"reads_volume": frame["close"].diff() * frame["volume"]}


def reads_time(frame: pd.DataFrame) -> Columns:
    return {"reads_time": frame["close"].diff() * _hour(frame)}


# --- honest -------------------------------------------------------------------------------------------------------


def returns(frame: pd.DataFrame) -> Columns:
    log_close = np.log(frame["close"])
    return {"honest_return_1": log_close.diff(), "honest_return_12": log_close.diff(12)}


def averages(frame: pd.DataFrame) -> Columns:
    close = frame["close"]
    return {
        "honest_mean_20": close / close.rolling(20).mean(),
        "honest_zscore_24": (close - close.rolling(24).mean()) / close.rolling(24).std(),
        "honest_median_9": close / close.rolling(9).median(),
    }


def decay(frame: pd.DataFrame) -> Columns:
    return {"honest_decay": frame["close"] / frame["close"].ewm(span=6, adjust=False, ignore_na=False).mean()}


def spreads(frame: pd.DataFrame) -> Columns:
    move = np.log(frame["close"]).diff()
    return {
        "honest_std_10": move.rolling(10).std(),
        "honest_skew_30": move.rolling(30).skew(),
        "honest_kurt_30": move.rolling(30).kurt(),
        "honest_rank_24": frame["close"].rolling(24).rank(pct=True),
        "honest_quantile_24": frame["close"].rolling(24).quantile(0.9) / frame["close"],
    }


def ranges(frame: pd.DataFrame) -> Columns:
    high, low = frame["high"].rolling(14).max(), frame["low"].rolling(14).min()
    return {
        "honest_stochastic": (frame["close"] - low) / (high - low),
        "honest_range": (frame["high"] - frame["low"]) / frame["close"],
        "honest_body": frame["close"] / frame["open"] - 1,
    }


def strength(frame: pd.DataFrame) -> Columns:
    move = frame["close"].diff()
    return {"honest_rsi": move.clip(lower=0).rolling(14).sum() / move.abs().rolling(14).sum()}


def volumes(frame: pd.DataFrame) -> Columns:
    signed = np.sign(frame["close"].diff()) * frame["volume"]
    return {
        "honest_signed_volume": signed.rolling(12).sum() / frame["volume"].rolling(12).sum(),
        "honest_volume_ratio": frame["volume"] / frame["volume"].rolling(24).mean(),
        "honest_correlation": frame["close"].rolling(24).corr(frame["volume"]),
    }


def times(frame: pd.DataFrame) -> Columns:
    angle = 2 * np.pi * _hour(frame) / 24
    return {"honest_hour": np.sin(angle), "honest_weekday": frame.index.day_of_week.to_numpy().astype(float)}


def day_so_far(frame: pd.DataFrame) -> Columns:
    return {"honest_day_high": frame["high"].groupby(_day(frame)).cummax() / frame["close"]}


def higher_bar(frame: pd.DataFrame) -> Columns:
    closes = frame["close"].where(_hour(frame) % 4 == 3)
    return {"honest_higher_close": closes.ffill(limit=3)}


def gaps(frame: pd.DataFrame) -> Columns:
    missing = frame["close"].isna().astype(float).rolling(10, min_periods=1).sum()
    return {"honest_missing_10": missing.where(frame["close"].notna())}
