"""Group `order_book` against its textbook reference and a book worked out by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.markets import of_closes, walk
from tests.oracles.agreement import assert_agrees, features_of, registered
from tests.oracles.order_book import expected_order_book
from tests.oracles.specimens import MARKETS, specimen

NAMES = tuple(entry.name for entry in registered() if entry.group == "order_book")


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says(market: str) -> None:
    assert_agrees(market, "order_book", expected_order_book(specimen(market)))


def test_one_book_by_hand() -> None:
    """Bids 3 at 99, 1 at 98; asks 1 at 101, 3 at 102; trades, 2 bought at 101 and 1 sold at 99."""
    book = {"mid": 100.0, "spread": 2.0, "mean_spread": 3.0, "microprice": (99 * 1 + 101 * 3) / 4}
    book |= {"imbalance_1": 0.5, "imbalance_5": 0.0, "mean_imbalance": 0.25, "signed_volume": 1.0, "volume": 3.0}
    book |= {"bid_depth_1": 3.0, "ask_depth_1": 1.0, "bid_depth_20": 4.0, "ask_depth_20": 4.0}
    book |= {"effective_spread": 2 * (2 * (101 - 100) + 1 * (100 - 99)) / 3}
    market = of_closes([101.0])
    extras = {f"book_{name}": np.array([[value]]) for name, value in book.items()}
    features = features_of(dataclasses.replace(market, extras=extras), *NAMES)
    by_hand = {
        "book_imbalance_1": 0.5,
        "book_imbalance_5": 0.0,
        "book_depth_ratio_1": 4 / 8,
        "book_mean_imbalance": 0.25,
        "book_pressure": 0.005,
        "book_mid_distance": 0.01,
        "quoted_spread": 0.02,
        "effective_spread": 0.02,
        "quoted_spread_ratio": 1.5,
        "book_trade_imbalance": 1 / 3,
    }
    for name, value in by_hand.items():
        assert features[name][0, 0] == pytest.approx(value, rel=1e-12), name
    assert np.isnan(features["book_imbalance_10"][0, 0])
    assert np.isnan(features["book_imbalance_change_1"][0, 0])


def test_candles_without_a_recording_have_no_book() -> None:
    features = features_of(walk(1, n_symbols=2, n_bars=40), *NAMES)
    assert all(np.isnan(values).all() for values in features.values())
