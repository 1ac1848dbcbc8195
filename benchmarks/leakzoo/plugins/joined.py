"""Leaks of joins: higher timeframes, nearest times, keys that belong to a later bar."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

Columns = dict[str, Any]


def _hour(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(frame.index.hour, frame.index)


def _merged(frame: pd.DataFrame, coarse: pd.Series, direction: str, **rest: pd.Timedelta) -> pd.Series:
    """The coarse series at the frame's times, by merge_asof; relative to the close."""
    left = pd.DataFrame({"at": frame.index})
    right = pd.DataFrame({"at": coarse.index.astype(frame.index.dtype), "value": coarse.to_numpy()}).dropna()
    both = pd.merge_asof(left, right, on="at", direction=direction, **rest)
    return pd.Series(both["value"].to_numpy(), frame.index) / frame["close"]


def _four_hours(frame: pd.DataFrame) -> pd.Series:
    """Closes of bars of four hours, by the time at which each opens."""
    return frame["close"].resample("4h").last()


def higher_unclosed(frame: pd.DataFrame) -> Columns:
    return {"higher_unclosed": _four_hours(frame).reindex(frame.index, method="ffill") / frame["close"]}


def higher_high_at_open(frame: pd.DataFrame) -> Columns:
    return {"higher_high_at_open": frame["high"].resample("6h").transform("max") / frame["close"]}


def nearest_merge(frame: pd.DataFrame) -> Columns:
    closed = _four_hours(frame).copy()
    closed.index += pd.Timedelta(hours=3)  # the bar at whose close each is known
    return {"nearest_merge": _merged(frame, closed, "nearest")}


def forward_merge(frame: pd.DataFrame) -> Columns:
    closed = _four_hours(frame).copy()
    closed.index += pd.Timedelta(hours=3)
    return {"forward_merge": _merged(frame, closed, "forward")}


def nearest_with_tolerance(frame: pd.DataFrame) -> Columns:
    daily = frame["close"].where(_hour(frame) == 12)
    return {"nearest_with_tolerance": _merged(frame, daily, "nearest", tolerance=pd.Timedelta(hours=5))}


def reindexed_nearest(frame: pd.DataFrame) -> Columns:
    thin = frame["close"][::5]
    return {"reindexed_nearest": thin.reindex(frame.index, method="nearest") / frame["close"]}


def open_candle_as_final(frame: pd.DataFrame) -> Columns:
    """The running mean of a bar of four, declared as that of the last closed one."""
    close, higher = frame["close"], frame.index.floor("4h")
    running = close.groupby(higher).cumsum() / close.notna().groupby(higher).cumsum()
    return {"open_candle_as_final": running / frame["close"].shift(4)}


def closed_one_bar_early(frame: pd.DataFrame) -> Columns:
    """A bar of four is taken as closed with its third bar."""
    closes = frame["close"].where((_hour(frame) % 4 == 2) & frame["close"].notna())
    return {"closed_one_bar_early": closes.ffill(limit=3)}


def foreign_day_on_utc_date(frame: pd.DataFrame) -> Columns:
    """The close of the New York day, joined to the date in UTC as if both ended together."""
    date_there = pd.Series(frame.index.tz_convert("America/New_York").date, frame.index)
    daily = frame["close"].groupby(date_there).last()
    before = [each - pd.Timedelta(days=1) for each in frame.index.date]
    return {"foreign_day_on_utc_date": daily.reindex(before).to_numpy() / frame["close"]}


def close_time_as_key(frame: pd.DataFrame) -> Columns:
    """A row's close time is the next row's open time, on which another table is joined."""
    other = np.log(frame["close"] / frame["open"])
    return {"close_time_as_key": other.reindex(frame.index + pd.Timedelta(hours=1)).to_numpy()}


def joined_by_position(frame: pd.DataFrame) -> Columns:
    """A table without the missing bars, joined by row number: every gap brings later rows closer."""
    other = frame["close"].dropna().to_numpy()
    out = np.full(len(frame), np.nan)
    out[: len(other)] = other
    return {"joined_by_position": out / frame["close"]}


def sorted_newest_first(frame: pd.DataFrame) -> Columns:
    """Six-hourly values filled down a table that is sorted newest first."""
    thin = frame["close"].where(_hour(frame) % 6 == 0)
    return {"sorted_newest_first": thin.sort_index(ascending=False).ffill().sort_index() / frame["close"]}


def outer_interpolated(frame: pd.DataFrame) -> Columns:
    daily = frame["close"].where(_hour(frame) == 23)
    return {"outer_interpolated": daily.interpolate(method="time") / frame["close"]}


def interval_at_its_start(frame: pd.DataFrame) -> Columns:
    """A rate made of eight hours, stamped with their start."""
    rate = np.log(frame["close"] / frame["open"]).resample("8h").sum(min_count=1)
    return {"interval_at_its_start": rate.reindex(frame.index, method="ffill")}


def origin_of_last_row(frame: pd.DataFrame) -> Columns:
    """Bars of five hours counted back from the end of the series."""
    bars = frame["close"].resample("5h", origin="end").last()
    return {"origin_of_last_row": bars.reindex(frame.index, method="ffill") / frame["close"]}


def weekly_unclosed(frame: pd.DataFrame) -> Columns:
    week = frame.index.floor("D") - pd.to_timedelta(frame.index.day_of_week, "D")
    weekly = frame["close"].groupby(week).last()
    return {"weekly_unclosed": weekly.reindex(week).to_numpy() / frame["close"]}


def tomorrow_by_date(frame: pd.DataFrame) -> Columns:
    """A daily table shifted the wrong way before it is joined on the date."""
    day = frame.index.floor("D")
    daily = frame["open"].groupby(day).first().shift(-1)
    return {"tomorrow_by_date": daily.reindex(day).to_numpy() / frame["close"]}


def higher_centred(frame: pd.DataFrame) -> Columns:
    """Closed higher bars, smoothed by a centred window before they are joined."""
    bars = _four_hours(frame).rolling(3, center=True, min_periods=1).mean().shift(1)
    return {"higher_centred": bars.reindex(frame.index, method="ffill") / frame["close"]}


def months_table(frame: pd.DataFrame) -> Columns:
    month = frame.index.year * 12 + frame.index.month
    table = frame["volume"].groupby(month).agg(["mean", "std"]).reindex(month)
    return {"months_table": (frame["volume"] - table["mean"].to_numpy()) / table["std"].to_numpy()}


def time_zone_off_by_one(frame: pd.DataFrame) -> Columns:
    """Rows go by their close in a zone an hour ahead, days by UTC: the day's close comes an hour early."""
    daily = frame["close"].groupby(frame.index.floor("D")).last()
    stamped = frame.index + pd.Timedelta(hours=2)
    yesterday = stamped.floor("D") - pd.Timedelta(days=1)
    return {"time_zone_off_by_one": daily.reindex(yesterday).to_numpy() / frame["close"]}


def rounded_key(frame: pd.DataFrame) -> Columns:
    """Closed bars of four hours, joined on the time rounded to the nearest four hours instead of down."""
    closed = _four_hours(frame).shift(1)
    return {"rounded_key": closed.reindex(frame.index.round("4h")).to_numpy() / frame["close"]}
