"""Made-up candles on which functions are tried: with gaps, standing prices, bars without volume and a late start."""

from __future__ import annotations

import numpy as np

from candlelock.contracts.tables import EXTRA_COLUMNS
from candlelock.features.market import Market

SYMBOLS = ("AAA/USD", "BBB/USD", "CCC/USD")
FIRST_MS = 1_700_006_400_000  # a midnight, on the grid of any bar that divides a day
SEED = 42


def specimen(n_bars: int, bar_ms: int) -> Market:
    """A market of three symbols and `n_bars` bars with every optional column; the same at each call."""
    random, shape = np.random.default_rng(SEED), (len(SYMBOLS), n_bars)
    moves = random.normal(0, 0.01, shape)
    moves[0, n_bars // 4 : n_bars // 3] = 0.0
    close = 100 * np.exp(np.cumsum(moves, axis=1))
    opened = np.concatenate([close[:, :1], close[:, :-1]], axis=1)
    spread = np.where(moves == 0, 1.0, np.exp(np.abs(random.normal(0, 0.003, shape))))
    volume = random.lognormal(3, 1, shape)
    volume[:, n_bars // 3 : n_bars // 2] = 0.0
    taken, mid = volume * random.uniform(0, 1, shape), np.sqrt(opened * close)
    columns = {
        "open": opened,
        "high": np.maximum(opened, close) * spread,
        "low": np.minimum(opened, close) / spread,
        "close": close,
        "volume": volume,
        "quote_volume": volume * mid,
        "n_trades": np.ceil(volume),
        "taker_buy_volume": taken,
        "taker_buy_quote_volume": taken * mid,
        "vwap": np.where(volume > 0, mid, 0.0),
    }
    is_missing = random.random(shape) < 0.03
    is_missing[1, : n_bars // 10] = True
    is_missing[:, n_bars // 2 : n_bars // 2 + 5] = True
    present = {name: np.where(is_missing, np.nan, values) for name, values in columns.items()}
    extras = {column.name: present.pop(column.name) for column in EXTRA_COLUMNS}
    times = FIRST_MS // bar_ms * bar_ms + bar_ms * np.arange(n_bars, dtype=np.int64)
    return Market(SYMBOLS, bar_ms, times, **present, extras=extras)
