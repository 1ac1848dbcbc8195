"""Features that see the future at few rows, and honest ones that look alike, in all forms a function may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_HOUR_MS = 3_600_000


def _hours(frame: pd.DataFrame) -> np.ndarray:
    return frame.index.astype("datetime64[ms, UTC]").astype("int64").to_numpy() // _HOUR_MS


def _move(frame: pd.DataFrame) -> pd.Series:
    return np.log(frame["close"]).diff()


# --- few rows ---


def one_row_in_500(frame: pd.DataFrame) -> Any:
    move = _move(frame)
    return {"peek": move.where(_hours(frame) % 500 != 137, move.shift(-1)).fillna(0.0)}


def where_volume_is_extreme(frame: pd.DataFrame) -> Any:
    move = _move(frame)
    return {"peek": move.where(~(frame["volume"] > 230), move.shift(-1)).fillna(0.0)}


def before_one_date(frame: pd.DataFrame) -> Any:
    move = _move(frame)
    return {"peek": move.where(_hours(frame) >= 420_040, move.shift(-1)).fillna(0.0)}


def rare_and_far(frame: pd.DataFrame) -> Any:
    move = _move(frame)
    return {"peek": move.where(_hours(frame) % 500 != 137, move.shift(-20)).fillna(0.0)}


def rare_with_a_long_past(frame: pd.DataFrame) -> Any:
    mean = frame["close"] / frame["close"].rolling(100).mean()
    return {"peek": mean.where(_hours(frame) % 500 != 137, mean.shift(-1)).fillna(0.0)}


def rare_sign(frame: pd.DataFrame) -> Any:
    sign = np.sign(_move(frame))
    return {"peek": sign.where(_hours(frame) % 500 != 137, sign.shift(-1)).fillna(0.0)}


# --- honest ---


def a_series(frame: pd.DataFrame) -> Any:
    return _move(frame).rename("named")


def without_a_name(frame: pd.DataFrame) -> Any:
    return _move(frame).rename(None)


def inherited_name(frame: pd.DataFrame) -> Any:
    return frame["close"].pct_change(fill_method=None)


def an_array(frame: pd.DataFrame) -> Any:
    return _move(frame).to_numpy()


def a_frame(frame: pd.DataFrame) -> Any:
    """The candles and two columns; std and mean are pandas' running ones."""
    whole, close = frame.copy(), frame["close"]
    whole["zscore"] = (close - close.rolling(24).mean()) / close.rolling(24).std()
    whole["decay"] = close / close.ewm(span=9).mean() - 1
    return whole


def all_history(frame: pd.DataFrame) -> Any:
    return {"drawdown": frame["close"] / frame["close"].cummax() - 1, "balance": frame["volume"].fillna(0).cumsum()}


def since_midnight(frame: pd.DataFrame) -> Any:
    return {"high": frame["high"].groupby(frame.index.floor("D")).cummax() / frame["close"]}


def seeded(frame: pd.DataFrame) -> Any:
    return {"jitter": _move(frame) * np.random.default_rng(7).normal(size=len(frame))}


def closed_higher_bar(frame: pd.DataFrame) -> Any:
    higher = frame["close"].resample("4h", closed="left", label="right").last()
    return {"higher": higher.shift(0).reindex(frame.index, method="ffill").shift(0).where(frame.index.hour >= 0)}


def needs_two(frame: pd.DataFrame, length: int) -> Any:
    return frame["close"].rolling(length).mean()
