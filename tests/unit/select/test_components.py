"""Components against scikit-learn on the same standardised values, and against what a principal axis is."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from candlelock.select.components import fit_pca
from candlelock.select.transform import arrays_of
from tests.unit.select.conftest import to_rows


def draw(share_unknown: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(11)
    x = random.normal(size=(800, 3)) @ random.normal(size=(3, 7)) + 0.4 * random.normal(size=(800, 7))
    x[random.random(x.shape) < share_unknown] = np.nan
    return x * [1, 10, 1e-4, 1e5, 1, 1, 3] + [0, 5, 0, -1e6, 0, 0, 0]


@pytest.mark.parametrize("share_unknown", [0.0, 0.1])
def test_it_is_scikit_learn_s_full_decomposition_up_to_sign(share_unknown: float) -> None:
    x = draw(share_unknown)
    step = fit_pca(to_rows(x), 1.0)
    z = np.nan_to_num(StandardScaler().fit_transform(x), nan=0.0)
    oracle = PCA(svd_solver="full").fit(z)
    np.testing.assert_allclose(step.variance_frac, oracle.explained_variance_ratio_, atol=1e-12)
    found, expected = np.asarray(step.components), oracle.components_
    np.testing.assert_allclose(np.abs((found * expected).sum(axis=1)), 1.0, atol=1e-9)
    scores = arrays_of(step).apply(x)
    np.testing.assert_allclose(np.abs(scores), np.abs(z @ expected.T), atol=1e-7)


def test_components_are_upright_axes_with_the_largest_loading_positive() -> None:
    step = fit_pca(to_rows(draw()), 1.0)
    components = np.asarray(step.components)
    np.testing.assert_allclose(components @ components.T, np.eye(7), atol=1e-12)
    assert (components[np.arange(7), np.abs(components).argmax(axis=1)] > 0).all()
    scores = arrays_of(step).apply(draw())
    np.testing.assert_allclose(np.cov(scores.T), np.diag(np.diag(np.cov(scores.T))), atol=1e-9)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_as_few_components_as_carry_the_share(share: float) -> None:
    whole = np.cumsum(fit_pca(to_rows(draw()), 1.0).variance_frac)
    step = fit_pca(to_rows(draw()), share)
    n = len(step.outputs)
    assert step.outputs == [f"component_{i + 1}" for i in range(n)]
    assert whole[n - 1] >= share
    assert n == 1 or whole[n - 2] < share


def test_a_constant_or_unknown_feature_loads_on_nothing_that_varies() -> None:
    x = draw()
    x[:, 2], x[:, 4] = 5.0, np.nan
    step = fit_pca(to_rows(x), 0.999999)
    assert len(step.outputs) == 5
    assert np.abs(np.asarray(step.components)[:, [2, 4]]).max() < 1e-12


def test_nothing_that_varies_gives_components_of_nothing() -> None:
    step = fit_pca(to_rows(np.full((60, 3), 2.0)), 0.9)
    assert step.variance_frac == [0.0] * 3
    assert not arrays_of(step).apply(np.full((5, 3), 2.0)).any()


def test_one_row_is_answered_as_in_the_batch() -> None:
    own = arrays_of(fit_pca(to_rows(draw()), 0.9))
    one_by_one = np.concatenate([own.apply(row[None]) for row in draw(0.1)[:50]])
    np.testing.assert_allclose(one_by_one, own.apply(draw(0.1))[:50], rtol=0, atol=1e-12)
