"""Scaling that is fitted on some rows and applied to any."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from candlelock.train.learners import standardiser


def test_known_values_are_scaled_as_scikit_learn_does() -> None:
    random = np.random.default_rng(0)
    x = random.normal([0, 50, -3], [1, 20, 0.001], size=(400, 3))
    x[random.random(x.shape) < 0.2] = np.nan
    expected = np.nan_to_num(StandardScaler().fit_transform(x).clip(-5, 5), nan=0.0)
    np.testing.assert_allclose(standardiser.fit(x).apply(x), expected, rtol=1e-9, atol=1e-9)


def test_rows_seen_later_do_not_move_the_scale() -> None:
    fitted = standardiser.fit(np.array([[0.0], [2.0]]))
    assert (fitted.mean.tolist(), fitted.scale.tolist()) == ([1.0], [1.0])
    np.testing.assert_array_equal(fitted.apply(np.array([[3.0], [100.0], [-np.inf]])), [[2.0], [5.0], [-5.0]])


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e9 + 0.1, 1e-12])
def test_a_constant_column_gets_scale_one_even_where_its_mean_rounds(value: float) -> None:
    fitted = standardiser.fit(np.full((1000, 1), value))
    assert fitted.scale.tolist() == [1.0]
    np.testing.assert_allclose(fitted.apply(np.array([[value], [value + 0.5]])), [[0.0], [0.5]], atol=1e-6)


def test_a_small_spread_is_no_constant() -> None:
    fitted = standardiser.fit(np.array([[1e-9], [3e-9]]))
    np.testing.assert_allclose(fitted.apply(np.array([[1e-9], [3e-9]])), [[-1.0], [1.0]])


def test_a_wholly_unknown_column_answers_zero_whatever_comes() -> None:
    fitted = standardiser.fit(np.column_stack([np.full(10, np.nan), np.arange(10.0)]))
    assert fitted.apply(np.array([[np.nan, 4.5]])).tolist() == [[0.0, 0.0]]
    assert fitted.scale[0] == 1.0
