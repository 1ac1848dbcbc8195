"""Clean: windows over the last bars, and what is computed inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    import pandas as pd

Columns = dict[str, Any]


def _move(frame: pd.DataFrame) -> pd.Series:
    return np.log(frame["close"]).diff()


def _windows(column: pd.Series, n: int) -> np.ndarray:
    """The last n values at each bar: (n_bars, n)."""
    return sliding_window_view(np.concatenate([np.full(n - 1, np.nan), column.to_numpy()]), n)


def lags(frame: pd.DataFrame) -> Columns:
    move = _move(frame)
    return {"clean_lag_1": move.shift(1), "clean_lag_24": move.shift(24), "clean_difference_5": frame["close"].diff(5)}


def moments(frame: pd.DataFrame) -> Columns:
    window = _move(frame).rolling(30)
    return {
        "clean_mean": window.mean(), "clean_std": window.std(), "clean_skew": window.skew(),
        "clean_kurt": window.kurt(), "clean_sum": window.sum(), "clean_error": window.sem(),
    }  # fmt: skip


def orders(frame: pd.DataFrame) -> Columns:
    window = frame["close"].rolling(24)
    return {
        "clean_median": frame["close"] / window.median(), "clean_quantile": frame["close"] / window.quantile(0.9),
        "clean_rank": window.rank(pct=True), "clean_min": frame["close"] / window.min(),
        "clean_max": frame["close"] / window.max(), "clean_argmax": window.apply(np.argmax, raw=True),
    }  # fmt: skip


def pairs(frame: pd.DataFrame) -> Columns:
    move, volume = _move(frame), np.log1p(frame["volume"])
    return {
        "clean_correlation": move.rolling(24).corr(volume), "clean_covariance": move.rolling(24).cov(volume),
        "clean_autocorrelation": move.rolling(24).corr(move.shift(1)),
    }  # fmt: skip


def scaled(frame: pd.DataFrame) -> Columns:
    close, move = frame["close"], _move(frame)
    low, high = close.rolling(48).min(), close.rolling(48).max()
    middle = move.rolling(48).median()
    width = move.rolling(48).quantile(0.75) - move.rolling(48).quantile(0.25)
    return {
        "clean_zscore": (close - close.rolling(48).mean()) / close.rolling(48).std(),
        "clean_min_max": (close - low) / (high - low),
        "clean_robust": (move - middle) / width,
        "clean_winsorised": move.clip(move.rolling(48).quantile(0.05), move.rolling(48).quantile(0.95)),
        "clean_outlier_flag": ((move - move.rolling(48).mean()).abs() > 3 * move.rolling(48).std()).astype(float),
    }


def slopes(frame: pd.DataFrame) -> Columns:
    """A straight line through the last 20 log closes: its slope, and the last residual."""
    windows = _windows(np.log(frame["close"]), 20)
    at = np.arange(20) - 9.5
    slope = windows @ at / (at @ at)
    return {"clean_slope": slope, "clean_residual": windows[:, -1] - windows.mean(axis=1) - slope * at[-1]}


def components(frame: pd.DataFrame) -> Columns:
    """First component of move and range in the last 40 bars, with its sign fixed."""
    both = [_windows(each, 40) for each in (_move(frame), np.log(frame["high"] / frame["low"]))]
    centred = [each - each.mean(axis=1, keepdims=True) for each in both]
    a, b, c = (np.mean(centred[i] * centred[j], axis=1) for i, j in ((0, 0), (0, 1), (1, 1)))
    angle = np.arctan2(2 * b, a - c) / 2
    return {"clean_rolling_pca": np.cos(angle) * centred[0][:, -1] + np.sin(angle) * centred[1][:, -1]}


def regression(frame: pd.DataFrame) -> Columns:
    """Slope of the move on the volume of the bar before, over the last 60 bars; known labels only."""
    move, before = _move(frame), np.log1p(frame["volume"]).shift(1)
    return {"clean_regression": move.rolling(60).cov(before) / before.rolling(60).var()}


def entropy(frame: pd.DataFrame) -> Columns:
    share = (_move(frame) > 0).astype(float).where(_move(frame).notna()).rolling(32).mean().clip(0.01, 0.99)
    return {"clean_entropy": -(share * np.log(share) + (1 - share) * np.log(1 - share))}


def hurst(frame: pd.DataFrame) -> Columns:
    price = np.log(frame["close"])
    short, long = price.diff(2).rolling(64).std(), price.diff(16).rolling(64).std()
    return {"clean_hurst": np.log(long / short) / np.log(8)}


def drawdown(frame: pd.DataFrame) -> Columns:
    windows = _windows(frame["close"], 48)
    return {"clean_window_drawdown": (windows / np.maximum.accumulate(windows, axis=1) - 1).min(axis=1)}


def range_volatility(frame: pd.DataFrame) -> Columns:
    span, body = np.log(frame["high"] / frame["low"]), np.log(frame["close"] / frame["open"])
    up, down = np.log(frame["high"] / frame["open"]), np.log(frame["low"] / frame["open"])
    return {
        "clean_parkinson": np.sqrt((span**2).rolling(24).mean()),
        "clean_garman_klass": (0.5 * span**2 - 0.386 * body**2).rolling(24).mean(),
        "clean_rogers_satchell": (up * (up - body) + down * (down - body)).rolling(24).mean(),
    }


def volumes(frame: pd.DataFrame) -> Columns:
    move = _move(frame)
    traded = frame["close"] * frame["volume"]
    signed = np.sign(move) * frame["volume"]
    return {
        "clean_volume_ratio": frame["volume"] / frame["volume"].rolling(24).mean(),
        "clean_illiquidity": (move.abs() / (1 + traded)).rolling(24).mean(),
        "clean_signed_volume": signed.rolling(12).sum() / (1 + frame["volume"].rolling(12).sum()),
        "clean_window_vwap": traded.rolling(24).sum() / frame["volume"].rolling(24).sum() / frame["close"],
    }


def odd_values(frame: pd.DataFrame) -> Columns:
    """Constants, very large and very small numbers, roots and signs."""
    move = _move(frame)
    return {
        "clean_constant": np.full(len(frame), 7.0),
        "clean_huge": 1e15 * frame["close"].diff(3),
        "clean_tiny": 1e-15 * move,
        "clean_root": np.sqrt(frame["high"] - frame["low"]),
        "clean_sign": np.sign(move),
        "clean_squashed": np.tanh(50 * move),
    }


def interpolated_inside(frame: pd.DataFrame) -> Columns:
    """Two missing bars at most are interpolated, between candles that the row has both seen; rows without: null."""
    filled = frame["close"].interpolate(limit=2, limit_area="inside").where(frame["close"].ffill(limit=2).notna())
    kept = [filled.shift(step) for step in (0, 1, 2)]
    known = frame["close"].notna()
    return {"clean_interpolated_inside": (kept[0] - kept[2]).where(known & known.shift(1, fill_value=False))}


def capped_run(frame: pd.DataFrame) -> Columns:
    """Bars in a row that closed higher, ten at most."""
    is_up = frame["close"] > frame["open"]
    run, going = np.zeros(len(frame)), np.ones(len(frame), dtype=bool)
    for step in range(10):
        going &= is_up.shift(step, fill_value=False).to_numpy()
        run += going
    return {"clean_capped_run": run}
