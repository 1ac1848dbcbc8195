"""Centres and scales against scikit-learn's scalers, which know NaN as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from candlelock.select.scaling import fit_scaling
from candlelock.select.transform import arrays_of
from tests.unit.select.conftest import to_rows

if TYPE_CHECKING:
    from candlelock.contracts.select_params import ScaleName

ORACLES: dict[ScaleName, Any] = {
    "standard": StandardScaler(),
    "minmax": MinMaxScaler(),
    "robust": RobustScaler(),
}


@pytest.mark.parametrize("method", ORACLES)
def test_it_is_scikit_learn_s_scaler_on_known_values(method: ScaleName) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(900, 5)) * [1, 1e-6, 1e9, 3, 1] + [0, 1, -5e9, 100, 0]
    x[:, 3] = np.round(x[:, 3])
    x[random.random(x.shape) < 0.1] = np.nan
    later = random.normal(size=(50, 5)) * 4
    step = fit_scaling(to_rows(x), method)
    oracle = ORACLES[method].fit(x)
    np.testing.assert_allclose(arrays_of(step).apply(x), oracle.transform(x), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(arrays_of(step).apply(later), oracle.transform(later), rtol=1e-10)
    assert step.constant == []


@pytest.mark.parametrize("method", ORACLES)
def test_unknown_values_stay_unknown_and_later_ones_are_not_cut(method: ScaleName) -> None:
    scaled = arrays_of(fit_scaling(to_rows(np.arange(10.0)[:, None]), method)).apply(np.array([[np.nan], [1e6]]))
    assert np.isnan(scaled[0, 0])
    assert scaled[1, 0] > 1e4


@pytest.mark.parametrize("method", ORACLES)
@pytest.mark.parametrize("value", [0.0, 7.25, 1e-300, 0.1, -1e18])
def test_a_constant_is_centred_and_named(method: ScaleName, value: float) -> None:
    x = np.column_stack([np.full(40, value), np.arange(40.0)])
    step = fit_scaling(to_rows(x), method)
    assert step.constant == ["f0"]
    assert step.scale[0] == 1.0
    np.testing.assert_allclose(arrays_of(step).apply(x)[:, 0], 0.0, atol=abs(value) * 1e-15)


def test_a_feature_that_rarely_moves_has_no_quartiles_but_a_deviation() -> None:
    pattern = np.r_[np.zeros(95), np.ones(5)][:, None]
    assert fit_scaling(to_rows(pattern), "robust").constant == ["f0"]
    assert fit_scaling(to_rows(pattern), "standard").constant == []


def test_a_feature_that_is_never_known_is_left_as_it_is() -> None:
    step = fit_scaling(to_rows(np.column_stack([np.full(40, np.nan), np.arange(40.0)])), "standard")
    assert (step.centre[0], step.scale[0], step.constant) == (0.0, 1.0, ["f0"])


@pytest.mark.parametrize("method", ORACLES)
@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_very_small_and_very_large_values_neither_vanish_nor_overflow(method: ScaleName, size: float) -> None:
    x = np.random.default_rng(2).normal(size=(100, 1))
    small, own = (arrays_of(fit_scaling(to_rows(values), method)).apply(values) for values in (x * size, x))
    np.testing.assert_allclose(small, own, rtol=1e-9, atol=1e-9)
