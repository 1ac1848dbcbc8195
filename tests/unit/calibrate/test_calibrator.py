"""Platt and isotonic calibration against scikit-learn and SciPy, and the choice between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.special import logit as logit_of_scipy
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss

from candlelock.calibrate.calibrator import EDGE, N_BLOCKS, Calibration, choose_calibration, fit_calibration

if TYPE_CHECKING:
    import numpy.typing as npt

    from candlelock.calibrate.calibrator import Array, Method

METHODS: tuple[Method, ...] = ("platt", "isotonic")


def draw(slope: float, shift: float = 0.0, n_rows: int = 4000, seed: int = 1) -> tuple[Array, Array]:
    """Probabilities whose logit is `slope` times too large and off by `shift`, and labels."""
    random = np.random.default_rng(seed)
    z = random.normal(0, 0.8, n_rows)
    y = (random.random(n_rows) < expit(z)).astype(float)
    return expit(slope * z + shift), y


def ece(p: Array, y: Array) -> float:
    number = np.minimum((p * 10).astype(int), 9)
    return float(sum(abs((p - y)[number == k].sum()) for k in range(10)) / len(p))


@pytest.mark.parametrize("n_rows", [60, 4000])
def test_platt_is_the_unpenalised_line_on_the_logit(n_rows: int) -> None:
    p, y = draw(2.5, 0.4, n_rows)
    z = logit_of_scipy(p)

    def loss(w: Array) -> float:
        return float(np.logaddexp(0, -(2 * y - 1) * (w[0] * z + w[1])).mean())

    best = minimize(loss, [1.0, 0.0], method="BFGS", options={"gtol": 1e-9}).x
    fitted = fit_calibration("platt", p, y)
    assert (fitted.slope, fitted.intercept) == pytest.approx((best[0], best[1]), abs=1e-3)
    np.testing.assert_allclose(fitted.apply(p), expit(best[0] * z + best[1]), atol=5e-4)


def test_isotonic_is_scikit_learns_between_and_beyond_its_knots() -> None:
    p, y = draw(2.5, 0.4)
    oracle = IsotonicRegression(y_min=EDGE, y_max=1 - EDGE, out_of_bounds="clip").fit(p, y)
    everywhere = np.r_[0.0, np.linspace(0, 1, 777), p, 1.0]
    np.testing.assert_allclose(
        fit_calibration("isotonic", p, y).apply(everywhere), oracle.predict(everywhere), atol=1e-12
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("slope", "shift"), [(2.5, 0.0), (0.4, 0.0), (1.0, 0.8), (3.0, -0.5)])
def test_miscalibrated_probabilities_become_calibrated_on_new_rows(method: Method, slope: float, shift: float) -> None:
    calibration, (p, y) = fit_calibration(method, *draw(slope, shift)), draw(slope, shift, seed=2)
    assert ece(p, y) > 0.06
    assert ece(calibration.apply(p), y) < 0.03


@pytest.mark.parametrize("method", METHODS)
def test_calibration_keeps_the_order(method: Method) -> None:
    q = fit_calibration(method, *draw(1.5, n_rows=300)).apply(np.linspace(0, 1, 2001))
    assert (np.diff(q) >= 0).all()
    assert q[-1] > q[0]


def test_isotonic_steps_never_claim_certainty() -> None:
    p = np.linspace(0.3, 0.7, 400)
    q = fit_calibration("isotonic", p, (p > 0.5).astype(float)).apply(np.linspace(0, 1, 11))
    assert (q.min(), q.max()) == (EDGE, 1 - EDGE)


def losses_slowly(p: Array, y: Array, opens: npt.NDArray[np.int64]) -> dict[str, float]:
    """Cross-fitted log loss of each method over five blocks of equal shares of time-ordered rows."""
    block = (opens.argsort(kind="stable").argsort() * N_BLOCKS) // len(opens)
    out: dict[str, float] = {}
    for method in METHODS:
        q = np.empty_like(p)
        for number in range(N_BLOCKS):
            q[block == number] = fit_calibration(method, p[block != number], y[block != number]).apply(
                p[block == number]
            )
        out[method] = log_loss(y, q)
    return out


def stairs(n_rows: int) -> tuple[Array, Array]:
    """A step that no line on the logit can follow."""
    random = np.random.default_rng(5)
    p = random.uniform(0.3, 0.7, n_rows)
    return p, (random.random(n_rows) < np.where(p < 0.6, 0.5, 0.9)).astype(float)


@pytest.mark.parametrize(
    ("drawn", "best"), [(draw(2.0, n_rows=500), "platt"), (stairs(2000), "isotonic")], ids=["a line", "a step"]
)
def test_the_method_with_the_lower_cross_fitted_loss_is_taken_and_fitted_on_every_row(
    drawn: tuple[Array, Array], best: Method
) -> None:
    p, y = drawn
    opens = np.random.default_rng(0).permutation(len(p)).astype(np.int64) * 1_800_000
    calibration, losses = choose_calibration(METHODS, p, y, opens)
    assert losses == pytest.approx(losses_slowly(p, y, opens), rel=1e-9)
    assert calibration == fit_calibration(best, p, y)
    assert min(losses, key=lambda name: losses[name]) == best


def test_one_method_alone_is_taken_whatever_its_loss() -> None:
    p, y = stairs(500)
    calibration, losses = choose_calibration(["platt"], p, y, np.arange(500))
    assert (calibration.method, list(losses)) == ("platt", ["platt"])


def test_blocks_are_stretches_of_time_so_a_drift_is_judged_as_a_drift() -> None:
    random = np.random.default_rng(8)
    p, opens = random.uniform(0.4, 0.6, 1000), np.arange(1000)
    y = (random.random(1000) < np.where(opens < 500, 0.2, 0.8)).astype(float)
    in_time = choose_calibration(["isotonic"], p, y, opens)[1]["isotonic"]
    shuffled = choose_calibration(["isotonic"], p, y, random.permutation(1000))[1]["isotonic"]
    assert in_time > shuffled + 0.02


def test_a_stored_calibration_needs_nothing_but_its_numbers() -> None:
    line = Calibration("platt", slope=2.0, intercept=-0.5)
    assert line.apply(np.array([0.5])) == pytest.approx(expit(-0.5))
    knots = Calibration("isotonic", knots_x=[0.4, 0.6], knots_y=[0.2, 0.8])
    np.testing.assert_allclose(knots.apply(np.array([0.1, 0.4, 0.45, 0.5, 0.9])), [0.2, 0.2, 0.35, 0.5, 0.8])
