"""Leaks that show on few rows only, and clean features that do something rare."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

Columns = dict[str, Any]
TURN = pd.Timestamp("2001-01-01T00:00:00Z")  # replaced by a time inside the candles that are examined


def _move(frame: pd.DataFrame) -> pd.Series:
    return np.log(frame["close"]).diff()


def _ahead(frame: pd.DataFrame) -> pd.Series:
    return frame["close"].shift(-1) / frame["close"] - 1


def _number(frame: pd.DataFrame) -> np.ndarray:
    """Hours since 1970."""
    return np.asarray((frame.index - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(hours=1))


def one_row_in_500(frame: pd.DataFrame) -> Columns:
    return {"one_row_in_500": _move(frame).where(_number(frame) % 500 != 137, _ahead(frame))}


def before_one_date(frame: pd.DataFrame) -> Columns:
    return {"before_one_date": _move(frame).where(frame.index >= TURN, _ahead(frame))}


def on_high_volume(frame: pd.DataFrame) -> Columns:
    usual = frame["volume"].rolling(48, min_periods=24).median()
    return {"on_high_volume": _move(frame).where(~(frame["volume"] > 4 * usual), _ahead(frame))}


def after_gaps(frame: pd.DataFrame) -> Columns:
    is_first = frame["close"].notna() & frame["close"].isna().shift(1, fill_value=False)
    return {"after_gaps": (frame["close"] / frame["open"] - 1).where(~is_first, _ahead(frame))}


def on_mondays(frame: pd.DataFrame) -> Columns:
    return {"on_mondays": _move(frame).where(frame.index.day_of_week != 0, _ahead(frame))}


def on_large_moves(frame: pd.DataFrame) -> Columns:
    move = _move(frame)
    return {"on_large_moves": move.where(move.abs() < 3 * move.rolling(100, min_periods=30).std(), _ahead(frame))}


def at_midnight(frame: pd.DataFrame) -> Columns:
    """The day's first bar reads the next close."""
    return {"at_midnight": _move(frame).where(frame.index.hour != 0, _ahead(frame))}


def after_one_date(frame: pd.DataFrame) -> Columns:
    return {"after_one_date": _move(frame).where(frame.index < TURN, _ahead(frame))}


def on_month_ends(frame: pd.DataFrame) -> Columns:
    """The month's last bar reads the next close."""
    month = frame.index.month
    is_last = month != (frame.index + pd.Timedelta(hours=1)).month
    return {"on_month_ends": _move(frame).where(~is_last, _ahead(frame))}


def on_still_bars(frame: pd.DataFrame) -> Columns:
    """Bars that close where they opened read the next close."""
    is_still = (frame["close"] / frame["open"] - 1).abs() < 1e-4
    return {"on_still_bars": _move(frame).where(~is_still, _ahead(frame))}


def clean_event_flag(frame: pd.DataFrame) -> Columns:
    """Bars since a move of four deviations, at most a day."""
    move = _move(frame)
    is_event = (move.abs() > 4 * move.rolling(100).std()).astype(float)
    return {"clean_event_flag": is_event.rolling(24, min_periods=1).max()}


def clean_reset_at_date(frame: pd.DataFrame) -> Columns:
    """Another formula from a date on."""
    return {"clean_reset_at_date": _move(frame).where(frame.index >= TURN, _move(frame).rolling(3).sum())}


def clean_on_mondays(frame: pd.DataFrame) -> Columns:
    return {"clean_on_mondays": _move(frame).where(frame.index.day_of_week != 0, _move(frame).shift(1))}


def clean_after_gaps(frame: pd.DataFrame) -> Columns:
    is_first = frame["close"].notna() & frame["close"].isna().shift(1, fill_value=False)
    return {"clean_after_gaps": (frame["close"] / frame["open"] - 1).where(~is_first, 0.0)}


def clean_one_row_in_500(frame: pd.DataFrame) -> Columns:
    return {"clean_one_row_in_500": _move(frame).where(_number(frame) % 500 != 137, _move(frame).shift(2))}


def clean_rarely_known(frame: pd.DataFrame) -> Columns:
    """Null on nine days in ten."""
    return {"clean_rarely_known": _move(frame).where(frame.index.day % 9 == 0)}
