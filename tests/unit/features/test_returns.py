from __future__ import annotations

import math

import numpy as np
import pytest

from candlelock.features.returns import build_returns, log_return
from tests.markets import changed, of_closes

NAN = float("nan")


def test_a_return_needs_both_of_its_bars() -> None:
    moves = log_return(np.array([[1.0, math.e, NAN, math.e**3, 1.0]]), 1)
    np.testing.assert_allclose(moves, [[NAN, 1.0, NAN, NAN, -3.0]], rtol=1e-15)
    moves = log_return(np.array([[1.0, math.e, NAN, math.e**3, 1.0]]), 2)
    np.testing.assert_allclose(moves, [[NAN, NAN, NAN, 2.0, NAN]], rtol=1e-15)


def test_spans_bodies_and_places() -> None:
    market = of_closes([100.0 * 2**bar for bar in range(98)])
    prices = {name: np.full((1, 98), value) for name, value in (("open", 8.0), ("high", 12.0), ("low", 4.0))}
    market = changed(market, **prices, close=market.close)
    features = build_returns(market)
    assert sorted(features) == sorted(
        [f"return_{k}" for k in (1, 2, 3, 6, 12, 24, 48, 96)] + ["body_1", "close_position_1"]
    )
    for k in (1, 2, 3, 6, 12, 24, 48, 96):
        assert features[f"return_{k}"][0, -1] == pytest.approx(k * math.log(2), rel=1e-14)
        assert np.isnan(features[f"return_{k}"][0, k - 1])
    bar = changed(of_closes([10.0]), open=np.array([[8.0]]), high=np.array([[12.0]]), low=np.array([[4.0]]))
    assert build_returns(bar)["body_1"][0, 0] == 0.25
    assert build_returns(bar)["close_position_1"][0, 0] == 0.75


def test_a_bar_without_a_range_has_no_place_in_it() -> None:
    assert np.isnan(build_returns(of_closes([10.0]))["close_position_1"][0, 0])
