"""Clean: the clock, the day so far, days and higher bars that have closed, joins on what was known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

Columns = dict[str, Any]


def _hour(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(frame.index.hour, frame.index)


def _day(frame: pd.DataFrame) -> pd.Index:
    return frame.index.floor("D")


def clock(frame: pd.DataFrame) -> Columns:
    angle = 2 * np.pi * _hour(frame) / 24
    left = frame.index.days_in_month - frame.index.day
    return {
        "clean_hour": np.sin(angle), "clean_weekday": frame.index.day_of_week,
        "clean_hours_to_midnight": 24 - _hour(frame), "clean_days_to_month_end": left,
        "clean_is_weekend": frame.index.day_of_week >= 5,
        "clean_hour_in_new_york": frame.index.tz_convert("America/New_York").hour,
    }  # fmt: skip


def day_so_far(frame: pd.DataFrame) -> Columns:
    day, close, volume = _day(frame), frame["close"], frame["volume"]
    traded = (close * volume).groupby(day).cumsum()
    return {
        "clean_days_high_so_far": frame["high"].groupby(day).cummax() / close,
        "clean_days_low_so_far": frame["low"].groupby(day).cummin() / close,
        "clean_session_vwap": traded / volume.groupby(day).cumsum() / close,
        "clean_days_mean_so_far": close.groupby(day).transform(lambda part: part.expanding().mean()) / close,
        "clean_since_days_open": close / frame["open"].groupby(day).transform("first"),
    }


def day_before(frame: pd.DataFrame) -> Columns:
    """Yesterday's figures, by a daily table shifted by one day."""
    day = _day(frame)
    bars = frame.groupby(day).agg({"high": "max", "low": "min", "close": "last", "volume": "sum"})
    before = bars.reindex(pd.Index(day) - pd.Timedelta(days=1)).set_axis(frame.index)
    span = before["high"] - before["low"]
    return {
        "clean_days_high_before": before["high"] / frame["close"],
        "clean_days_low_before": before["low"] / frame["close"],
        "clean_days_close_before": before["close"] / frame["close"],
        "clean_place_in_day_before": (frame["close"] - before["low"]) / span,
        "clean_days_volume_before": np.log1p(before["volume"]),
    }


def day_by_close_time(frame: pd.DataFrame) -> Columns:
    """Rows go by their close: the day's last row knows the day."""
    daily = frame["close"].groupby(_day(frame)).last()
    key = (frame.index + pd.Timedelta(hours=1)).floor("D") - pd.Timedelta(days=1)
    return {"clean_day_by_close_time": daily.reindex(key).to_numpy() / frame["close"]}


def week_before(frame: pd.DataFrame) -> Columns:
    week = _day(frame) - pd.to_timedelta(frame.index.day_of_week, "D")
    weekly = frame["close"].groupby(week).last()
    return {"clean_week_before": weekly.reindex(week - pd.Timedelta(days=7)).to_numpy() / frame["close"]}


def foreign_day(frame: pd.DataFrame) -> Columns:
    """The last New York day that is over, by dates of New York on both sides."""
    date = pd.Series(frame.index.tz_convert("America/New_York").date, frame.index)
    daily = frame["close"].groupby(date).last()
    before = [each - pd.Timedelta(days=1) for each in date]
    return {"clean_foreign_day": daily.reindex(before).to_numpy() / frame["close"]}


def _closed(frame: pd.DataFrame, n: int) -> pd.Series:
    """Close of the last bar of n that has closed, held until the next one has."""
    return frame["close"].where(_hour(frame) % n == n - 1).ffill(limit=n - 1)


def higher_closes(frame: pd.DataFrame) -> Columns:
    return {f"clean_higher_{n}": _closed(frame, n) for n in (2, 3, 4, 6, 8, 12, 24)}


def higher_figures(frame: pd.DataFrame) -> Columns:
    closed = _closed(frame, 4)
    parts = [closed.shift(4 * step) for step in range(3)]
    return {"clean_higher_return": closed / parts[1] - 1, "clean_higher_mean": sum(parts) / 3 / parts[0]}


def higher_range(frame: pd.DataFrame) -> Columns:
    """Range of the last closed bar of six: the window is read at its last bar only."""
    high, low = frame["high"].rolling(6).max(), frame["low"].rolling(6).min()
    return {"clean_higher_range": np.log(high / low).where(_hour(frame) % 6 == 5).ffill(limit=5)}


def resampled_and_shifted(frame: pd.DataFrame) -> Columns:
    """Bars of four hours by resample, moved on by one bar, then filled forward."""
    bars = frame["close"].resample("4h").last().shift(1)
    return {"clean_resampled": bars.reindex(frame.index, method="ffill", limit=3) / frame["close"]}


def labelled_at_close(frame: pd.DataFrame) -> Columns:
    """Bars closed and labelled on the right: a label's row is the last one of its bar."""
    bars = frame["close"].resample("4h", closed="right", label="right").last()
    return {"clean_right_label": bars.where(bars.index <= frame.index[-1]).reindex(frame.index)}


def merged_backward(frame: pd.DataFrame) -> Columns:
    """merge_asof backward on the bar at whose close the value is known, that bar included; and without it."""
    closes = frame["close"].where(_hour(frame) % 8 == 7).dropna()
    left = pd.DataFrame({"at": frame.index})
    right = pd.DataFrame({"at": closes.index, "value": closes.to_numpy()})
    found = {}
    for name, exact in (("clean_merged_exact", True), ("clean_merged_before", False)):
        both = pd.merge_asof(
            left, right, on="at", direction="backward", allow_exact_matches=exact, tolerance=pd.Timedelta(hours=24)
        )
        found[name] = both["value"].to_numpy() / frame["close"]
    return found


def same_hour_before(frame: pd.DataFrame) -> Columns:
    """Mean return of this hour on the five days before."""
    move = np.log(frame["close"] / frame["open"])
    return {"clean_same_hour": sum(move.shift(24 * step) for step in range(1, 6)) / 5}


def gap_counts(frame: pd.DataFrame) -> Columns:
    missing = frame["close"].isna().astype(float)
    return {
        "clean_missing": missing.rolling(24, min_periods=1).sum(),
        "clean_after_gap": missing.shift(1, fill_value=0.0) * 1.0,
        "clean_filled_close": frame["close"].ffill(limit=3).shift(1) / frame["close"],
    }


def event_held(frame: pd.DataFrame) -> Columns:
    """A large move, known at its own close, held for half a day."""
    move = np.log(frame["close"]).diff()
    event = move.where(move.abs() > 2.5 * move.rolling(100).std())
    return {"clean_event_held": event.ffill(limit=12).fillna(0.0)}


def day_rank_of_known(frame: pd.DataFrame) -> Columns:
    """Rank of the row's volume among the day's rows so far."""
    ranks = frame["volume"].groupby(_day(frame)).transform(lambda part: part.expanding().rank(pct=True))
    return {"clean_rank_in_day": ranks}
