"""Clean: indicators of charts; averages without end fade below 1e-15 inside their declared look-back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Columns = dict[str, Any]


def _filled(frame: pd.DataFrame, name: str = "close") -> pd.Series:
    """A missing candle adds a return of zero: no value is carried into the series from before its start."""
    return np.log(frame[name]).diff().fillna(0.0)


def _decay(column: pd.Series, span: float) -> pd.Series:
    return column.ewm(span=span, adjust=False).mean()


def _range(frame: pd.DataFrame) -> pd.Series:
    return np.log(frame["high"] / frame["low"]).fillna(0.0)


def decays(frame: pd.DataFrame) -> Columns:
    move = _filled(frame)
    return {"clean_ema_return": _decay(move, 12), "clean_ewma_volatility": np.sqrt(_decay(move**2, 24))}


def macd(frame: pd.DataFrame) -> Columns:
    """Difference of two averages of the price, from its moves."""
    move = _filled(frame)
    line = (24 - 1) / 2 * _decay(move, 24) - (12 - 1) / 2 * _decay(move, 12)
    return {"clean_macd": line, "clean_macd_histogram": line - _decay(line, 9)}


def rsi(frame: pd.DataFrame) -> Columns:
    move = _filled(frame)
    return {"clean_rsi": _decay(move.clip(lower=0), 27) / (_decay(move.abs(), 27) + 1e-9)}


def atr(frame: pd.DataFrame) -> Columns:
    return {"clean_atr": _decay(_range(frame), 27)}


def bands(frame: pd.DataFrame) -> Columns:
    middle, width = frame["close"].rolling(20).mean(), frame["close"].rolling(20).std()
    return {"clean_percent_b": (frame["close"] - middle + 2 * width) / (4 * width), "clean_width": width / middle}


def stochastic(frame: pd.DataFrame) -> Columns:
    low, high = frame["low"].rolling(14).min(), frame["high"].rolling(14).max()
    fast = (frame["close"] - low) / (high - low)
    return {"clean_stochastic": fast, "clean_stochastic_slow": fast.rolling(3).mean()}


def cci(frame: pd.DataFrame) -> Columns:
    typical = (frame["high"] + frame["low"] + frame["close"]) / 3
    apart = typical.rolling(20).apply(lambda part: np.abs(part - part.mean()).mean(), raw=True)
    return {"clean_cci": (typical - typical.rolling(20).mean()) / (0.015 * apart)}


def balance(frame: pd.DataFrame) -> Columns:
    """Change of the on-balance volume over a day, which has no origin."""
    return {"clean_balance_change": (np.sign(frame["close"].diff()) * frame["volume"]).rolling(24).sum()}


def money_flow(frame: pd.DataFrame) -> Columns:
    typical = (frame["high"] + frame["low"] + frame["close"]) / 3
    flow = typical * frame["volume"]
    up = flow.where(typical.diff() > 0, 0.0).where(typical.diff().notna())
    return {"clean_money_flow": up.rolling(14).sum() / flow.rolling(14).sum()}


def channels(frame: pd.DataFrame) -> Columns:
    high, low = frame["high"].rolling(20).max().shift(1), frame["low"].rolling(20).min().shift(1)
    age = frame["high"].rolling(25).apply(np.argmax, raw=True)
    return {"clean_breakout": (frame["close"] - low) / (high - low), "clean_aroon": age / 24}


def directional(frame: pd.DataFrame) -> Columns:
    up, down = frame["high"].diff().clip(lower=0), (-frame["low"].diff()).clip(lower=0)
    both = up.rolling(14).sum() + down.rolling(14).sum()
    return {"clean_directional": (up.rolling(14).sum() - down.rolling(14).sum()) / both}


def hull(frame: pd.DataFrame) -> Columns:
    weights = {n: np.arange(1, n + 1) / (n * (n + 1) / 2) for n in (4, 8, 16)}

    def average(column: pd.Series, n: int) -> pd.Series:
        return column.rolling(n).apply(lambda part: part @ weights[n], raw=True)

    line = average(2 * average(frame["close"], 8) - average(frame["close"], 16), 4)
    return {"clean_hull": line / frame["close"] - 1}


def ichimoku(frame: pd.DataFrame) -> Columns:
    """The cloud as it stands over the row: drawn ahead from 26 bars before."""

    def middle(n: int) -> pd.Series:
        return (frame["high"].rolling(n).max() + frame["low"].rolling(n).min()) / 2

    return {"clean_cloud": frame["close"] / ((middle(9) + middle(26)) / 2).shift(26) - 1}


def trix(frame: pd.DataFrame) -> Columns:
    move = _filled(frame)
    return {"clean_trix": _decay(_decay(_decay(move, 9), 9), 9)}


def oscillators(frame: pd.DataFrame) -> Columns:
    middle = (frame["high"] + frame["low"]) / 2
    high, low = frame["high"].rolling(14).max(), frame["low"].rolling(14).min()
    return {
        "clean_awesome": (middle.rolling(5).mean() - middle.rolling(34).mean()) / middle,
        "clean_williams": (frame["close"] - high) / (high - low),
        "clean_rate_of_change": frame["close"] / frame["close"].shift(9) - 1,
        "clean_body_share": (frame["close"] - frame["open"]).abs() / (frame["high"] - frame["low"] + 1e-9),
    }


def pivot_when_confirmed(frame: pd.DataFrame) -> Columns:
    """A high above five bars on each side, told five bars later and held for a day."""
    is_pivot = frame["high"].shift(5) == frame["high"].rolling(11).max()
    return {"clean_pivot_confirmed": frame["high"].shift(5).where(is_pivot).ffill(limit=24) / frame["close"]}


def fractal_when_confirmed(frame: pd.DataFrame) -> Columns:
    low = frame["low"]
    return {"clean_fractal_confirmed": (low.shift(2) == low.rolling(5).min()).astype(float)}


def centred_then_shifted(frame: pd.DataFrame) -> Columns:
    """A centred window, moved back by half of it: the trailing one."""
    return {"clean_centred_shifted": frame["close"].rolling(11, center=True).mean().shift(5) / frame["close"]}


def reversed_twice(frame: pd.DataFrame) -> Columns:
    return {"clean_reversed_twice": frame["close"][::-1][::-1].rolling(7).mean() / frame["close"]}


def matured_label(frame: pd.DataFrame) -> Columns:
    """A label over six bars, read six bars later when it is known; and its mean over the last 48 of them."""
    label = (frame["close"].shift(-6) / frame["close"] - 1).shift(6)
    return {"clean_matured_label": label, "clean_label_mean": label.rolling(48).mean()}
