"""Clean of the future, but made of all history: no look-back is long enough for them, which the audit says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

Columns = dict[str, Any]


def _move(frame: pd.DataFrame) -> pd.Series:
    return np.log(frame["close"]).diff()


def growing(frame: pd.DataFrame) -> Columns:
    close = frame["close"]
    return {
        "clean_expanding_mean": close / close.expanding().mean(),
        "clean_expanding_zscore": (close - close.expanding().mean()) / close.expanding(2).std(),
        "clean_expanding_maximum": close / close.cummax() - 1,
        "clean_expanding_rank": close.expanding().rank(pct=True),
        "clean_expanding_quantile": close / close.expanding().quantile(0.9),
    }


def totals(frame: pd.DataFrame) -> Columns:
    return {
        "clean_balance_level": (np.sign(frame["close"].diff()) * frame["volume"]).fillna(0.0).cumsum(),
        "clean_volume_so_far": frame["volume"].fillna(0.0).cumsum(),
        "clean_row_number": np.arange(len(frame), dtype=float),
    }


def first_row(frame: pd.DataFrame) -> Columns:
    known = frame["close"].dropna()
    return {"clean_since_first_row": frame["close"] / (known.iloc[0] if len(known) else 1.0)}


def hour_encoding_of_the_past(frame: pd.DataFrame) -> Columns:
    """Mean return of each hour on all days before this one."""
    move = np.log(frame["close"] / frame["open"])
    return {
        "clean_hour_encoding": move.groupby(frame.index.hour).transform(lambda part: part.shift(1).expanding().mean())
    }


def regime_until_turned(frame: pd.DataFrame) -> Columns:
    """Up or down, until a move of three deviations the other way."""
    move = _move(frame)
    limit = 2.5 * move.rolling(50).std()
    turned = pd.Series(np.where(move > limit, 1.0, np.where(move < -limit, -1.0, np.nan)), frame.index)
    return {"clean_regime": turned.ffill().fillna(0.0)}


def slow_average_declared_short(frame: pd.DataFrame) -> Columns:
    price = frame["close"].ffill()
    return {"clean_slow_average": price / price.ewm(span=200).mean()}


def online_regression(frame: pd.DataFrame) -> Columns:
    """The next return as all pairs known by then say it."""
    move = _move(frame).fillna(0.0)
    before = move.shift(1).fillna(0.0)
    slope = (move * before).cumsum() / ((before**2).cumsum() + 1e-9)
    return {"clean_online_regression": slope * move}
