"""Clean: one-sided filters and estimators. What starts from a state fades inside its declared look-back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from scipy import signal

Columns = dict[str, Any]


def _move(frame: pd.DataFrame) -> np.ndarray:
    """Log returns; zero across a missing candle."""
    return np.asarray(np.log(frame["close"]).diff().fillna(0.0))


def _windows(column: np.ndarray, n: int) -> np.ndarray:
    return sliding_window_view(np.concatenate([np.zeros(n - 1), column]), n)


def butterworth(frame: pd.DataFrame) -> Columns:
    taps = signal.butter(2, 0.1)
    once = signal.lfilter(*taps, _move(frame))
    return {"clean_lfilter": once, "clean_lfilter_twice": signal.lfilter(*taps, once)}


def one_sided_polynomial(frame: pd.DataFrame) -> Columns:
    """Savitzky-Golay at the end of its window."""
    taps = signal.savgol_coeffs(15, 2, pos=14, use="dot")
    return {"clean_savitzky_golay": _windows(_move(frame), 15) @ taps}


def trailing_line(frame: pd.DataFrame) -> Columns:
    """A local line through the last 16 bars, near ones weighing more."""
    at = np.arange(16)
    weight = (at + 1.0) ** 2
    mean = weight @ at / weight.sum()
    slope = weight * (at - mean) / (weight @ (at - mean) ** 2)
    return {"clean_trailing_line": _windows(_move(frame), 16) @ slope}


def kalman(frame: pd.DataFrame) -> Columns:
    """A local level of the moves with the filter's steady gain."""
    return {"clean_kalman": signal.lfilter([0.2], [1.0, -0.8], _move(frame))}


def filtered_probability(frame: pd.DataFrame) -> Columns:
    """Probability of the wild one of two states given the rows so far: the forward pass alone."""
    move = _move(frame)
    spread = np.array([0.004, 0.015])
    fit = np.exp(-0.5 * (move[:, None] / spread) ** 2) / spread + 1e-12
    change = np.array([[0.9, 0.1], [0.1, 0.9]])
    state, out = np.array([0.5, 0.5]), np.empty(len(move))
    for at, each in enumerate(fit):
        state = (state @ change) * each
        state /= state.sum()
        out[at] = state[1]
    return {"clean_filtered_probability": out}


def trailing_spectrum(frame: pd.DataFrame) -> Columns:
    """Share of the slow half of the spectrum of the last 32 moves."""
    power = np.abs(np.fft.rfft(_windows(_move(frame), 32), axis=1)[:, 1:]) ** 2
    return {"clean_slow_power": power[:, :8].sum(axis=1) / (power.sum(axis=1) + 1e-12)}


def trailing_haar(frame: pd.DataFrame) -> Columns:
    windows = _windows(_move(frame), 8)
    return {"clean_haar": windows[:, 4:].sum(axis=1) - windows[:, :4].sum(axis=1)}


def fractional_difference(frame: pd.DataFrame) -> Columns:
    weights = [1.0]
    for step in range(1, 30):
        weights.append(-weights[-1] * (0.4 - step + 1) / step)
    return {"clean_fractional": _windows(_move(frame), 30) @ np.array(weights[::-1])}


def filter_within_window(frame: pd.DataFrame) -> Columns:
    """filtfilt over the last 40 moves alone: both ways, but only inside what is known."""
    taps = signal.butter(2, 0.2)
    return {"clean_filtfilt_in_window": signal.filtfilt(*taps, _windows(_move(frame), 40), axis=1)[:, -1]}


def neighbour_in_window(frame: pd.DataFrame) -> Columns:
    """What followed the most similar pair of moves among the last 60 bars; its label is known."""
    windows = _windows(_move(frame), 60)
    pairs = sliding_window_view(windows, 2, axis=1)
    apart = ((pairs[:, :-1] - pairs[:, -1:]) ** 2).sum(axis=2)
    at = apart.argmin(axis=1)
    return {"clean_neighbour": windows[np.arange(len(windows)), at + 2]}


def detrended_in_window(frame: pd.DataFrame) -> Columns:
    return {"clean_detrended": signal.detrend(np.cumsum(_windows(_move(frame), 48), axis=1), axis=1)[:, -1]}


def noise_of_time(frame: pd.DataFrame) -> Columns:
    """Numbers that look random and follow from the open time alone."""
    number = (frame.index - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(hours=1)
    return {"clean_noise_of_time": np.modf(np.sin(np.asarray(number) * 12.9898) * 43758.5453)[0]}


def clustered_by_rule(frame: pd.DataFrame) -> Columns:
    """The nearest of three centres that are written down, not fitted."""
    apart = np.abs(np.abs(_move(frame))[:, None] - np.array([0.001, 0.005, 0.02]))
    return {"clean_nearest_centre": apart.argmin(axis=1)}
