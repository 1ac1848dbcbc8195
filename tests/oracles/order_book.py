"""Group `order_book` as the textbook has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.oracles.textbook import lag, mean, ratio, total, zscore

if TYPE_CHECKING:
    from candlelock.features.market import Array, Market


def expected_order_book(market: Market) -> dict[str, Array]:
    book = {name.removeprefix("book_"): x for name, x in market.extras.items() if name.startswith("book_")}
    mid = book["mid"]
    depth = {n: book[f"bid_depth_{n}"] + book[f"ask_depth_{n}"] for n in (1, 5, 10, 20)}
    features = {f"book_imbalance_{n}": book[f"imbalance_{n}"] for n in depth}
    features |= {f"book_depth_ratio_{n}": ratio(depth[n], depth[20]) for n in (1, 5, 10)}
    updates = ratio(book["n_book_updates"], mean(book["n_book_updates"], 12))
    return features | {
        "book_imbalance_change_1": book["imbalance_5"] - lag(book["imbalance_5"], 1),
        "book_mean_imbalance": book["mean_imbalance"],
        "book_pressure": (book["microprice"] - mid) / mid,
        "book_mid_distance": (market.close - mid) / mid,
        "quoted_spread": book["spread"] / mid,
        "quoted_spread_ratio": ratio(book["mean_spread"], book["spread"]),
        "effective_spread": book["effective_spread"] / mid,
        "book_depth_zscore_12": zscore(depth[10], 12),
        "book_trade_imbalance": ratio(book["signed_volume"], book["volume"]),
        "book_trade_imbalance_6": ratio(total(book["signed_volume"], 6), total(book["volume"], 6)),
        "book_update_ratio_12": np.log(np.where(updates > 0, updates, np.nan)),
    }
