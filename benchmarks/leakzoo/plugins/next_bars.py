"""Leaks of a few bars: the next one, a window around the row, the day that is not over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

Columns = dict[str, Any]
_SEEN: dict[Any, pd.Series] = {}
_OTHERS: dict[float, pd.Series] = {}


def _hour(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(frame.index.hour, frame.index)


def _day(frame: pd.DataFrame) -> pd.Index:
    return frame.index.floor("D")


def _week(frame: pd.DataFrame) -> pd.Index:
    return _day(frame) - pd.to_timedelta(frame.index.day_of_week, "D")


def _move(frame: pd.DataFrame) -> pd.Series:
    return np.log(frame["close"]).diff()


def shift_minus_one(frame: pd.DataFrame) -> Columns:
    return {"shift_minus_one": frame["close"].shift(-1) / frame["close"] - 1}


def pct_change_minus(frame: pd.DataFrame) -> Columns:
    return {"pct_change_minus": frame["close"].pct_change(-3, fill_method=None)}


def centred_window(frame: pd.DataFrame) -> Columns:
    return {"centred_window": frame["close"] / frame["close"].rolling(11, center=True, min_periods=1).mean()}


def rolling_shifted_back(frame: pd.DataFrame) -> Columns:
    return {"rolling_shifted_back": frame["close"].rolling(10).mean().shift(-5) / frame["close"]}


def forward_window(frame: pd.DataFrame) -> Columns:
    ahead = pd.api.indexers.FixedForwardWindowIndexer(window_size=8)
    return {"forward_window": _move(frame).rolling(ahead, min_periods=1).std()}


def central_difference(frame: pd.DataFrame) -> Columns:
    price = np.log(frame["close"].to_numpy())
    return {"central_difference": np.gradient(price) if len(price) > 1 else price * 0}


def chikou_span(frame: pd.DataFrame) -> Columns:
    return {"chikou_span": frame["close"].shift(-26) / frame["close"]}


def fractal_at_centre(frame: pd.DataFrame) -> Columns:
    high = frame["high"]
    sides = [high > high.shift(step) for step in (-2, -1, 1, 2)]
    return {"fractal_at_centre": np.logical_and.reduce(sides).astype(float)}


def pivot_at_peak(frame: pd.DataFrame) -> Columns:
    """Confirmed five bars later, placed at the peak, and held from there."""
    is_pivot = frame["high"] == frame["high"].rolling(11, center=True).max()
    return {"pivot_at_peak": frame["high"].where(is_pivot).ffill(limit=40) / frame["close"]}


def zigzag_leg(frame: pd.DataFrame) -> Columns:
    """Direction of the leg a row lies on; a leg is drawn back to its extreme once the price has turned by 3 %."""
    close = frame["close"].ffill().bfill().fillna(1.0).to_numpy()
    leg, side, extreme = np.zeros(len(close)), 1.0, 0
    for at, price in enumerate(close):
        if side * price >= side * close[extreme]:
            leg[extreme : at + 1], extreme = side, at
        elif side * (close[extreme] - price) > 0.03 * close[extreme]:
            side = -side
            leg[extreme + 1 : at + 1], extreme = side, at
        else:
            leg[at] = side
    return {"zigzag_leg": leg}


def supertrend_next_close(frame: pd.DataFrame) -> Columns:
    """Above or below a band around the middle, judged by the close of the next bar."""
    middle = (frame["high"] + frame["low"]).rolling(10).mean() / 2
    width = (frame["high"] - frame["low"]).rolling(10).mean()
    ahead = frame["close"].shift(-1).fillna(frame["close"])
    return {"supertrend_next_close": (ahead > middle + width).astype(float) - (ahead < middle - width)}


def next_open(frame: pd.DataFrame) -> Columns:
    return {"next_open": frame["open"].shift(-1) / frame["close"] - 1}


def label_as_feature(frame: pd.DataFrame) -> Columns:
    """The first of two barriers, 1 % up or down, that the next 12 closes touch."""
    ahead = np.stack([(frame["close"].shift(-step) / frame["close"] - 1).to_numpy() for step in range(1, 13)])
    touch = np.where(ahead > 0.01, 1.0, np.where(ahead < -0.01, -1.0, 0.0))
    first = (touch != 0).argmax(axis=0)
    return {"label_as_feature": touch[first, np.arange(len(frame))]}


def gain_only(frame: pd.DataFrame) -> Columns:
    """The next return where it is a gain."""
    return {"gain_only": (frame["close"].shift(-1) / frame["close"] - 1).clip(lower=0)}


def worst_ahead(frame: pd.DataFrame) -> Columns:
    """The deepest loss still to come within a day."""
    lowest = frame["low"][::-1].rolling(24, min_periods=1).min()[::-1]
    return {"worst_ahead": lowest / frame["close"] - 1}


def bars_to_gap(frame: pd.DataFrame) -> Columns:
    missing = frame["close"].isna()
    return {"bars_to_gap": (missing.shift(-1, fill_value=False) | missing.shift(-2, fill_value=False)).astype(float)}


def event_before_it_is_told(frame: pd.DataFrame) -> Columns:
    """A large move is stamped with the bar it began in, four bars earlier, and held."""
    move = np.log(frame["close"]).diff(4)
    stamped = move.where(move.abs() > 2.5 * move.rolling(100, min_periods=20).std()).shift(-4)
    return {"event_before_it_is_told": stamped.ffill(limit=12).fillna(0.0)}


def back_fill(frame: pd.DataFrame) -> Columns:
    return {"back_fill": frame["close"].where(_hour(frame) % 6 == 0).bfill() / frame["close"]}


def interpolation(frame: pd.DataFrame) -> Columns:
    return {"interpolation": frame["close"].where(_hour(frame) % 6 == 0).interpolate() / frame["close"]}


def kernel_same(frame: pd.DataFrame) -> Columns:
    smooth = np.convolve(_move(frame).fillna(0.0), np.hanning(9)[1:-1], "full")[3 : 3 + len(frame)]
    return {"kernel_same": smooth}


def group_by_day(frame: pd.DataFrame) -> Columns:
    return {"group_by_day": frame["close"].groupby(_day(frame)).transform("mean") / frame["close"]}


def days_high_at_open(frame: pd.DataFrame) -> Columns:
    return {"days_high_at_open": frame["high"].groupby(_day(frame)).transform("max") / frame["close"]}


def days_close_at_open(frame: pd.DataFrame) -> Columns:
    return {"days_close_at_open": frame["close"].groupby(_day(frame)).transform("last") / frame["close"]}


def whole_session_vwap(frame: pd.DataFrame) -> Columns:
    day = _day(frame)
    traded = (frame["close"] * frame["volume"]).groupby(day).transform("sum")
    return {"whole_session_vwap": traded / frame["volume"].groupby(day).transform("sum") / frame["close"]}


def share_of_days_volume(frame: pd.DataFrame) -> Columns:
    day = _day(frame)
    return {
        "share_of_days_volume": frame["volume"].groupby(day).cumsum() / frame["volume"].groupby(day).transform("sum")
    }


def weeks_range(frame: pd.DataFrame) -> Columns:
    week = _week(frame)
    low, high = (frame[name].groupby(week).transform(what) for name, what in (("low", "min"), ("high", "max")))
    return {"weeks_range": (frame["close"] - low) / (high - low)}


def rank_within_month(frame: pd.DataFrame) -> Columns:
    month = frame.index.year * 12 + frame.index.month
    return {"rank_within_month": frame["close"].groupby(month).rank(pct=True)}


def days_next_open(frame: pd.DataFrame) -> Columns:
    """Each hour beside the same hour of the next day."""
    return {"days_next_open": frame["open"].shift(-24) / frame["close"]}


def there_and_back(frame: pd.DataFrame) -> Columns:
    """The right value on every old row, and none on the newest three: it comes three bars late."""
    return {"there_and_back": frame["close"].diff().shift(3).shift(-3)}


def reversed_rsi(frame: pd.DataFrame) -> Columns:
    """The frame was sorted newest first."""
    step = frame["close"][::-1].diff()
    rsi = step.clip(lower=0).rolling(14).sum() / step.abs().rolling(14).sum()
    return {"reversed_rsi": rsi[::-1]}


def far_and_faint(frame: pd.DataFrame) -> Columns:
    """The last return and, weighing a millionth, the close 50 bars ahead."""
    ahead = (frame["close"].shift(-50) / frame["close"] - 1).fillna(0.0)
    return {"far_and_faint": _move(frame) + 1e-6 * ahead}


def cache_without_end(frame: pd.DataFrame) -> Columns:
    """Z-scores kept by symbol and first bar; the end of the series is not in the key."""
    if not len(frame):
        return {"cache_without_end": frame["close"]}
    key = (frame.index[0], float(frame["close"].fillna(0.0).iloc[0]))
    known = _SEEN.get(key)
    if known is None or len(known) < len(frame):
        known = _SEEN[key] = (frame["close"] - frame["close"].mean()) / frame["close"].std()
    return {"cache_without_end": known.iloc[: len(frame)]}


def store_of_other_symbols(frame: pd.DataFrame) -> Columns:
    """Every symbol's frame is kept; a row reads the next return of another one."""
    mine = float(frame["close"].fillna(0.0).sum())
    other = [each for key, each in _OTHERS.items() if key != mine]
    _OTHERS[mine] = frame["close"]
    ahead = other[-1].pct_change(fill_method=None).shift(-1).reindex(frame.index) if other else 0 * frame["close"]
    return {"store_of_other_symbols": ahead}
