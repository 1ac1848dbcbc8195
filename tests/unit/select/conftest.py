"""Training rows without a market, parameters that keep everything, and a judge that never saw a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from candlelock.contracts.select_params import SelectParams
from candlelock.select.train_rows import train_rows
from tests.select_params import KEEP_ALL

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from candlelock.select.train_rows import TrainRows

    Array = npt.NDArray[np.float64]

BAR_MS = 3_600_000
START_MS = 1_704_067_200_000


def keys_of(n_rows: int, symbols: tuple[str, ...] = ("ADA/USD", "BTC/USD")) -> pd.DataFrame:
    """Keys of rows shared evenly by the symbols, hour by hour."""
    each = -(-n_rows // len(symbols))
    opens = START_MS + BAR_MS * np.tile(np.arange(each), len(symbols))[:n_rows]
    named = pd.Series(np.repeat(symbols, each)[:n_rows], dtype="str")
    return pd.DataFrame({"symbol": named, "open_time_ms": opens, "label_end_ms": opens + 4 * BAR_MS})


def to_rows(x: Array, y: Array | None = None, names: list[str] | None = None) -> TrainRows:
    """Rows of features f0, f1 … and of coin-flip labels where there are none."""
    labels = np.random.default_rng(9).integers(0, 2, len(x)).astype(float) if y is None else y
    return train_rows(x, labels, names or [f"f{i}" for i in range(x.shape[1])], keys_of(len(x)))


@pytest.fixture(scope="session")
def params() -> Callable[..., SelectParams]:
    """Parameters that keep everything but what the given ones say."""

    def make(**changes: Any) -> SelectParams:
        return SelectParams(**{**KEEP_ALL, **changes})

    return make


def first_is_best(x: Array, y: Array) -> Array:
    """Gains that fall from the first feature on."""
    return 2.0 ** -np.arange(x.shape[1])
