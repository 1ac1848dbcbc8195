from __future__ import annotations

import numpy as np
import pytest

from candlelock.features.cross_asset import build_cross_asset, cross_section_mean
from tests.markets import between, of_closes, walk

NAN = float("nan")


def test_the_mean_is_of_those_present_and_needs_two() -> None:
    x = np.array([[1.0, 1.0, 1.0, NAN], [3.0, NAN, NAN, NAN], [8.0, 4.0, NAN, NAN]])
    mean = cross_section_mean(x)
    assert mean.shape == x.shape
    for row in mean:
        np.testing.assert_array_equal(row, [4.0, 2.5, NAN, NAN])


def test_market_excess_and_dispersion_by_hand() -> None:
    steps = (0.01, 0.02, 0.06)
    features = build_cross_asset(of_closes(*[list(np.exp(step * np.arange(13))) for step in steps]))
    for k in (1, 3, 6, 12):
        assert features[f"market_return_{k}"][:, -1] == pytest.approx([0.03 * k] * 3, rel=1e-11)
        assert features[f"excess_return_{k}"][:, -1] == pytest.approx([-0.02 * k, -0.01 * k, 0.03 * k], rel=1e-11)
    spread = np.sqrt((0.24**2 + 0.12**2 + 0.36**2) / 3)
    assert features["dispersion_12"][:, -1] == pytest.approx([spread] * 3, rel=1e-11)
    assert np.isnan(features["market_return_48"]).all()


def test_a_missing_symbol_is_left_out_not_counted_as_still() -> None:
    closes = [list(np.exp(step * np.arange(3.0))) for step in (0.01, 0.02, 0.06)]
    closes[2][2] = NAN
    features = build_cross_asset(of_closes(*closes))
    assert features["market_return_1"][:2, -1] == pytest.approx([0.015] * 2, rel=1e-12)
    assert np.isnan(features["market_return_1"][2, -1])
    assert np.isnan(features["excess_return_1"][2, -1])


def test_alone_there_is_no_market() -> None:
    features = build_cross_asset(walk(1, n_symbols=1, n_bars=60))
    assert len(features) == 11
    assert all(np.isnan(values).all() for values in features.values())
    early = between(walk(2, n_symbols=2, n_bars=60), 0, 60)
    early.close[1, :30] = NAN  # the second symbol is listed later
    assert np.isnan(build_cross_asset(early)["market_return_1"][0, :31]).all()
    assert np.isfinite(build_cross_asset(early)["market_return_1"][:, 31:]).all()
