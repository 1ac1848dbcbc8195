"""Random-walk markets, the project's own features, and split parameters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from candlelock.artifacts import user_files
from candlelock.contracts.registry import select
from candlelock.contracts.stage_params import SplitParams
from candlelock.features.market import align

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Market

BAR_MS = 1_800_000
GROUPS = ("returns", "volume", "momentum", "volatility", "trend", "time", "cross_asset")


@pytest.fixture(scope="session")
def walk() -> Callable[..., Market]:
    """Half-hour candles of up to three symbols that start at the bars of `starts`, less the bars in `missing`."""

    def make(n_bars: int = 720, starts: tuple[int, ...] = (0, 0, 0), missing: tuple[int, ...] = ()) -> Market:
        random, candles = np.random.default_rng(7), {}
        for symbol, start in zip(("BTC/USD", "ETH/USD", "ADA/USD"), starts, strict=False):
            close = 100 * np.exp(random.normal(0, 0.01, n_bars).cumsum())
            opened = np.r_[100.0, close[:-1]]
            spread = random.uniform(0, 0.5, n_bars)
            high, low = np.maximum(opened, close) + spread, np.minimum(opened, close) - spread
            fields = {
                "open": opened,
                "high": high,
                "low": low,
                "close": close,
                "volume": random.lognormal(3, 1, n_bars),
            }
            times = pd.DataFrame({"open_time_ms": BAR_MS * (850_000 + np.arange(n_bars, dtype=np.int64)), **fields})
            candles[symbol] = times.drop(index=[*range(start), *missing])
        return align(candles, BAR_MS)

    return make


@pytest.fixture(scope="session")
def entries() -> tuple[Feature, ...]:
    """The whole registry."""
    return select(user_files.read_catalogue(Path(__file__).parents[3]), GROUPS)


@pytest.fixture(scope="session")
def params() -> Callable[..., SplitParams]:
    """Split parameters; keyword arguments replace single values."""

    def make(**changes: Any) -> SplitParams:
        fractions = {"calibrate_frac": 0.1, "decide_frac": 0.1, "test_frac": 0.25}
        values = {"min_history_bars": 10, "embargo_bars": 5, "n_folds": 3}
        return SplitParams(**{**fractions, **values, **changes})

    return make
