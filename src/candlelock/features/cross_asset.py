"""Group `cross_asset`: the symbol against the others, from bars that closed at the same time.

A bar of another symbol that has the same open time closes at the same time, so nothing here is later than the close.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.features.returns import log_return

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market

WINDOWS = (1, 3, 6, 12, 48)
MIN_SYMBOLS = 2


def cross_section_mean(x: Array) -> Array:
    """Mean over the symbols present at each bar, for every symbol; NaN with fewer than two. Same shape.

    Summed in the order of the symbols, so that the bits do not depend on the array's length.
    """
    total = np.zeros(x.shape[-1])
    for row in x:
        total = total + np.where(np.isnan(row), 0.0, row)
    present = (~np.isnan(x)).sum(axis=0)
    mean = np.divide(total, present, out=np.full_like(total, np.nan), where=present >= MIN_SYMBOLS)
    return np.broadcast_to(mean, x.shape)


def build_cross_asset(market: Market) -> dict[str, Array]:
    """Mean return of all symbols, own return in excess of it, and how far the symbols' returns lie apart."""
    features: dict[str, Array] = {}
    for k in WINDOWS:
        move = log_return(market.close, k)
        mean = cross_section_mean(move)
        features[f"market_return_{k}"] = np.where(market.has_bar, mean, np.nan)
        features[f"excess_return_{k}"] = move - mean
    squares = cross_section_mean(features["excess_return_12"] ** 2)
    features["dispersion_12"] = np.where(market.has_bar, np.sqrt(squares), np.nan)
    return features
