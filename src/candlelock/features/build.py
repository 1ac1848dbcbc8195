"""Features of a market: every enabled group, in registry order, null inside the warm-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.contracts.errors import InputError, Problem, nearest
from candlelock.contracts.tables import TIME
from candlelock.features.calendar import build_time
from candlelock.features.cross_asset import build_cross_asset
from candlelock.features.momentum import build_momentum
from candlelock.features.returns import build_returns
from candlelock.features.trend import build_trend
from candlelock.features.volatility import build_volatility
from candlelock.features.volume import build_volume

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array, Market

GROUPS: dict[str, Callable[[Market], dict[str, Array]]] = {
    "returns": build_returns,
    "volume": build_volume,
    "momentum": build_momentum,
    "volatility": build_volatility,
    "trend": build_trend,
    "time": build_time,
    "cross_asset": build_cross_asset,
}


def build_features(market: Market, entries: Sequence[Feature]) -> dict[str, Array]:
    """The features of `entries`, each float64 of shape (n_symbols, n_bars), NaN where unknown.

    A value at a bar uses that bar and earlier ones only. Raises InputError when groups and registry disagree.
    """
    groups = dict.fromkeys(entry.group for entry in entries)
    built = {name: values for group in groups for name, values in GROUPS[group](market).items()}
    _refuse_disagreement([entry.name for entry in entries], list(built))
    age = np.arange(len(market.open_time_ms)) - np.argmax(market.has_bar, axis=1)[:, None]
    return {entry.name: np.where(age >= entry.warmup_bars, built[entry.name], np.nan) for entry in entries}


def build_tables(market: Market, entries: Sequence[Feature]) -> dict[str, pa.Table]:
    """Symbol -> feature table: a row for each of its candles, null where a feature is unknown."""
    features = build_features(market, entries)
    return {symbol: _table(market, features, row) for row, symbol in enumerate(market.symbols)}


def _table(market: Market, features: dict[str, Array], row: int) -> pa.Table:
    has_bar = market.has_bar[row]
    times = pa.array(market.open_time_ms[has_bar]).cast(TIME)
    columns = {name: pa.array(values[row][has_bar], from_pandas=True) for name, values in features.items()}
    return pa.table({"open_time_utc": times, **columns})


def _refuse_disagreement(registered: list[str], built: list[str]) -> None:
    missing = [
        Problem(
            "feature-without-function",
            f"features.yml {name}",
            "no group computes it",
            "a function for every entry",
            nearest(name, built),
        )
        for name in registered
        if name not in built
    ]
    extra = [
        Problem(
            "feature-without-entry",
            f"features.yml {name}",
            "computed but not registered",
            "an entry for every feature",
            nearest(name, registered),
        )
        for name in built
        if name not in registered
    ]
    if missing or extra:
        raise InputError([*missing, *extra])
