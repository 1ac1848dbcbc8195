"""Leaks of smoothers and filters that use both sides of a row, or all rows at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import interpolate, signal, sparse
from scipy.sparse import linalg

Columns = dict[str, Any]


def _price(frame: pd.DataFrame) -> np.ndarray:
    """The log close, gaps filled with the value before them."""
    return np.log(frame["close"].ffill().bfill().fillna(1.0).to_numpy())


def _hour(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(frame.index.hour, frame.index)


def savitzky_golay(frame: pd.DataFrame) -> Columns:
    price = _price(frame)
    return {"savitzky_golay": price - (signal.savgol_filter(price, 9, 2) if len(price) > 9 else price)}


def filtfilt(frame: pd.DataFrame) -> Columns:
    price = _price(frame)
    taps = signal.butter(2, 0.1)
    return {"filtfilt": price - (signal.filtfilt(*taps, price) if len(price) > 20 else price)}


def fft_low_pass(frame: pd.DataFrame) -> Columns:
    price = _price(frame)
    spectrum = np.fft.rfft(price)
    spectrum[max(len(spectrum) // 10, 1) :] = 0
    return {"fft_low_pass": price - np.fft.irfft(spectrum, len(price))}


def hilbert_phase(frame: pd.DataFrame) -> Columns:
    price = _price(frame)
    return {"hilbert_phase": np.angle(signal.hilbert(np.diff(price, prepend=price[:1])))}


def haar_wavelet(frame: pd.DataFrame) -> Columns:
    """Three levels of the Haar wavelet, details below the universal threshold of all rows set to zero."""
    price = _price(frame)
    padded = np.pad(price, (0, -len(price) % 8), "edge")
    details, level = [], padded
    for _ in range(3):
        even, odd = level[::2], level[1::2]
        details.append((even - odd) / 2)
        level = (even + odd) / 2
    limit = np.median(np.abs(details[0])) / 0.6745 * np.sqrt(2 * np.log(len(padded)))
    for detail in reversed(details):
        kept = np.where(np.abs(detail) > limit, detail, 0.0)
        level = np.column_stack([level + kept, level - kept]).ravel()
    return {"haar_wavelet": price - level[: len(price)]}


def lowess(frame: pd.DataFrame) -> Columns:
    """A local line through 15 bars on each side, near ones weighing more."""
    price, at = _price(frame), np.arange(-15, 16)
    weight = (1 - (np.abs(at) / 16) ** 3) ** 3
    smooth = np.convolve(np.pad(price, 15, "edge"), weight / weight.sum(), "valid")
    return {"lowess": price - smooth}


def kalman_smoother(frame: pd.DataFrame) -> Columns:
    """A local level, filtered forwards and smoothed backwards (Rauch, Tung and Striebel)."""
    price = _price(frame)
    level, before, variance = price.copy(), price.copy(), np.empty(len(price))
    spread = 1.0
    for at in range(1, len(price)):
        spread += 0.05
        before[at] = level[at - 1]
        gain = spread / (spread + 1.0)
        level[at] = before[at] + gain * (price[at] - before[at])
        spread *= 1 - gain
        variance[at] = spread
    for at in range(len(price) - 2, 0, -1):
        level[at] += variance[at] / (variance[at] + 0.05) * (level[at + 1] - before[at + 1])
    return {"kalman_smoother": price - level}


def spline(frame: pd.DataFrame) -> Columns:
    price, at = _price(frame), np.arange(len(frame), dtype=float)
    smooth = interpolate.make_smoothing_spline(at, price, lam=100.0)(at) if len(price) > 5 else price
    return {"spline": price - smooth}


def hodrick_prescott(frame: pd.DataFrame) -> Columns:
    price = _price(frame)
    n = len(price)
    if n < 5:
        return {"hodrick_prescott": price * 0}
    bend = sparse.diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(n - 2, n))
    trend = linalg.spsolve((sparse.eye(n) + 1600 * bend.T @ bend).tocsc(), price)
    return {"hodrick_prescott": price - trend}


def season_and_trend(frame: pd.DataFrame) -> Columns:
    """What a centred daily average and the mean of each hour over all rows leave over."""
    price = pd.Series(_price(frame), frame.index)
    rest = price - price.rolling(25, center=True, min_periods=1).mean()
    return {"season_and_trend": rest - rest.groupby(_hour(frame)).transform("mean")}


def decay_both_ways(frame: pd.DataFrame) -> Columns:
    """The true range, averaged forwards and backwards."""
    span = np.log(frame["high"] / frame["low"]).fillna(0.0)
    return {"decay_both_ways": (span.ewm(span=14).mean() + span[::-1].ewm(span=14).mean()[::-1]) / 2}


def viterbi_path(frame: pd.DataFrame) -> Columns:
    """The likeliest path through a calm and a wild state: the last row decides, and the path is read backwards."""
    price = _price(frame)
    move = np.diff(price, prepend=price[:1])
    spread = np.array([0.004, 0.015])
    fit = -0.5 * (move[:, None] / spread) ** 2 - np.log(spread)
    stay = np.log(np.array([[0.95, 0.05], [0.05, 0.95]]))
    best, came_from = fit[0], np.zeros((len(move), 2), dtype=int)
    for at in range(1, len(move)):
        through = best[:, None] + stay
        came_from[at] = through.argmax(axis=0)
        best = through.max(axis=0) + fit[at]
    path = np.empty(len(move), dtype=int)
    path[-1] = best.argmax()
    for at in range(len(move) - 1, 0, -1):
        path[at - 1] = came_from[at, path[at]]
    return {"viterbi_path": path}


def smoothed_probability(frame: pd.DataFrame) -> Columns:
    """Probability of the wild one of two states given all rows (forward-backward)."""
    price = _price(frame)
    move = np.diff(price, prepend=price[:1])
    spread = np.array([0.004, 0.015])
    fit = np.exp(-0.5 * (move[:, None] / spread) ** 2) / spread + 1e-12
    change = np.array([[0.95, 0.05], [0.05, 0.95]])
    ahead, behind = np.ones((len(move), 2)) / 2, np.ones((len(move), 2)) / 2
    for at in range(1, len(move)):
        each = (ahead[at - 1] @ change) * fit[at]
        ahead[at] = each / each.sum()
    for at in range(len(move) - 2, -1, -1):
        each = change @ (fit[at + 1] * behind[at + 1])
        behind[at] = each / each.sum()
    both = ahead * behind
    return {"smoothed_probability": both[:, 1] / both.sum(axis=1)}


def relative_extreme(frame: pd.DataFrame) -> Columns:
    """Bars that are the highest of eight on each side (argrelextrema)."""
    out = np.zeros(len(frame))
    if len(frame) > 17:
        out[signal.argrelextrema(_price(frame), np.greater, order=8)[0]] = 1.0
    return {"relative_extreme": out}


def resampled_spectrum(frame: pd.DataFrame) -> Columns:
    """Thinned to every fourth bar with an anti-aliasing filter of zero phase, and stretched again."""
    price = _price(frame)
    if len(price) < 40:
        return {"resampled_spectrum": price * 0}
    thin = signal.decimate(price, 4, zero_phase=True)
    return {"resampled_spectrum": price - np.repeat(thin, 4)[: len(price)]}
