"""Arrays of bars on the common grid, shape (n_symbols, n_bars), moved and summed along time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def shift(x: Array, n_bars: int, beyond: float = np.nan) -> Array:
    """Values `n_bars` earlier (positive) or later (negative), `beyond` past the ends. Same shape."""
    out = np.full_like(x, beyond)
    width = x.shape[-1]
    if abs(n_bars) < width:
        source = slice(0, width - n_bars) if n_bars >= 0 else slice(-n_bars, width)
        target = slice(n_bars, width) if n_bars >= 0 else slice(0, width + n_bars)
        out[..., target] = x[..., source]
    return out


def window_sum(x: Array, n_bars: int) -> Array:
    """Sum of each value and the `n_bars` - 1 before it, zeros before the first. Same shape; NaN is not allowed.

    Blocks are doubled and joined, never taken away: a sum depends on the values of its window alone, bit for bit.
    """
    total, block = np.zeros_like(x), x
    n_done, n_block = 0, 1
    while n_done < n_bars:
        if n_bars & n_block:
            total += shift(block, n_done, 0.0)
            n_done += n_block
        block = block + shift(block, n_block, 0.0)
        n_block *= 2
    return total


def is_gapless(close: Array, n_bars: int) -> npt.NDArray[np.bool_]:
    """True where the next `n_bars` all have a candle; this one may be missing."""
    n_missing = np.cumsum(np.isnan(close), axis=1, dtype=np.float64)
    return np.asarray(shift(n_missing, -n_bars) == n_missing)
