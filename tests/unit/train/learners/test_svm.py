"""The support vector machine: its kernel, its landmarks, its sigmoid and what it says of importance."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import LinearSVC, LinearSVR

from candlelock.contracts.train_params import SvmParams
from candlelock.train.learner import Sample
from candlelock.train.learners import svm

SETTINGS = SvmParams(n_landmarks=50, gamma=0.8, c=0.5)


def draw(seed: int, n_rows: int = 800) -> Sample:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n_rows, 4))
    y = ((x[:, 0] ** 2 + x[:, 1] ** 2 < 1.4) ^ (random.random(n_rows) < 0.1)).astype(float)
    return Sample(x, y, np.arange(n_rows))


def test_it_learns_what_no_straight_line_divides_and_says_how_often() -> None:
    model, unseen = svm.fit(draw(1), None, SETTINGS, 1, 1), draw(2, 4000)
    p = model.predict(unseen.x)
    assert ((p > 0.5) == unseen.y).mean() > 0.8
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        own = (p >= low) & (p < high)
        assert unseen.y[own].mean() == pytest.approx(p[own].mean(), abs=0.1)


def test_with_every_row_a_landmark_it_is_the_machine_of_the_whole_kernel() -> None:
    """Any factor of the kernel gives the same machine, here its Cholesky factor."""
    sample = draw(3, 120)
    model = svm.fit(sample, None, SvmParams(n_landmarks=200, gamma=2.0, c=0.5), 1, 1)
    z = model.inputs.apply(sample.x)
    factor = np.linalg.cholesky(rbf_kernel(z, gamma=0.5) + 1e-9 * np.eye(120))
    machine = LinearSVC(C=0.5, dual=False, tol=1e-8).fit(factor, sample.y)
    own = svm._kernel(z, model.landmarks, model.gamma) @ model.weights + model.intercept
    np.testing.assert_allclose(own, machine.decision_function(factor), atol=2e-3)


def test_landmarks_are_spread_over_time_and_drawn_by_the_seed() -> None:
    places = svm._spread(1000, 50, 1)
    assert (places // 20).tolist() == list(range(50))
    assert places.tolist() != svm._spread(1000, 50, 2).tolist()
    assert svm._spread(30, 50, 1).tolist() == list(range(30))


def test_the_sigmoid_is_fitted_on_the_latest_rows_unless_a_class_is_missing() -> None:
    y = np.arange(1000) % 2.0
    assert svm._held_out(y) == (slice(0, 790), slice(800, None))
    assert svm._held_out(np.where(np.arange(1000) >= 800, 0.0, y)) == (slice(None), slice(None))


def test_gains_are_the_score_s_slopes_at_the_landmarks() -> None:
    model, step = svm.fit(draw(1), None, SETTINGS, 1, 1), 1e-6

    def score(z: np.ndarray) -> np.ndarray:
        return np.asarray(svm._kernel(z, model.landmarks, model.gamma) @ model.weights)

    moves = step * np.eye(4)
    slopes = [(score(model.landmarks + each) - score(model.landmarks - each)) / (2 * step) for each in moves]
    np.testing.assert_allclose(model.gains(), np.abs(slopes).mean(axis=1), rtol=1e-6)
    assert set(np.argsort(model.gains())[-2:]) == {0, 1}


def test_of_values_it_is_the_machine_of_squared_errors_without_a_free_tube() -> None:
    """scikit-learn penalises its intercept, the less the larger its scale."""
    random = np.random.default_rng(3)
    x = random.normal(size=(120, 4))
    y = np.abs(x[:, 0]) - x[:, 1] + 0.3 * random.normal(size=120) + 2
    sample = Sample(x, y, np.arange(120), random.random(120) + 0.5, is_value=True)
    model = svm.fit(sample, None, SvmParams(n_landmarks=200, gamma=2.0, c=0.5), 1, 1)
    z = model.inputs.apply(x)
    factor = np.linalg.cholesky(rbf_kernel(z, gamma=0.5) + 1e-9 * np.eye(120))
    tube = {"loss": "squared_epsilon_insensitive", "epsilon": 0.0, "dual": False, "intercept_scaling": 1e3}
    machine = LinearSVR(C=0.5, tol=1e-10, max_iter=10_000, **tube).fit(factor, y, sample.weights)
    np.testing.assert_allclose(model.predict(x), machine.predict(factor), atol=2e-3)
    assert model.predict(x).std() > 0.5
