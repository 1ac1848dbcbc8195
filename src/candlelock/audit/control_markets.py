"""Markets of which it is known whether there is anything to know: frames of candles, symbol by symbol, on one grid.

Columns: open_time_ms, open, high, low, close, volume. Prices are rounded to nine digits, as an exchange prints them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Array = npt.NDArray[np.float64]
FIRST_MS = 1_704_067_200_000  # 2024-01-01
N_STEPS = 6  # of the price within a bar
VOLATILITY = 0.02  # of a bar: large against the costs of a trade, so that an edge can pay
COMMON = 0.6  # correlation of the symbols' moves
CORRELATION = 0.5  # of the planted signal with the move over the horizon
N_NORMAL = 24  # bars that say what volume is usual


def make_martingale(
    symbols: Sequence[str], n_bars: int, bar_ms: int, seed: int, horizon_bars: int | None = None
) -> dict[str, pd.DataFrame]:
    """Prices that nobody can foretell, with volatility that comes in clusters; correlated between symbols.

    With `horizon_bars` an edge is planted: after a bar of more than usual volume the price goes on, after one of less
    it turns, over so many bars. No one-line rule on prices alone finds it.
    """
    random = np.random.default_rng(seed)
    shape = (len(symbols), n_bars)
    scale = VOLATILITY * np.exp(_clusters(random, n_bars, 0.98, 0.35))
    steps = random.normal(size=(*shape, N_STEPS)) * np.sqrt(1 - COMMON) + random.normal(
        size=(1, n_bars, N_STEPS)
    ) * np.sqrt(COMMON)
    moves = steps * scale[None, :, None] / np.sqrt(N_STEPS)
    moves -= (scale**2 / (2 * N_STEPS))[None, :, None]  # of the price, not of its logarithm, the mean is the last one
    volume = random.lognormal(3.0, 0.7, shape) * np.exp(_clusters(random, n_bars, 0.9, 0.3))
    if horizon_bars is not None:
        moves = _with_edge(moves, scale, volume, horizon_bars)
    times = FIRST_MS + bar_ms * np.arange(n_bars, dtype=np.int64)
    return {symbol: _candles(times, moves[row], volume[row]) for row, symbol in enumerate(symbols)}


def shuffle_bars(
    frames: Mapping[str, pd.DataFrame], bar_ms: int, n_bars: int, new_bar_ms: int, seed: int
) -> dict[str, pd.DataFrame]:
    """The latest bars of real candles in an order drawn anew: all symbols' bars of one time stay together.

    What happens within a bar and between symbols is real; what comes after what is not. Longer blocks would keep what
    is known within a block, such as that a price leans back. Only times at which every symbol has a candle and had one
    before are taken, and put on a new grid of times; where there are too few, they are drawn again and again. Raises
    InputError when the symbols have no two bars in common.
    """
    common = sorted(set.intersection(*(set(frame["open_time_ms"].tolist()) for frame in frames.values())))
    times = np.array(common, dtype=np.int64)
    taken = times[1:][np.diff(times) == bar_ms][-n_bars:]
    if not len(taken):
        found, expected = "no two bars in a row that every symbol has", "symbols that trade at the same time"
        help_line = "leave out the symbols of another time, or take longer candles"
        raise InputError(Problem("control-candles", "data/snapshot", found, expected, help_line))
    random = np.random.default_rng(seed)
    order = random.permutation(n_bars) if len(taken) == n_bars else random.integers(0, len(taken), n_bars)
    out = {}
    for symbol, frame in frames.items():
        rows = frame.set_index("open_time_ms")
        before = rows.loc[taken - bar_ms, "close"].to_numpy()
        bars = np.log(rows.loc[taken, ["open", "high", "low", "close"]].to_numpy() / before[:, None])[order]
        level = np.concatenate([[0.0], np.cumsum(bars[:-1, 3])])[:, None] + np.log(before[0])
        prices = np.exp(level + bars)
        opened = FIRST_MS + new_bar_ms * np.arange(n_bars, dtype=np.int64)
        out[symbol] = _frame(opened, prices, rows.loc[taken, "volume"].to_numpy()[order])
    return out


def change_future(market: Mapping[str, pd.DataFrame], from_ms: int, seed: int) -> dict[str, pd.DataFrame]:
    """The same market up to a time, and from the bar that opens there on another one that nobody can foretell."""
    n_bars = max(len(frame) for frame in market.values())
    others = make_martingale(list(market), n_bars, 1, seed)
    out = {}
    for symbol, frame in market.items():
        is_later = frame["open_time_ms"].to_numpy() >= from_ms
        other, before = others[symbol].iloc[: len(frame)], frame.loc[~is_later, "close"].iloc[-1]
        prices = other.loc[is_later, ["open", "high", "low", "close"]].to_numpy()
        opened, volume = frame["open_time_ms"].to_numpy()[is_later], other["volume"].to_numpy()[is_later]
        changed = _frame(opened, prices * before / prices[0, 0], volume)
        out[symbol] = pd.concat([frame[~is_later], changed], ignore_index=True)
    return out


def _clusters(random: np.random.Generator, n_bars: int, persistence: float, size: float) -> Array:
    """A stationary autoregression of order one with that standard deviation."""
    shocks = random.normal(size=n_bars) * size * np.sqrt(1 - persistence**2)
    out = np.empty(n_bars)
    out[0] = size * random.normal()
    for bar in range(1, n_bars):
        out[bar] = persistence * out[bar - 1] + shocks[bar]
    return out


def _with_edge(moves: Array, scale: Array, volume: Array, horizon_bars: int) -> Array:
    """Drifts over the bars after each, told by the sign of its move and whether its volume was more than usual."""
    out, n_bars = moves.copy(), moves.shape[1]
    usual = pd.DataFrame(volume.T).rolling(N_NORMAL, min_periods=1).median().to_numpy().T
    size = CORRELATION / np.sqrt(horizon_bars) / N_STEPS
    for bar in range(n_bars - 1):
        told = np.sign(out[:, bar].sum(axis=1)) * np.where(volume[:, bar] > usual[:, bar], 1.0, -1.0)
        end = min(bar + 1 + horizon_bars, n_bars)
        out[:, bar + 1 : end] += (told[:, None] * size * scale[None, bar + 1 : end])[:, :, None]
    return out


def _candles(times: npt.NDArray[np.int64], moves: Array, volume: Array) -> pd.DataFrame:
    """Bars of a path of moves (n_bars, n_steps), each of which opens where the last one closed."""
    path = np.cumsum(moves.ravel()).reshape(moves.shape) + np.log(100.0)
    opened = np.concatenate([[np.log(100.0)], path[:-1, -1]])
    whole = np.column_stack([opened, path])
    prices = np.exp(np.column_stack([opened, whole.max(axis=1), whole.min(axis=1), path[:, -1]]))
    return _frame(times, prices, volume)


def _frame(times: npt.NDArray[np.int64], prices: Array, volume: Array) -> pd.DataFrame:
    digits = 8 - int(np.floor(np.log10(prices.min())))
    rounded = dict(zip(("open", "high", "low", "close"), np.round(prices, digits).T, strict=True))
    return pd.DataFrame({"open_time_ms": times, **rounded, "volume": np.round(volume, 6)})
