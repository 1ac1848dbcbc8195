"""Features by TA-Lib's functions, one symbol at a time, through the transformation that makes one of the other.

A feature of which the registry says that TA-Lib has it must stand here; others may, where TA-Lib has the parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import talib

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.features.market import Array


@dataclass(frozen=True)
class Candles:
    """Columns of one symbol, shape (n_bars,), none missing."""

    open: Array
    high: Array
    low: Array
    close: Array
    volume: Array

    @property
    def move(self) -> Array:
        """One-bar log return; the first counts as none, which the warm-up hides."""
        return np.diff(np.log(self.close), prepend=np.log(self.close[0]))

    @property
    def typical(self) -> Array:
        return talib.TYPPRICE(self.high, self.low, self.close)

    @property
    def hlc(self) -> tuple[Array, Array, Array]:
        return self.high, self.low, self.close


Formula: TypeAlias = "Callable[[Candles], Array]"


def _over(x: Array, middle: Array) -> Array:
    return x / middle - 1


def _level_change(level: Array, volume: Array, window: int) -> Array:
    """How far a level that only adds up moved over the window, per volume traded in it."""
    return talib.MOM(level, window) / talib.SUM(volume, window)


def _zscore(x: Array, window: int) -> Array:
    return (x - talib.SMA(x, window)) / talib.STDDEV(x, window)


def _correlation(x: Array, y: Array, window: int) -> Array:
    """TA-Lib takes products of sums below 1e-14 for nothing: numbers of the order of 1 keep clear of that."""
    return talib.CORREL(x / np.std(x), y / np.std(y), window)


def _lag(x: Array, n_bars: int) -> Array:
    return np.concatenate([np.zeros(n_bars), x[:-n_bars]])


def _middle(c: Candles, window: int) -> Array:
    return talib.MIDPRICE(c.high, c.low, window)


def _bands(c: Candles) -> tuple[Array, Array, Array]:
    upper, middle, lower = talib.BBANDS(c.close, 20, 2.0, 2.0)
    return upper, middle, lower


def _returns() -> dict[str, Formula]:
    table: dict[str, Formula] = {f"return_{k}": lambda c, k=k: np.log(talib.ROCR(c.close, k)) for k in (1, 2, 6, 96)}
    return table | {
        "simple_return_1": lambda c: talib.ROCP(c.close, 1),
        "body_share_1": lambda c: talib.BOP(c.open, *c.hlc),
        "scaled_return_1": lambda c: c.move / talib.STDDEV(c.move, 24),
    }


def _volume() -> dict[str, Formula]:
    table: dict[str, Formula] = {
        f"signed_volume_{k}": lambda c, k=k: _level_change(talib.OBV(c.close, c.volume), c.volume, k)
        for k in (12, 24, 48, 96)
    }
    table |= {f"volume_zscore_{k}": lambda c, k=k: _zscore(c.volume, k) for k in (6, 24, 96)}
    table |= {
        f"vwap_distance_{k}": lambda c, k=k: _over(c.close, talib.SUM(c.typical * c.volume, k) / talib.SUM(c.volume, k))
        for k in (12, 48, 96)
    }
    return table | {
        "chaikin_money_flow_20": lambda c: _level_change(talib.AD(*c.hlc, c.volume), c.volume, 20),
        "chaikin_oscillator_3_10": lambda c: talib.ADOSC(*c.hlc, c.volume, 3, 10) / talib.SMA(c.volume, 10),
        "money_flow_index_14": lambda c: talib.MFI(*c.hlc, c.volume, 14),
        "volume_ratio_20": lambda c: c.volume / talib.SMA(c.volume, 20),
        "volume_price_correlation_24": lambda c: _correlation(c.volume, c.close, 24),
        "volume_return_correlation_48": lambda c: _correlation(c.volume, c.move, 48),
    }


def _momentum() -> dict[str, Formula]:
    table: dict[str, Formula] = {f"rsi_{k}": lambda c, k=k: talib.RSI(c.close, k) for k in (7, 14, 28)}
    table |= {f"rate_of_change_{k}": lambda c, k=k: talib.ROC(c.close, k) for k in (10, 20)}
    table |= {f"cci_{k}": lambda c, k=k: talib.CCI(*c.hlc, k) for k in (14, 20)}
    table |= {f"price_zscore_{k}": lambda c, k=k: _zscore(c.close, k) for k in (6, 24, 96)}
    macd = {"macd_12_26": 0, "macd_signal_12_26_9": 1, "macd_histogram_12_26_9": 2}
    table |= {name: lambda c, i=i: talib.MACD(c.close, 12, 26, 9)[i] / c.close for name, i in macd.items()}
    return table | {
        "stochastic_k_14": lambda c: talib.STOCHF(*c.hlc, 14, 3)[0],
        "stochastic_d_14_3": lambda c: talib.STOCHF(*c.hlc, 14, 3)[1],
        "stochastic_slow_d_14_3_3": lambda c: talib.STOCH(*c.hlc, 14, 3, 0, 3)[1],
        "williams_r_14": lambda c: talib.WILLR(*c.hlc, 14),
    }


def _oscillators() -> dict[str, Formula]:
    aroon = {"aroon_down_14": 0, "aroon_up_14": 1}
    table: dict[str, Formula] = {name: lambda c, i=i: talib.AROON(c.high, c.low, 14)[i] for name, i in aroon.items()}
    return table | {
        "aroon_oscillator_14": lambda c: talib.AROONOSC(c.high, c.low, 14),
        "stochastic_rsi_14": lambda c: talib.STOCHRSI(c.close, 14, 14, 3)[0],
        "stochastic_rsi_d_14_3": lambda c: talib.STOCHRSI(c.close, 14, 14, 3)[1],
        "ultimate_oscillator_7_14_28": lambda c: talib.ULTOSC(*c.hlc, 7, 14, 28),
        "trix_15": lambda c: talib.TRIX(c.close, 15),
        "balance_of_power_14": lambda c: talib.SMA(talib.BOP(c.open, *c.hlc), 14),
        "awesome_oscillator_5_34": lambda c: talib.APO(talib.MEDPRICE(c.high, c.low), 5, 34, 0) / c.close,
        "detrended_price_20": lambda c: (_lag(c.close, 11) - talib.SMA(c.close, 20)) / c.close,
    }


def _trend() -> dict[str, Formula]:
    table: dict[str, Formula] = {
        f"sma_distance_{k}": lambda c, k=k: _over(c.close, talib.SMA(c.close, k)) for k in (14, 50, 200)
    }
    table |= {f"ema_distance_{k}": lambda c, k=k: _over(c.close, talib.EMA(c.close, k)) for k in (14, 50, 200)}
    table |= {f"regression_slope_{k}": lambda c, k=k: talib.LINEARREG_SLOPE(np.log(c.close), k) for k in (24, 96)}
    table |= {
        f"regression_fit_{k}": lambda c, k=k: _correlation(
            np.log(c.close / c.close[0]), np.arange(len(c.close)) * 1.0, k
        )
        for k in (24, 96)
    }
    return table | {
        "plus_di_14": lambda c: talib.PLUS_DI(*c.hlc, 14),
        "minus_di_14": lambda c: talib.MINUS_DI(*c.hlc, 14),
        "dx_14": lambda c: talib.DX(*c.hlc, 14),
        "adx_14": lambda c: talib.ADX(*c.hlc, 14),
        "sma_cross_14_50": lambda c: _over(talib.SMA(c.close, 14), talib.SMA(c.close, 50)),
        "ema_cross_12_26": lambda c: _over(talib.EMA(c.close, 12), talib.EMA(c.close, 26)),
        "ichimoku_turning_distance": lambda c: _over(c.close, _middle(c, 9)),
        "ichimoku_base_distance": lambda c: _over(c.close, _middle(c, 26)),
        "ichimoku_span_a_distance": lambda c: _over(c.close, _lag((_middle(c, 9) + _middle(c, 26)) / 2, 26)),
        "ichimoku_span_b_distance": lambda c: _over(c.close, _lag(_middle(c, 52), 26)),
        "ichimoku_lagging_distance": lambda c: talib.ROCP(c.close, 26),
        "drawdown_96": lambda c: _over(c.close, talib.MAX(c.high, 96)),
        "drawup_96": lambda c: _over(c.close, talib.MIN(c.low, 96)),
        "range_position_48": lambda c: talib.STOCHF(*c.hlc, 48, 1)[0] / 100,
        "range_position_192": lambda c: talib.STOCHF(*c.hlc, 192, 1)[0] / 100,
    }


def _volatility() -> dict[str, Formula]:
    table: dict[str, Formula] = {f"volatility_{k}": lambda c, k=k: talib.STDDEV(c.move, k) for k in (6, 24, 96)}
    return table | {
        "atr_percent_14": lambda c: talib.NATR(*c.hlc, 14),
        "true_range_ratio_14": lambda c: talib.TRANGE(*c.hlc) / talib.ATR(*c.hlc, 14),
        "bollinger_upper_distance_20": lambda c: _over(c.close, _bands(c)[0]),
        "bollinger_lower_distance_20": lambda c: _over(c.close, _bands(c)[2]),
        "bollinger_width_20": lambda c: (_bands(c)[0] - _bands(c)[2]) / _bands(c)[1],
        "bollinger_position_20": lambda c: (c.close - _bands(c)[2]) / (_bands(c)[0] - _bands(c)[2]),
        "keltner_width_20": lambda c: 4 * talib.ATR(*c.hlc, 10) / talib.EMA(c.close, 20),
        "squeeze_20": lambda c: talib.STDDEV(c.close, 20) / talib.ATR(*c.hlc, 10),
        "choppiness_14": lambda c: (
            (100 * np.log10(talib.SUM(talib.TRANGE(*c.hlc), 14) / (talib.MAX(c.high, 14) - talib.MIN(c.low, 14))))
            / np.log10(14)
        ),
    }


def _statistical() -> dict[str, Formula]:
    table: dict[str, Formula] = {
        f"autocorrelation_{n}_{k}": lambda c, n=n, k=k: _correlation(c.move, _lag(c.move, n), k)
        for n, k in ((1, 24), (1, 96), (2, 96), (3, 96))
    }
    return table | {
        "size_autocorrelation_1_96": lambda c: _correlation(np.abs(c.move), _lag(np.abs(c.move), 1), 96),
        "mean_return_24": lambda c: talib.SMA(c.move, 24),
        "mean_return_96": lambda c: talib.SMA(c.move, 96),
    }


FORMULAS: dict[str, dict[str, Formula]] = {
    "returns": _returns(),
    "volume": _volume(),
    "momentum": _momentum(),
    "oscillators": _oscillators(),
    "trend": _trend(),
    "volatility": _volatility(),
    "statistical": _statistical(),
}
