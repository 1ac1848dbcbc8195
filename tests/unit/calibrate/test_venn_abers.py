"""Venn-Abers calibration against its definition, against the package of its authors, and by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from candlelock.calibrate.calibrator import Calibration, choose_calibration, fit_calibration, time_blocks
from candlelock.calibrate.venn_abers import fit_knots, fit_steps
from tests.learner_settings import needs_package

if TYPE_CHECKING:
    from candlelock.calibrate.calibrator import Array

KINDS = {
    "distinct scores": lambda random: random.normal(0.5, 0.1, 60),
    "many ties": lambda random: random.integers(1, 8, 60) / 8,
    "two scores": lambda random: random.integers(1, 3, 20) / 3,
    "neighbouring numbers": lambda random: 0.5 + random.integers(0, 4, 30) * 2.0**-53,
}


def draw(kind: str, seed: int) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    p = KINDS[kind](random)
    return p, (random.random(len(p)) < expit(8 * (p - 0.45))).astype(float)


def asked(p: Array) -> Array:
    """Every score, its neighbours, what lies between, and both ends."""
    scores = np.unique(p)
    near = [scores, np.nextafter(scores, 0), np.nextafter(scores, 1), (scores[1:] + scores[:-1]) / 2]
    return np.unique(np.concatenate([[0.0, 1.0], *near]))


def by_definition(p: Array, y: Array, score: float, label: float) -> float:
    """What isotonic regression says of a row of that score and label, were it among the others.

    It is asked for ranks: scikit-learn takes scores that are nearly the same for the same.
    """
    rank = np.unique(np.append(p, score), return_inverse=True)[1]
    return float(IsotonicRegression().fit(rank, np.append(y, label)).predict(rank[-1:])[0])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_the_map_is_that_of_the_definition_everywhere(kind: str, seed: int) -> None:
    p, y = draw(kind, seed)
    x = asked(p)
    p0, p1 = (np.array([by_definition(p, y, score, label) for score in x]) for label in (0.0, 1.0))
    scores, own_p0, own_p1 = fit_steps(p, y)
    np.testing.assert_allclose(own_p0[np.searchsorted(scores, x, "right")], p0, rtol=1e-12)
    np.testing.assert_allclose(own_p1[np.searchsorted(scores, x, "left")], p1, rtol=1e-12)
    np.testing.assert_allclose(fit_calibration("venn_abers", p, y).apply(x), p1 / (1 - p0 + p1), rtol=1e-12)


@needs_package("venn_abers")
@pytest.mark.parametrize("n_rows", [50, 3000])
@pytest.mark.parametrize("decimals", [2, 15])
def test_the_map_is_that_of_the_package_of_its_authors(n_rows: int, decimals: int) -> None:
    from venn_abers import VennAbers

    random = np.random.default_rng(n_rows)
    p = random.beta(3, 3, n_rows).round(decimals)
    y = (random.random(n_rows) < expit(3 * (p - 0.4))).astype(float)
    x = np.append(asked(p), random.random(500))
    theirs = VennAbers()
    theirs.fit(np.column_stack([1 - p, p]), y)
    answer, _ = theirs.predict_proba(np.column_stack([1 - x, x]))
    np.testing.assert_allclose(fit_calibration("venn_abers", p, y).apply(x), answer[:, 1], rtol=1e-9)


def test_two_rows_by_hand() -> None:
    """Scores 0.4, down, and 0.6, up: below, between and above, p0 is 0, 0, 1/2 and p1 is 1/2, 1, 1."""
    scores, p0, p1 = fit_steps(np.array([0.6, 0.4]), np.array([1.0, 0.0]))
    assert (scores.tolist(), p0.tolist(), p1.tolist()) == ([0.4, 0.6], [0.0, 0.0, 0.5], [0.5, 1.0, 1.0])
    fitted = fit_calibration("venn_abers", np.array([0.6, 0.4]), np.array([1.0, 0.0]))
    third, half, most = 0.5 / 1.5, 0.5, 1 / 1.5
    np.testing.assert_allclose(
        fitted.apply(np.array([0.0, 0.3, 0.4, 0.41, 0.5, 0.59, 0.6, 0.61, 1.0])),
        [third, third, third, half, half, half, most, most, most],
        rtol=1e-15,
    )


def test_it_never_falls_and_never_claims_certainty() -> None:
    p = np.linspace(0.3, 0.7, 400)
    q = fit_calibration("venn_abers", p, (p > 0.5).astype(float)).apply(np.linspace(0, 1, 5001))
    assert (np.diff(q) >= 0).all()
    assert 0 < q[0] < 0.01
    assert 0.99 < q[-1] < 1
    one_class = fit_calibration("venn_abers", p, np.ones(400)).apply(p)
    np.testing.assert_allclose(one_class[[0, -1]], [1 / (1 + 1 / 2), 1 / (1 + 1 / 401)], rtol=1e-12)


def test_knots_stand_at_steps_alone_and_hold_the_whole_map() -> None:
    random = np.random.default_rng(1)
    p = random.normal(0.5, 0.05, 5000)
    x, values = fit_knots(p, (random.random(5000) < p).astype(float))
    assert len(x) < 1000
    assert (np.diff(x) > 0).all()
    assert (np.diff(values) >= 0).all()
    steps = np.flatnonzero(np.diff(values) > 0)
    np.testing.assert_array_equal(np.nextafter(x[steps], 1), x[steps + 1])
    stored = Calibration("venn_abers", knots_x=x.tolist(), knots_y=values.tolist())
    np.testing.assert_array_equal(stored.apply(x), values)
    scores, p0, p1 = fit_steps(p, np.zeros(5000))
    assert not p0.any()
    assert scores.shape == (5000,)
    assert p1.shape == (5001,)


def test_it_is_chosen_where_a_step_is_what_there_is() -> None:
    random = np.random.default_rng(5)
    p = random.uniform(0.3, 0.7, 2000)
    y = (random.random(2000) < np.where(p < 0.6, 0.5, 0.9)).astype(float)
    block = time_blocks(np.arange(2000))
    chosen = choose_calibration(["identity", "platt", "venn_abers"], p, y, block)
    assert chosen.calibration == fit_calibration("venn_abers", p, y)
    q = np.empty(2000)
    for number in range(5):
        own = block == number
        q[own] = fit_calibration("venn_abers", p[~own], y[~own]).apply(p[own])
    expected = -(y * np.log(q) + (1 - y) * np.log(1 - q))
    np.testing.assert_allclose(chosen.row_losses, expected, rtol=1e-12)
