"""Scores of single features against scikit-learn and SciPy, which compute them another way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.feature_selection import f_classif, mutual_info_classif
from sklearn.metrics import mutual_info_score, roc_auc_score

from candlelock.select.scores import auc_edges, f_test, mutual_information, rank_bins


def draw(seed: int, n_rows: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """Continuous, rounded, skewed, almost constant and half unknown features of a noisy label."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n_rows, 6))
    y = (random.random(n_rows) < 1 / (1 + np.exp(-x[:, 0] - 0.5 * x[:, 1]))).astype(float)
    x[:, 1] = np.round(x[:, 1])
    x[:, 2] = np.exp(3 * x[:, 2])
    x[:, 3] = (random.random(n_rows) < 0.01) * np.sign(x[:, 3])
    x[random.random(n_rows) < 0.5, 4] = np.nan
    x[:, 5] = -x[:, 0]
    return x, y


def known(x: np.ndarray, y: np.ndarray, column: int) -> tuple[np.ndarray, np.ndarray]:
    there = ~np.isnan(x[:, column])
    return x[there, column], y[there]


@pytest.mark.parametrize("seed", range(3))
def test_the_auc_edge_is_scikit_learn_s_auc_less_a_half(seed: int) -> None:
    x, y = draw(seed)
    expected = [roc_auc_score(labels, values) - 0.5 for values, labels in (known(x, y, i) for i in range(x.shape[1]))]
    np.testing.assert_allclose(auc_edges(x, y), expected, rtol=0, atol=1e-14)
    assert auc_edges(x, y)[5] == -auc_edges(x, y)[0], "a mirrored feature has exactly the opposite edge"


@pytest.mark.parametrize("n_bins", [2, 8, 50])
def test_mutual_information_is_scikit_learn_s_on_the_bins_less_miller_s_bias(n_bins: int) -> None:
    x, y = draw(1)
    found = mutual_information(x, y, n_bins)
    for column in range(x.shape[1]):
        values, labels = known(x, y, column)
        bins = rank_bins(values, n_bins)
        bias = (len(np.unique(bins)) - 1) / (2 * len(labels))
        assert found[column] == pytest.approx(mutual_info_score(labels, bins) - bias, abs=1e-13)


def test_mutual_information_is_near_that_of_nearest_neighbours_and_of_the_closed_form() -> None:
    random = np.random.default_rng(4)
    y = random.integers(0, 2, 20_000).astype(float)
    x = np.column_stack([random.normal(size=20_000) + shift * y for shift in (0.0, 0.5, 1.0, 2.0)])
    neighbours = mutual_info_classif(x, y, discrete_features=False, random_state=0)
    found = mutual_information(x, y, 32)
    np.testing.assert_allclose(found, neighbours, atol=0.015)
    grid = np.linspace(-8, 10, 20_001)
    for shift, value in zip((0.5, 1.0, 2.0), found[1:], strict=True):
        low, high = (np.exp(-((grid - at) ** 2) / 2) / np.sqrt(2 * np.pi) for at in (0, shift))
        mean = (low + high) / 2
        exact = np.trapezoid((low * np.log(low / mean) + high * np.log(high / mean)) / 2, grid)
        assert value == pytest.approx(exact, abs=0.006)


def test_noise_has_as_much_information_as_chance_gives() -> None:
    """2n times the plug-in estimate follows chi-square with bins - 1 degrees of freedom: the estimate is centred."""
    random = np.random.default_rng(5)
    x, y = random.normal(size=(4000, 400)), random.integers(0, 2, 4000).astype(float)
    found = mutual_information(x, y, 8)
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(len(found))
    least = (chi2.ppf(0.99, 7) - 7) / (2 * 4000)
    assert (found >= least).sum() == pytest.approx(4, abs=6)


@pytest.mark.parametrize("decimals", [None, 1])
def test_bins_hold_equal_counts_and_never_part_equal_values(decimals: int | None) -> None:
    values = np.random.default_rng(6).normal(size=1000)
    values = values if decimals is None else np.round(values, decimals)
    bins = rank_bins(values, 10)
    assert (np.diff(bins[np.argsort(values, kind="stable")]) >= 0).all()
    if decimals is None:
        assert np.bincount(bins).tolist() == [100] * 10
    assert all(len(set(bins[values == value])) == 1 for value in np.unique(values))


def test_rare_values_on_either_side_of_a_common_one_get_bins_of_their_own() -> None:
    """A candlestick pattern: -1, 0 and 1, nearly always 0."""
    values = np.array([-1.0] * 5 + [0.0] * 990 + [1.0] * 5)
    assert np.unique(rank_bins(values, 10)).tolist() == [0, 5, 9]


def test_the_f_test_is_scikit_learn_s_on_the_known_rows() -> None:
    x, y = draw(2)
    f, p = f_test(x, y)
    for column in range(x.shape[1]):
        values, labels = known(x, y, column)
        expected = f_classif(values[:, None], labels)
        assert (f[column], p[column]) == (expected[0][0], expected[1][0])


def test_what_cannot_be_scored_is_nan() -> None:
    x = np.column_stack([np.full(50, np.nan), np.full(50, 3.0), np.r_[np.full(49, np.nan), 1.0], np.arange(50.0)])
    y = np.r_[np.zeros(25), np.ones(25)]
    expected = [True, True, True, False]
    for found in (auc_edges(x, y), mutual_information(x, y, 4), *f_test(x, y)):
        assert np.isnan(found).tolist() == expected
    for found in (auc_edges(x, np.ones(50)), mutual_information(x, np.ones(50), 4), *f_test(x, np.ones(50))):
        assert np.isnan(found).all()
