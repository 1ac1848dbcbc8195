"""Group `venues` against its textbook reference, and pairs of one base currency by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.markets import of_closes, walk
from tests.oracles.agreement import assert_agrees, features_of, registered
from tests.oracles.specimens import MARKETS, specimen
from tests.oracles.venues import expected_venues

NAN = float("nan")
NAMES = tuple(entry.name for entry in registered() if entry.group == "venues")


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says(market: str) -> None:
    assert_agrees(market, "venues", expected_venues(specimen(market)))


def test_a_gap_is_to_the_same_base_currency_alone() -> None:
    market = of_closes([100.0, 110.0], [100.0, 100.0], [7.0, 8.0], [400.0, 400.0])
    named = dataclasses.replace(market, symbols=("BTC/USDT", "BTC/USDT:USDT", "ETH/USDT", "BTC/EUR"))
    features = features_of(named, "venue_gap", "venue_gap_change_1")
    others = np.log([[100 * 400, 100 * 400], [100 * 400, 110 * 400], [NAN, NAN], [100 * 100, 110 * 100]]) / 2
    np.testing.assert_allclose(features["venue_gap"], np.log(named.close) - others, rtol=1e-12, atol=1e-15)
    assert features["venue_gap_change_1"][0, 1] == pytest.approx(np.log(1.1))
    assert features["venue_gap_change_1"][3, 1] == pytest.approx(-np.log(1.1) / 2)


def test_one_venue_has_nothing_to_be_compared_with() -> None:
    features = features_of(walk(1, n_symbols=3, n_bars=300), *NAMES)  # three base currencies
    assert all(np.isnan(values).all() for values in features.values())


def test_a_venue_without_the_bar_is_left_out() -> None:
    market = of_closes([100.0, 100.0], [200.0, NAN], [400.0, 400.0])
    named = dataclasses.replace(market, symbols=("BTC/USDT", "BTC/USDC", "BTC/EUR"))
    gap = features_of(named, "venue_gap")["venue_gap"]
    assert gap[0].tolist() == pytest.approx([-np.log(np.sqrt(8)), -np.log(4)])
    assert np.isnan(gap[1, 1])


def test_venues_with_one_price_have_no_gap_and_no_score_of_it() -> None:
    closes = list(100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, 120))))
    named = dataclasses.replace(of_closes(closes, closes), symbols=("BTC/USDT", "BTC/USDC"))
    features = features_of(named, *NAMES)
    assert (features["venue_gap"] == 0.0).all()
    assert np.isnan(features["venue_gap_zscore_96"]).all()
