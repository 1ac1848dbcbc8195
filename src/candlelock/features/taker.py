"""Group `taker`: who crossed the spread, where the candles say so. Needs the columns that Binance's candles carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.operators import log, window_correlation, window_mean, window_slope, window_sum, zscore

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node


def declare_taker(bars: Bars) -> dict[str, Node]:
    """Imbalance of taker buys and sells, its impact, the number and size of trades, and the bar's own average price."""
    volume, move = bars.volume, bars.log_return()
    bought, n_trades, value = (bars.column(name) for name in ("taker_buy_volume", "n_trades", "quote_volume"))
    net = 2.0 * bought - volume
    size = volume / n_trades
    features = {f"taker_imbalance_{k}": window_sum(net, k) / window_sum(volume, k) for k in (1, 6, 12, 48)}
    return features | {
        "taker_imbalance_zscore_96": zscore(net / volume, 96),
        "taker_return_correlation_48": window_correlation(net, move, 48),
        "taker_lambda_48": window_slope(move, net, 48) * window_mean(volume, 48),
        "n_trades_zscore_96": zscore(n_trades, 96),
        "trade_size_ratio_96": log(size / window_mean(size, 96)),
        "close_vwap_distance_1": bars.close / (value / volume) - 1.0,
    }
