"""The closed form against scikit-learn's ridge regression by another way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from candlelock.train.learners import ridge

if TYPE_CHECKING:
    from candlelock.train.learner import Array


def draw(n_rows: int = 300) -> tuple[Array, Array, Array]:
    """Features of unlike scales, two of them nearly the same; labels far from 0; weights, some of them 0."""
    random = np.random.default_rng(4)
    z = random.normal(size=(n_rows, 5)) * [1, 10, 0.1, 1, 1] + 3
    z[:, 4] = z[:, 3] + 1e-3 * random.normal(size=n_rows)
    weights = random.integers(0, 4, n_rows).astype(float)
    return z, z @ [1.0, -0.2, 3.0, 0.5, 0.5] + random.normal(size=n_rows) + 100, weights


@pytest.mark.parametrize("is_weighed", [False, True])
@pytest.mark.parametrize("penalty", [1e-3, 1.0, 500.0])
def test_coefficients_are_scikit_learn_s(penalty: float, is_weighed: bool) -> None:
    z, y, weights = draw()
    theirs = Ridge(alpha=penalty, solver="svd").fit(z, y, weights if is_weighed else None)
    coefficients, intercept = ridge.fit(z, y, weights if is_weighed else None, penalty)
    np.testing.assert_allclose(coefficients, theirs.coef_, rtol=1e-7, atol=1e-9)
    assert intercept == pytest.approx(theirs.intercept_, rel=1e-9)


def test_the_intercept_bears_no_penalty() -> None:
    z, y, _ = draw()
    coefficients, intercept = ridge.fit(z, y, None, 1e12)
    np.testing.assert_allclose(coefficients, 0, atol=1e-6)
    assert intercept == pytest.approx(y.mean())


def test_more_features_than_rows_and_a_column_of_zeros_are_borne() -> None:
    z, y, _ = draw(4)
    coefficients, intercept = ridge.fit(np.column_stack([z, np.zeros(4)]), y, None, 1.0)
    theirs = Ridge(alpha=1.0, solver="svd").fit(z, y)
    np.testing.assert_allclose(coefficients, [*theirs.coef_, 0.0], rtol=1e-7, atol=1e-12)
    assert intercept == pytest.approx(theirs.intercept_)
