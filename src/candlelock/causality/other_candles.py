"""Markets that differ from the real one in a known stretch: cut out, replaced by other candles, deleted, scrambled.

Other candles are sound ones (positive prices, low and high around open and close), drawn from a seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.features.market import CANDLE_FIELDS, Market

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from candlelock.features.market import Array

MOVE_FRAC = 0.01  # one-bar moves of drawn candles
SPREAD_FRAC = 0.004


def with_columns(market: Market, changed: Mapping[str, Array]) -> Market:
    """The market with some of its columns replaced by others of the same shape."""
    return _market(market, market.open_time_ms, market.columns() | dict(changed))


def between(market: Market, first: int, end: int) -> Market:
    """Bars `first` up to, not including, `end`, as if there were no others."""
    cut = {name: np.ascontiguousarray(values[:, first:end]) for name, values in market.columns().items()}
    return _market(market, market.open_time_ms[first:end].copy(), cut)


def _market(like: Market, open_time_ms: npt.NDArray[np.int64], columns: Mapping[str, Array]) -> Market:
    fields = {name: columns[name] for name in CANDLE_FIELDS}
    extras = {name: columns[name] for name in like.extras}
    return Market(like.symbols, like.bar_ms, open_time_ms, **fields, extras=extras)


def replaced(
    market: Market,
    first: int,
    end: int,
    seed: int,
    rows: Sequence[int] | None = None,
    size: float = 1.0,
    gap_share: float = 0.0,
) -> Market:
    """Bars `first` up to `end` of the symbols `rows` (all if None) replaced by drawn ones, about `size` times as large.

    `gap_share`: share of the drawn bars that are missing. Where the real ones are missing, drawn ones may stand.
    """
    chosen = range(len(market.symbols)) if rows is None else rows
    changed = {name: values.copy() for name, values in market.columns().items()}
    for row in chosen:
        random = np.random.default_rng([seed, row])
        for name, values in _draw(market, row, first, end - first, random, size, gap_share).items():
            changed[name][row, first:end] = values
    return with_columns(market, changed)


def _draw(
    market: Market, row: int, first: int, n_bars: int, random: np.random.Generator, size: float, gap_share: float
) -> dict[str, Array]:
    close = size * _level(market.close[row], first) * np.exp(np.cumsum(random.normal(0, MOVE_FRAC, n_bars)))
    opened = close * np.exp(random.normal(0, SPREAD_FRAC, n_bars))
    around = np.exp(np.abs(random.normal(0, SPREAD_FRAC, (2, n_bars))))
    drawn = {
        "open": opened,
        "high": np.maximum(opened, close) * around[0],
        "low": np.minimum(opened, close) / around[1],
        "close": close,
        "volume": size * _level(market.volume[row], first) * random.lognormal(0, 1, n_bars),
    }
    for name, values in market.extras.items():
        drawn[name] = _resampled(values[row], n_bars, random)
    is_missing = random.random(n_bars) < gap_share
    return {name: np.where(is_missing, np.nan, values) for name, values in drawn.items()}


def _level(values: Array, first: int) -> float:
    """The known positive value nearest before `first`, else the first after it; 1 where there is none."""
    usable = np.flatnonzero(values > 0)
    if not len(usable):
        return 1.0
    at = int(np.searchsorted(usable, first)) - 1
    return float(values[usable[max(at, 0)]])


def _resampled(values: Array, n_bars: int, random: np.random.Generator) -> Array:
    """Known values in any order, each changed a little; NaN where the symbol has none."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.full(n_bars, np.nan)
    return random.choice(known, n_bars) * random.lognormal(0, 0.5, n_bars)


def deleted(market: Market, first: int, end: int, rows: Iterable[int]) -> Market:
    """The market without the bars `first` up to `end` of the symbols `rows`."""
    changed = {name: values.copy() for name, values in market.columns().items()}
    for values in changed.values():
        values[list(rows), first:end] = np.nan
    return with_columns(market, changed)


def scrambled(market: Market, names: Iterable[str], rows: Sequence[int], seed: int) -> Market:
    """The columns `names` of the symbols `rows` drawn anew throughout; gaps stay where they are."""
    drawn, real = replaced(market, 0, len(market.open_time_ms), seed).columns(), market.columns()
    is_chosen = np.isin(np.arange(len(market.symbols)), list(rows))[:, None]
    fresh = {name: np.where(is_chosen & ~np.isnan(real[name]), drawn[name], real[name]) for name in names}
    return with_columns(market, {name: values for name, values in fresh.items() if name in real})


def shifted(market: Market, n_bars: int) -> Market:
    """The same candles `n_bars` bars later."""
    return _market(market, market.open_time_ms + n_bars * market.bar_ms, market.columns())
