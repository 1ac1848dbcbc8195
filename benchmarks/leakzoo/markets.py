"""The candles the zoo is shown: walks with clusters of volatility and gaps, and hours of the built-in sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from candlelock.causality.other_candles import between
from candlelock.cli.audit_candles import read_snapshot
from candlelock.contracts import files
from candlelock.features.market import Market

ROOT = Path(__file__).resolve().parent.parent.parent
HOUR_MS = 3_600_000
FIRST_MS = 420_007 * HOUR_MS
N_WALK, N_SAMPLE = 2_000, 2_500
LATE = 90  # bars until the last symbol of a walk is listed


def walk(seed: int, n_symbols: int = 2, n_bars: int = N_WALK, gap_share: float = 0.006) -> Market:
    """Hourly walks whose volatility wanders; gaps of one to four bars; the last symbol starts late."""
    random = np.random.default_rng([seed, 11])
    shape = (n_symbols, n_bars)
    log_spread = np.zeros(shape)
    for bar in range(1, n_bars):
        log_spread[:, bar] = 0.97 * log_spread[:, bar - 1] + random.normal(0, 0.15, n_symbols)
    spread = 0.006 * np.exp(log_spread)
    close = 100 * np.exp(np.cumsum(spread * random.standard_t(5, shape), axis=1))
    opened = close * np.exp(0.4 * spread * random.normal(size=shape))
    around = np.exp(spread * np.abs(random.normal(size=(2, *shape))))
    fields = {
        "open": opened,
        "high": np.maximum(opened, close) * around[0],
        "low": np.minimum(opened, close) / around[1],
        "close": close,
        "volume": random.lognormal(3, 0.8, shape) * np.exp(log_spread),
    }
    is_missing = np.zeros(shape, dtype=bool)
    for symbol, bar in np.argwhere(random.random(shape) < gap_share).tolist():
        is_missing[symbol, bar : bar + int(random.integers(1, 5))] = True
    is_missing[-1, :LATE] = True
    is_missing[:-1, 0] = False
    present = {name: np.where(is_missing, np.nan, values) for name, values in fields.items()}
    times = FIRST_MS + HOUR_MS * np.arange(n_bars, dtype=np.int64)
    return Market(tuple(f"S{row}" for row in range(n_symbols)), HOUR_MS, times, **present)


def sample(seed: int, n_symbols: int = 2, n_bars: int = N_SAMPLE) -> Market:
    """Hours of the project's snapshot: symbols and a stretch chosen by the seed. An hour misses when a part does."""
    market, _ = read_snapshot(ROOT / files.SNAPSHOT, None)
    random = np.random.default_rng([seed, 13])
    whole = _hourly(market)
    rows = np.sort(random.permutation(len(whole.symbols))[:n_symbols]).tolist()
    start = int(random.integers(0, len(whole.open_time_ms) - n_bars))
    cut = between(whole, start, start + n_bars)
    fields = {name: getattr(cut, name)[rows] for name in ("open", "high", "low", "close", "volume")}
    return Market(tuple(cut.symbols[row] for row in rows), cut.bar_ms, cut.open_time_ms, **fields)


def _hourly(market: Market) -> Market:
    """Bars of an hour from shorter ones that divide it."""
    n = HOUR_MS // market.bar_ms
    first = int(-(market.open_time_ms[0] // market.bar_ms) % n)
    n_hours = (len(market.open_time_ms) - first) // n

    def parts(values: np.ndarray) -> np.ndarray:
        return values[:, first : first + n_hours * n].reshape(len(values), n_hours, n)

    fields = {
        "open": parts(market.open)[:, :, 0],
        "high": parts(market.high).max(axis=2),
        "low": parts(market.low).min(axis=2),
        "close": parts(market.close)[:, :, -1],
        "volume": parts(market.volume).sum(axis=2),
    }
    is_missing = np.isnan(parts(market.close)).any(axis=2)
    whole = {name: np.where(is_missing, np.nan, values) for name, values in fields.items()}
    return Market(market.symbols, HOUR_MS, market.open_time_ms[first::n][:n_hours].copy(), **whole)


MARKETS = {"walk": walk, "sample": sample}
