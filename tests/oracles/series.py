"""Series the operators are tried on: walks, noise, ticks with ties, flat stretches, hostile sizes, with gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from candlelock.features.market import Array

KINDS = ("walk", "noise", "ticks", "flat", "tiny", "huge", "high level", "outliers")


def series(kind: str, n_bars: int, gap_share: float = 0.0, seed: int = 0) -> Array:
    """`n_bars` values of a kind, a share of them missing."""
    random = np.random.default_rng([seed, KINDS.index(kind)])
    walk = np.exp(np.cumsum(random.normal(0, 0.01, n_bars)))
    noise = random.normal(0, 1, n_bars)
    size = random.choice([1.0, 1e12, 1e-8], n_bars, p=[0.96, 0.02, 0.02])
    x = {
        "walk": 100 * walk,
        "noise": noise,
        "ticks": random.integers(-2, 3, n_bars) * 1.0,
        "flat": 0.1 * np.repeat(1000 + np.cumsum(random.integers(-1, 2, n_bars)), 37)[:n_bars],
        "tiny": 1e-8 * walk,
        "huge": 1e12 * walk,
        "high level": 1e6 + 10 * noise,
        "outliers": size * noise,
    }[kind]
    return np.where(random.random(n_bars) < gap_share, np.nan, x)
