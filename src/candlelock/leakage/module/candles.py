"""Candles for looking at single rows: larger and smaller ones than the real, mixed in, and the bars that stand out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from candlelock.artifacts import seeds
from candlelock.causality.cuts import gap_edges
from candlelock.causality.other_candles import with_columns

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

Bars = npt.NDArray[np.int64]
FACTORS = (3.0, 1 / 3)  # of prices, around their level at each bar
VOLUME_FACTORS = (10.0, 0.1)
MOVE_FRAC = 0.01
N_OF_A_KIND = 40  # bars that stand out, of a symbol and kind
DAY_MS, HOUR_MS = 86_400_000, 3_600_000


def candles_elsewhere(market: Market, seed: int) -> tuple[Market, Market]:
    """Sound candles for every bar and symbol, of three times the real level, and of a third; no bar is missing."""
    first, second = (
        _scaled(market, factor, volume, seeds.derive(seed, f"elsewhere/{factor:.2f}"))
        for factor, volume in zip(FACTORS, VOLUME_FACTORS, strict=True)
    )
    return first, second


def _scaled(market: Market, factor: float, volume_factor: float, seed: int) -> Market:
    random = np.random.default_rng(seed)
    shape = market.close.shape

    def noise(share: float) -> Array:
        return np.asarray(np.exp(random.normal(0, share, shape)))

    close = _levels(market.close) * factor * noise(MOVE_FRAC)
    opened = close * noise(MOVE_FRAC)
    wide = np.exp(np.abs(random.normal(0, MOVE_FRAC, (2, *shape))))
    columns = {
        "open": opened,
        "high": np.maximum(opened, close) * wide[0],
        "low": np.minimum(opened, close) / wide[1],
        "close": close,
        "volume": _levels(market.volume) * volume_factor * noise(0.5),
    }
    columns |= {name: _levels(values) * volume_factor * noise(0.5) for name, values in market.extras.items()}
    return with_columns(market, columns)


def _levels(values: Array) -> Array:
    """The last value above 0 at each bar, the first one before there is any; 1 where there is none at all."""
    above = pd.DataFrame(np.where(values > 0, values, np.nan).T)
    return np.asarray(above.ffill().bfill().fillna(1.0).to_numpy().T)


def mixed(market: Market, others: tuple[Market, Market], kinds: Bars) -> Market:
    """The market with the bars of kind 1 and 2 taken from the first and second of the others; 0 stays."""
    one, two = (each.columns() for each in others)
    real = market.columns()
    chosen = {name: np.where(kinds == 1, one[name], two[name]) for name in real}
    return with_columns(market, {name: np.where(kinds == 0, real[name], chosen[name]) for name in real})


def unusual_bars(market: Market, random: np.random.Generator) -> Bars:
    """Bars at which rare code is likely to run, each once, the kinds in turn.

    The largest moves, of the bar or the next one, the largest and smallest volumes, the widest ranges, both sides of
    gaps, first and last bars of hours, days and months. The last bar of all is not among them: nothing follows it.
    """
    kinds = [each for row in range(len(market.symbols)) for each in _outliers(market, row)]
    before, ends = gap_edges(market)
    times = market.open_time_ms
    months = times.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    for number in (times // DAY_MS, months, times // HOUR_MS):
        turns = np.flatnonzero(np.diff(number))
        kinds += [random.permutation(turns), random.permutation(turns + 1)]
    kinds += [random.permutation(each) for each in (before, ends, ends + 1)]
    shortened = [each[:N_OF_A_KIND] for each in kinds]
    in_turn = [each[at] for at in range(N_OF_A_KIND) for each in shortened if at < len(each)]
    listed = np.array(list(dict.fromkeys(int(bar) for bar in in_turn)), dtype=np.int64)
    return listed[(listed >= 0) & (listed < len(times) - 1)]


def _outliers(market: Market, row: int) -> list[Bars]:
    close, volume = market.close[row], market.volume[row]
    with np.errstate(all="ignore"):
        moves = np.abs(np.diff(np.log(close), prepend=np.nan))
        ranges = market.high[row] / market.low[row]
    return [_largest(moves), _largest(moves) - 1, _largest(volume), _largest(-volume), _largest(ranges)]


def _largest(values: Array) -> Bars:
    """Places of the largest known values, the largest first."""
    known = np.flatnonzero(~np.isnan(values))
    return known[np.argsort(-values[known], kind="stable")][:N_OF_A_KIND]
