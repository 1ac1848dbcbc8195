"""Group `returns` against its textbook reference, TA-Lib and answers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.markets import changed, of_closes
from tests.oracles.agreement import assert_agrees, assert_agrees_with_talib, features_of
from tests.oracles.returns import expected_returns
from tests.oracles.specimens import GAPLESS, MARKETS, specimen

NAN = float("nan")


@pytest.mark.parametrize("market", MARKETS)
def test_every_feature_is_what_the_textbook_says(market: str) -> None:
    assert_agrees(market, "returns", expected_returns(specimen(market)))


@pytest.mark.parametrize("candles", GAPLESS)
def test_what_ta_lib_has_agrees(candles: str) -> None:
    assert_agrees_with_talib(candles, "returns")


def test_a_return_needs_both_of_its_bars() -> None:
    features = features_of(of_closes([1.0, math.e, NAN, math.e**3, 1.0]), "return_1", "return_2")
    np.testing.assert_allclose(features["return_1"], [[NAN, 1.0, NAN, NAN, -3.0]], rtol=1e-15)
    np.testing.assert_allclose(features["return_2"], [[NAN, NAN, NAN, 2.0, NAN]], rtol=1e-15)


def test_spans_bodies_and_places_by_hand() -> None:
    names = [f"return_{k}" for k in (1, 2, 3, 6, 12, 24, 48, 96)]
    doubling = features_of(of_closes([100.0 * 2**bar for bar in range(98)]), *names, "run_length_12", "up_share_48")
    for name in names:
        assert doubling[name][0, -1] == pytest.approx(int(name[7:]) * math.log(2), rel=1e-14)
    assert doubling["run_length_12"][0, -1] == 12.0
    assert doubling["up_share_48"][0, -1] == 1.0

    prices = {"open": 8.0, "high": 12.0, "low": 4.0, "close": 10.0}
    bar = changed(of_closes([10.0]), **{name: np.array([[price]]) for name, price in prices.items()})
    by_hand = {
        "body_1": 0.25,
        "body_share_1": 0.25,
        "close_position_1": 0.75,
        "upper_shadow_1": 0.2,
        "lower_shadow_1": 0.4,
    }
    for name, value in by_hand.items():
        assert features_of(bar, name)[name][0, 0] == pytest.approx(value, rel=1e-15)


def test_runs_have_a_sign_and_end_at_a_bar_that_stands() -> None:
    closes = [10.0, 11.0, 12.0, 11.0, 10.0, 9.0, 9.0, 10.0] * 3
    run = features_of(of_closes(closes), "run_length_12")["run_length_12"][0]
    assert run[12:].tolist() == [-2.0, -3.0, 0.0, 1.0, 0.0, 1.0, 2.0, -1.0, -2.0, -3.0, 0.0, 1.0]


def test_a_bar_without_a_range_has_no_place_in_it_but_counts_as_balanced_in_a_mean() -> None:
    market = of_closes([10.0] * 12)
    bars = changed(market, high=np.full((1, 12), 10.0) + 4.0 * (np.arange(12) == 11))
    features = features_of(bars, "close_position_1", "body_share_1", "shadow_balance_12")
    assert np.isnan(features["close_position_1"][0, :11]).all()
    assert np.isnan(features["body_share_1"][0, :11]).all()
    assert features["shadow_balance_12"][0, -1] == pytest.approx(-1 / 12)  # one bar is all upper shadow
