"""Group `order_book`: the state of the book at the bar's close and over it, from an imported recording.

Columns of `contracts.book_tables` by their name after `book_`; NaN where there is no recording.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.features.operators import change, log, window_mean, window_sum, zscore

if TYPE_CHECKING:
    from candlelock.features.bars import Bars
    from candlelock.features.expression import Node

LEVELS = (1, 5, 10, 20)


def declare_order_book(bars: Bars) -> dict[str, Node]:
    """Imbalance and depth by level, pressure, quoted and effective spread, and the flow of the trades."""

    def book(name: str) -> Node:
        return bars.column(f"book_{name}")

    mid = book("mid")
    depth = {n: book(f"bid_depth_{n}") + book(f"ask_depth_{n}") for n in LEVELS}
    quoted = book("spread") / mid
    features = {f"book_imbalance_{n}": book(f"imbalance_{n}") for n in LEVELS}
    features |= {f"book_depth_ratio_{n}": depth[n] / depth[20] for n in (1, 5, 10)}
    return features | {
        "book_imbalance_change_1": change(book("imbalance_5"), 1),
        "book_mean_imbalance": book("mean_imbalance"),
        "book_pressure": book("microprice") / mid - 1.0,
        "book_mid_distance": bars.close / mid - 1.0,
        "quoted_spread": quoted,
        "quoted_spread_ratio": book("mean_spread") / mid / quoted,
        "effective_spread": book("effective_spread") / mid,
        "book_depth_zscore_12": zscore(depth[10], 12),
        "book_trade_imbalance": book("signed_volume") / book("volume"),
        "book_trade_imbalance_6": window_sum(book("signed_volume"), 6) / window_sum(book("volume"), 6),
        "book_update_ratio_12": log(book("n_book_updates") / window_mean(book("n_book_updates"), 12)),
    }
