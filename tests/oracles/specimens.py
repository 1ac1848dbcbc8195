"""Markets on which features meet their references: walks with gaps, coarse ticks that stand still, real candles."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from candlelock.features.market import CANDLE_FIELDS, Array, Market, align
from tests.markets import FIRST_MS, HOUR_MS, changed, walk

CANDLES = Path(__file__).resolve().parents[3] / "shared/data/candles"
N_BARS = 3_000  # beyond the longest warm-up of hourly bars
SYMBOLS = ("BTC/USDT", "ETH/USDT", "BTC/USDC")
MARKETS = ("walk", "ticks", pytest.param("real", marks=pytest.mark.shared))
GAPLESS = ("walk", *(pytest.param(name, marks=pytest.mark.shared) for name in ("BTC 1m", "XRP 5m")))


@functools.cache
def specimen(name: str) -> Market:
    """One of `MARKETS`: three symbols, hourly bars, the optional columns of candles and books besides."""
    market = {"walk": _walk, "ticks": _ticks, "real": _real}[name]()
    return with_extras(Market(SYMBOLS, HOUR_MS, market.open_time_ms, **_fields(market)))


def _fields(market: Market) -> dict[str, Array]:
    return {name: getattr(market, name) for name in CANDLE_FIELDS}


def _walk() -> Market:
    """One bar in a hundred is missing, symbols start at different bars."""
    return walk(seed=11, n_symbols=3, n_bars=N_BARS, gap_share=0.01, latest_start=90)


def _ticks() -> Market:
    """Prices in tenths near 100, two bars in five without a move; forty hours of standstill and without volume."""
    random = np.random.default_rng(12)
    shape = (3, N_BARS)
    steps = random.integers(-3, 4, shape) * (random.random(shape) < 0.6)
    steps[:, 1500:1540] = 0  # the market stands: no move, no range, no volume
    close = 1000 + np.cumsum(steps, axis=1)
    opened = close - steps + random.integers(-1, 2, shape) * (random.random(shape) < 0.2)
    reach = random.integers(0, 3, (2, *shape))
    reach[:, :, 1500:1540] = 0
    opened[:, 1500:1540] = close[:, 1500:1540]
    high, low = np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1]
    volume = random.integers(1, 6, shape) * (random.random(shape) > 0.02)
    volume[:, 1500:1540] = 0
    prices = {"open": opened / 10, "high": high / 10, "low": low / 10, "close": close / 10}
    is_missing = random.random(shape) < 0.003
    fields = {name: np.where(is_missing, np.nan, x) for name, x in {**prices, "volume": volume}.items()}
    return Market(SYMBOLS, HOUR_MS, FIRST_MS + HOUR_MS * np.arange(N_BARS, dtype=np.int64), **fields)


def _real() -> Market:
    """Hours of Binance's five-minute candles of 2024; BTC, ETH and XRP."""
    frames = {name: real_candles("binance_spot_5m_2024", f"{name}_USDT-5m.feather") for name in ("BTC", "ETH", "XRP")}
    hours = {}
    for name, frame in frames.items():
        how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
        hour = frame.groupby(frame["open_time_ms"] // HOUR_MS * HOUR_MS).agg(how)
        hours[name] = hour.iloc[:N_BARS].reset_index()
    return align(hours, HOUR_MS)


@functools.cache
def real_candles(folder: str, file: str) -> pd.DataFrame:
    """Candles of a feather file beside the project, with `open_time_ms`; the test is skipped where there are none."""
    if not (CANDLES / folder / file).is_file():
        pytest.skip("no ../shared/data")
    frame = pd.read_feather(CANDLES / folder / file)
    times = frame["date"].astype("datetime64[ms, UTC]").astype("int64")
    return frame[list(CANDLE_FIELDS)].astype(float).assign(open_time_ms=times)


@functools.cache
def gapless(name: str) -> tuple[Market, float]:
    """One symbol without a gap, for TA-Lib, which knows none; and how many ticks a unit of price has."""
    if name == "walk":
        market = walk(seed=5, n_symbols=1, n_bars=8_000)
        prices = {field: np.rint(100 * x) / 100 for field, x in _fields(market).items() if field != "volume"}
        return changed(market, **prices), 100.0
    folder, file, bar_ms, ticks = {
        "BTC 1m": ("binance_spot_1m_2025", "BTC_USDT-1m.feather", 60_000, 100.0),
        "XRP 5m": ("binance_spot_5m_2024", "XRP_USDT-5m.feather", 300_000, 10_000.0),
    }[name]
    return align({name: real_candles(folder, file).iloc[:20_000]}, bar_ms), ticks


def with_extras(market: Market) -> Market:
    """Takers, trades and a book to go with the candles; a tenth of the bars has no book."""
    random = np.random.default_rng(13)
    shape, is_there = market.close.shape, random.random(market.close.shape) > 0.03
    spread = market.close * random.uniform(1e-5, 1e-3, shape)
    bids, asks = (np.cumsum(random.lognormal(1, 0.5, (20, *shape)), axis=0) for _ in range(2))
    traded = random.lognormal(1, 0.5, shape) * (random.random(shape) > 0.05)
    book = {"mid": market.close + spread * random.uniform(-0.5, 0.5, shape), "spread": spread}
    book |= {"mean_spread": spread * random.uniform(0.8, 1.5, shape), "mean_imbalance": random.uniform(-1, 1, shape)}
    book |= {"microprice": book["mid"] + spread * random.uniform(-0.5, 0.5, shape), "volume": traded}
    book |= {"effective_spread": spread * random.uniform(-1, 3, shape), "n_book_updates": random.poisson(30, shape)}
    book["signed_volume"] = traded * random.uniform(-1, 1, shape)
    for n in (1, 5, 10, 20):
        bid, ask = bids[n - 1], asks[n - 1]
        book |= {f"bid_depth_{n}": bid, f"ask_depth_{n}": ask, f"imbalance_{n}": (bid - ask) / (bid + ask)}
    extras = {f"book_{name}": np.where(is_there, x, np.nan) for name, x in book.items()}
    extras |= {
        "taker_buy_volume": market.volume * random.random(shape),
        "n_trades": np.floor(market.volume * random.uniform(1, 3, shape)),
        "quote_volume": market.volume * market.close * random.uniform(0.99, 1.01, shape),
    }
    own = {name: np.where(market.has_bar, x, np.nan) for name, x in extras.items()}
    return Market(market.symbols, market.bar_ms, market.open_time_ms, **_fields(market), extras=own)
