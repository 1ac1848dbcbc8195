"""Group `taker` as the textbook has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.oracles.textbook import correlation, log_return, mean, ratio, slope, total, zscore

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def expected_taker(market: Market) -> dict[str, Array]:
    volume, move = market.volume, log_return(market.close)
    bought, n_trades, value = (market.extras[name] for name in ("taker_buy_volume", "n_trades", "quote_volume"))
    sold, size = volume - bought, ratio(volume, n_trades)
    features = {f"taker_imbalance_{k}": ratio(total(bought - sold, k), total(volume, k)) for k in (1, 6, 12, 48)}
    with np.errstate(divide="ignore"):
        trade_size = np.log(ratio(size, mean(size, 96)))
    return features | {
        "taker_imbalance_zscore_96": zscore(ratio(bought - sold, volume), 96),
        "taker_return_correlation_48": correlation(bought - sold, move, 48),
        "taker_lambda_48": slope(move, bought - sold, 48) * mean(volume, 48),
        "n_trades_zscore_96": zscore(n_trades, 96),
        "trade_size_ratio_96": np.where(np.isinf(trade_size), np.nan, trade_size),
        "close_vwap_distance_1": ratio(market.close, ratio(value, volume)) - 1,
    }
