"""Group `timeframes`: the bars are grouped by pandas, looked at as a market of their own, and spread out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from candlelock.features.market import CANDLE_FIELDS, Market
from tests.oracles.textbook import highest, lag, log_return, lowest, mean, place, ratio, std, total, zscore

if TYPE_CHECKING:
    from candlelock.features.market import Array

HOW = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}


def expected_timeframes(market: Market) -> dict[str, Array]:
    features = {}
    for n in (4, 12, 48):
        higher, last = _resample(market, n)
        answers = {name: _spread(x, last) for name, x in _answer(higher).items()}
        answers["open_distance"] = market.close / _spread(higher.close, last) - 1
        features |= {f"x{n}_{name}": x for name, x in answers.items()}
        features |= {f"span_{n}_{name}": x for name, x in _answer_sliding(market, n).items()}
    return features


def _answer_sliding(market: Market, n: int) -> dict[str, Array]:
    """Spans of n bars that end with each bar, twenty of them in a window."""
    move, window = log_return(market.close, n), 20 * n
    usual = std(move, window)
    return {
        "scaled_return": ratio(move, usual),
        "scaled_return_lag_1": ratio(lag(move, n), usual),
        "scaled_return_lag_2": ratio(lag(move, 2 * n), usual),
        "price_zscore": zscore(np.log(market.close), window),
        "range_position": place(market.close, lowest(market.low, window), highest(market.high, window)),
    }


def _resample(market: Market, n: int) -> tuple[Market, Array]:
    """Bars of n bars, and which of them is the last to have closed by the close of each bar; -1 before the first."""
    number = market.open_time_ms // (n * market.bar_ms)
    fields = {name: [] for name in CANDLE_FIELDS}
    for row in range(len(market.symbols)):
        frame = pd.DataFrame({name: getattr(market, name)[row] for name in CANDLE_FIELDS})
        higher = frame.groupby(number).agg(HOW)
        too_few = 10 * frame["close"].groupby(number).count() < 9 * n
        higher[too_few.to_numpy()] = np.nan
        for name in CANDLE_FIELDS:
            fields[name].append(higher[name].to_numpy())
    closes_ms = (np.unique(number) + 1) * n * market.bar_ms
    last = np.searchsorted(closes_ms, market.open_time_ms + market.bar_ms, side="right") - 1
    arrays = {name: np.array(rows) for name, rows in fields.items()}
    return Market(market.symbols, n * market.bar_ms, closes_ms - n * market.bar_ms, **arrays), last


def _spread(x: Array, last: Array) -> Array:
    return np.where(last < 0, np.nan, x[:, last])


def _answer(bars: Market) -> dict[str, Array]:
    move = log_return(bars.close)
    rises, falls = (total(np.where(side, np.abs(move), 0 * move), 14) for side in (move > 0, move < 0))
    return {
        "return_1": move,
        "return_3": log_return(bars.close, 3),
        "volatility_12": std(move, 12),
        "rsi_14": 100 * ratio(rises, rises + falls),
        "price_zscore_12": zscore(bars.close, 12),
        "volume_ratio_12": ratio(bars.volume, mean(bars.volume, 12)),
        "range_position_12": place(bars.close, lowest(bars.low, 12), highest(bars.high, 12)),
    }
