"""The columns that pandas, `ta` and `pandas-ta-classic` can compute too, as they are usually asked for them.

For benchmarks/features.py: name of ours -> what the peer is called with; `c` is a frame open, high, low, close, volume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    Peer = Callable[[pd.DataFrame], Any]


def of_pandas() -> dict[str, Peer]:
    """Rolling, exponential and shifted columns in idiomatic pandas."""
    move = lambda c: np.log(c["close"]).diff()  # noqa: E731
    columns: dict[str, Peer] = {
        f"return_{k}": lambda c, k=k: np.log(c["close"]).diff(k) for k in (1, 2, 3, 6, 12, 24, 48, 96)
    }
    for k in (6, 24, 96):
        columns[f"volatility_{k}"] = lambda c, k=k: move(c).rolling(k).std(ddof=0)
        columns[f"price_zscore_{k}"] = lambda c, k=k: _zscore(c["close"], k)
        columns[f"volume_zscore_{k}"] = lambda c, k=k: _zscore(c["volume"], k)
    for k in (14, 50, 200):
        columns[f"sma_distance_{k}"] = lambda c, k=k: c["close"] / c["close"].rolling(k).mean() - 1
        columns[f"ema_distance_{k}"] = lambda c, k=k: c["close"] / c["close"].ewm(span=k, adjust=False).mean() - 1
    for k in (48, 192, 672):
        columns[f"range_position_{k}"] = lambda c, k=k: _position(c, k)
    for k in (12, 24, 48, 96):
        columns[f"signed_volume_{k}"] = lambda c, k=k: (
            (np.sign(move(c)) * c["volume"]).rolling(k).sum() / c["volume"].rolling(k).sum()
        )
    for k in (48, 192):
        columns[f"skew_{k}"] = lambda c, k=k: move(c).rolling(k).skew()
        columns[f"kurtosis_{k}"] = lambda c, k=k: move(c).rolling(k).kurt()
    for k in (24, 96):
        columns[f"mean_return_{k}"] = lambda c, k=k: move(c).rolling(k).mean()
        columns[f"autocorrelation_1_{k}"] = lambda c, k=k: move(c).rolling(k).corr(move(c).shift())
    for n in (2, 3):
        columns[f"autocorrelation_{n}_96"] = lambda c, n=n: move(c).rolling(96).corr(move(c).shift(n))
    columns["volume_return_correlation_48"] = lambda c: c["volume"].rolling(48).corr(move(c))
    columns["volume_rank_48"] = lambda c: c["volume"].rolling(48).rank(pct=True)
    columns["drawdown_96"] = lambda c: c["close"] / c["high"].rolling(96).max() - 1
    columns["bollinger_width_20"] = lambda c: 4 * c["close"].rolling(20).std(ddof=0) / c["close"].rolling(20).mean()
    return columns


def _zscore(x: pd.Series, k: int) -> pd.Series:
    window = x.rolling(k)
    return (x - window.mean()) / window.std(ddof=0)


def _position(c: pd.DataFrame, k: int) -> pd.Series:
    low = c["low"].rolling(k).min()
    return (c["close"] - low) / (c["high"].rolling(k).max() - low)


def of_ta() -> dict[str, Peer]:
    """What the package `ta` offers of ours."""
    from ta import momentum, trend, volatility, volume

    hlc = lambda c: (c["high"], c["low"], c["close"])  # noqa: E731
    hlcv = lambda c: (c["high"], c["low"], c["close"], c["volume"])  # noqa: E731
    return {
        "rsi_14": lambda c: momentum.rsi(c["close"], 14),
        "stochastic_k_14": lambda c: momentum.stoch(*hlc(c), 14),
        "williams_r_14": lambda c: momentum.williams_r(*hlc(c), 14),
        "stochastic_rsi_14": lambda c: momentum.stochrsi(c["close"], 14),
        "true_strength_25_13": lambda c: momentum.tsi(c["close"]),
        "ultimate_oscillator_7_14_28": lambda c: momentum.ultimate_oscillator(*hlc(c)),
        "awesome_oscillator_5_34": lambda c: momentum.awesome_oscillator(c["high"], c["low"]),
        "rate_of_change_10": lambda c: momentum.roc(c["close"], 10),
        "macd_12_26": lambda c: trend.macd(c["close"]),
        "macd_signal_12_26_9": lambda c: trend.macd_signal(c["close"]),
        "macd_histogram_12_26_9": lambda c: trend.macd_diff(c["close"]),
        "cci_20": lambda c: trend.cci(*hlc(c), 20),
        "adx_14": lambda c: trend.adx(*hlc(c), 14),
        "plus_di_14": lambda c: trend.adx_pos(*hlc(c), 14),
        "minus_di_14": lambda c: trend.adx_neg(*hlc(c), 14),
        "aroon_up_14": lambda c: trend.aroon_up(c["high"], c["low"], 14),
        "aroon_down_14": lambda c: trend.aroon_down(c["high"], c["low"], 14),
        "trix_15": lambda c: trend.trix(c["close"], 15),
        "parabolic_sar_distance": lambda c: trend.PSARIndicator(*hlc(c)).psar(),
        "ichimoku_turning_distance": lambda c: trend.ichimoku_conversion_line(c["high"], c["low"]),
        "ichimoku_base_distance": lambda c: trend.ichimoku_base_line(c["high"], c["low"]),
        "ichimoku_span_a_distance": lambda c: trend.ichimoku_a(c["high"], c["low"]),
        "ichimoku_span_b_distance": lambda c: trend.ichimoku_b(c["high"], c["low"]),
        "atr_percent_14": lambda c: volatility.average_true_range(*hlc(c), 14),
        "bollinger_upper_distance_20": lambda c: volatility.bollinger_hband(c["close"], 20),
        "bollinger_lower_distance_20": lambda c: volatility.bollinger_lband(c["close"], 20),
        "bollinger_width_20": lambda c: volatility.bollinger_wband(c["close"], 20),
        "bollinger_position_20": lambda c: volatility.bollinger_pband(c["close"], 20),
        "money_flow_index_14": lambda c: volume.money_flow_index(*hlcv(c), 14),
        "chaikin_money_flow_20": lambda c: volume.chaikin_money_flow(*hlcv(c), 20),
        "force_index_13": lambda c: volume.force_index(c["close"], c["volume"], 13),
    }


def of_pandas_ta() -> dict[str, Peer]:
    """What `pandas-ta-classic` offers of ours, without TA-Lib behind it."""
    import pandas_ta_classic as ta

    hlc = lambda c: (c["high"], c["low"], c["close"])  # noqa: E731
    hlcv = lambda c: (c["high"], c["low"], c["close"], c["volume"])  # noqa: E731
    own = {"talib": False}
    return {
        "rsi_14": lambda c: ta.rsi(c["close"], 14, **own),
        "stochastic_k_14": lambda c: ta.stoch(*hlc(c), 14, 3, 1, **own),
        "williams_r_14": lambda c: ta.willr(*hlc(c), 14, **own),
        "stochastic_rsi_14": lambda c: ta.stochrsi(c["close"], 14, **own),
        "true_strength_25_13": lambda c: ta.tsi(c["close"], 13, 25, **own),
        "ultimate_oscillator_7_14_28": lambda c: ta.uo(*hlc(c), **own),
        "awesome_oscillator_5_34": lambda c: ta.ao(c["high"], c["low"]),
        "rate_of_change_10": lambda c: ta.roc(c["close"], 10, **own),
        "macd_histogram_12_26_9": lambda c: ta.macd(c["close"], **own),
        "cci_20": lambda c: ta.cci(*hlc(c), 20, **own),
        "adx_14": lambda c: ta.adx(*hlc(c), 14, **own),
        "aroon_oscillator_14": lambda c: ta.aroon(c["high"], c["low"], 14, **own),
        "trix_15": lambda c: ta.trix(c["close"], 15),
        "parabolic_sar_distance": lambda c: ta.psar(*hlc(c)),
        "atr_percent_14": lambda c: ta.atr(*hlc(c), 14, **own),
        "bollinger_position_20": lambda c: ta.bbands(c["close"], 20, **own),
        "money_flow_index_14": lambda c: ta.mfi(*hlcv(c), 14, **own),
        "chaikin_money_flow_20": lambda c: ta.cmf(*hlcv(c), length=20),
        "chaikin_oscillator_3_10": lambda c: ta.adosc(*hlcv(c), **own),
        "efficiency_ratio_12": lambda c: ta.er(c["close"], 12),
        "sma_distance_50": lambda c: ta.sma(c["close"], 50, **own),
        "ema_distance_50": lambda c: ta.ema(c["close"], 50, **own),
        "choppiness_14": lambda c: ta.chop(*hlc(c), 14),
        "price_zscore_24": lambda c: ta.zscore(c["close"], 24),
    }
