from __future__ import annotations

import numpy as np
import pytest

from candlelock.features.volatility import build_volatility
from tests.markets import changed, of_closes


def test_volatility_by_hand() -> None:
    # moves of +3 % and -1 % by turns: mean 1 %, every deviation 2 %
    closes = 100 * np.exp(np.cumsum([0.0, *[0.03, -0.01] * 48]))
    features = build_volatility(of_closes(list(closes)))
    for window in (6, 24, 96):
        assert features[f"volatility_{window}"][0, -1] == pytest.approx(0.02, rel=1e-12)
        assert np.isnan(features[f"volatility_{window}"][0, 4])
    assert features["volatility_ratio_6_96"][0, -1] == pytest.approx(1.0, rel=1e-12)


def test_the_short_over_the_long() -> None:
    moves = [0.01, -0.01] * 45 + [0.02, -0.02] * 3
    features = build_volatility(of_closes(list(np.exp(np.cumsum([0.0, *moves])))))
    assert features["volatility_ratio_6_96"][0, -1] == pytest.approx(0.02 / np.std(moves), rel=1e-12)


def test_the_bars_own_range() -> None:
    market = changed(of_closes([8.0]), high=np.array([[9.0]]), low=np.array([[7.0]]))
    assert build_volatility(market)["range_1"][0, 0] == 0.25


def test_a_still_price_has_none_and_no_ratio() -> None:
    features = build_volatility(of_closes([0.3] * 97))
    assert features["volatility_96"][0, -1] == 0.0
    assert np.isnan(features["volatility_ratio_6_96"][0, -1])
