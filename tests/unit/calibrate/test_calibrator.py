"""Calibrators against scikit-learn and SciPy and by hand, and the choice between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.special import logit as logit_of_scipy
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from candlelock.calibrate.calibrator import (
    N_BLOCKS,
    STEP_EDGE,
    Calibration,
    choose_calibration,
    fit_calibration,
    lead,
    time_blocks,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from candlelock.calibrate.calibrator import Array, Method

METHODS: tuple[Method, ...] = ("temperature", "platt", "beta", "isotonic", "venn_abers")
ALL_METHODS: tuple[Method, ...] = ("identity", *METHODS)


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
    oracle = IsotonicRegression(y_min=STEP_EDGE, y_max=1 - STEP_EDGE, out_of_bounds="clip").fit(p, y)
    everywhere = np.r_[0.0, np.linspace(0, 1, 777), p, 1.0]
    np.testing.assert_allclose(
        fit_calibration("isotonic", p, y).apply(everywhere), oracle.predict(everywhere), atol=1e-12
    )


def test_temperature_is_the_unpenalised_slope_without_an_intercept() -> None:
    p, y = draw(2.5, 0.4)
    z = logit_of_scipy(p)[:, None]
    oracle = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(z, y).coef_[0, 0]
    fitted = fit_calibration("temperature", p, y)
    assert (fitted.slope, fitted.intercept, fitted.slope_down) == (pytest.approx(oracle, abs=1e-5), 0.0, None)
    np.testing.assert_allclose(fitted.apply(p), expit(oracle * z[:, 0]), atol=1e-5)


def skew(n_rows: int = 6000) -> tuple[Array, Array]:
    """Probabilities whose odds are right in the power 1.7 of p and 0.6 of 1 - p, times e^0.3: a beta map."""
    random = np.random.default_rng(4)
    p = random.beta(2, 2, n_rows)
    return p, (random.random(n_rows) < expit(1.7 * np.log(p) - 0.6 * np.log1p(-p) + 0.3)).astype(float)


def test_beta_is_the_unpenalised_regression_on_both_logarithms() -> None:
    p, y = skew()
    parts = np.column_stack([np.log(p), -np.log1p(-p)])
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(parts, y)
    fitted = fit_calibration("beta", p, y)
    expected = [*oracle.coef_[0], oracle.intercept_[0]]
    assert [fitted.slope, fitted.slope_down, fitted.intercept] == pytest.approx(expected, abs=2e-3)
    assert expected == pytest.approx([1.7, 0.6, 0.3], abs=0.3)
    np.testing.assert_allclose(fitted.apply(p), oracle.predict_proba(parts)[:, 1], atol=1e-3)


def test_a_beta_slope_that_would_fall_is_zero_and_the_other_one_fitted_alone() -> None:
    """As Kull et al. 2017 have it: leave out the part with the negative sign and fit again."""
    random = np.random.default_rng(4)
    p = random.beta(2, 2, 6000)
    y = (random.random(6000) < expit(1.7 * np.log(p) + 0.6 * np.log1p(-p) + 1.5)).astype(float)
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(np.log(p)[:, None], y)
    fitted = fit_calibration("beta", p, y)
    expected = (oracle.coef_[0, 0], 0.0, oracle.intercept_[0])
    assert (fitted.slope, fitted.slope_down, fitted.intercept) == pytest.approx(expected, abs=2e-3)


def test_a_beta_map_by_hand() -> None:
    """Of 0.5 under a = 1, b = 2, c = 0: 1 / (1 + 0.5² / 0.5)."""
    beta = Calibration("beta", slope=1.0, slope_down=2.0, intercept=0.0)
    np.testing.assert_allclose(beta.apply(np.array([0.5, 0.8])), [1 / 1.5, 1 / (1 + 0.2**2 / 0.8)], rtol=1e-12)


def test_identity_leaves_every_bit() -> None:
    p, y = draw(1.0)
    assert fit_calibration("identity", p, y).apply(p) is p


@pytest.mark.parametrize("method", ["platt", "beta", "isotonic", "venn_abers"])
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
    assert (q.min(), q.max()) == (STEP_EDGE, 1 - STEP_EDGE)


def losses_slowly(p: Array, y: Array, opens: npt.NDArray[np.int64]) -> dict[str, float]:
    """Cross-fitted log loss of each method over five blocks of equal shares of time-ordered rows."""
    block = (opens.argsort(kind="stable").argsort() * N_BLOCKS) // len(opens)
    out: dict[str, float] = {}
    for method in ALL_METHODS:
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
    ("drawn", "best"),
    [
        (draw(1.0), "identity"),
        (draw(2.0, n_rows=3000), "temperature"),
        (draw(1.0, 0.8), "platt"),
        (skew(), "beta"),
        (stairs(2000), "isotonic"),
    ],
    ids=["nothing", "a slope", "a line", "two slopes", "a step"],
)
def test_the_simplest_method_that_does_is_taken_and_fitted_on_every_row(
    drawn: tuple[Array, Array], best: Method
) -> None:
    p, y = drawn
    opens = np.random.default_rng(0).permutation(len(p)).astype(np.int64) * 1_800_000
    chosen = choose_calibration(ALL_METHODS, p, y, time_blocks(opens))
    assert chosen.losses == pytest.approx(losses_slowly(p, y, opens), rel=1e-9)
    assert chosen.calibration == fit_calibration(best, p, y)
    assert chosen.row_losses.mean() == pytest.approx(chosen.losses[best])


def test_a_later_method_that_wins_by_less_than_noise_is_not_taken() -> None:
    """Calibrated rows on which a line happens to do a little better, and some on which it does much better."""
    methods: list[Method] = ["identity", "platt"]
    lucky, luckier = (
        choose_calibration(methods, *draw(1.0, n_rows=2000, seed=seed), time_blocks(np.arange(2000)))
        for seed in (8, 29)
    )
    assert all(each.losses["platt"] < each.losses["identity"] for each in (lucky, luckier))
    assert (lucky.calibration.method, luckier.calibration.method) == ("identity", "platt")


def test_one_method_alone_is_taken_whatever_its_loss() -> None:
    p, y = stairs(500)
    chosen = choose_calibration(["platt"], p, y, time_blocks(np.arange(500)))
    assert (chosen.calibration.method, list(chosen.losses)) == ("platt", ["platt"])


def test_blocks_are_stretches_of_time_so_a_drift_is_judged_as_a_drift() -> None:
    random = np.random.default_rng(8)
    p, opens = random.uniform(0.4, 0.6, 1000), np.arange(1000)
    y = (random.random(1000) < np.where(opens < 500, 0.2, 0.8)).astype(float)
    in_time = choose_calibration(["isotonic"], p, y, time_blocks(opens)).losses["isotonic"]
    shuffled = choose_calibration(["isotonic"], p, y, time_blocks(random.permutation(1000))).losses["isotonic"]
    assert in_time > shuffled + 0.02


def test_blocks_hold_equal_shares_in_order_of_time() -> None:
    opens = np.random.default_rng(2).permutation(1000)
    np.testing.assert_array_equal(time_blocks(opens), opens // 200)
    np.testing.assert_array_equal(time_blocks(np.repeat([7, 9], 10)), np.repeat([0, 1], 10))


def test_a_lead_is_the_mean_over_blocks_with_its_standard_error() -> None:
    """Of block gains 1, 2 and 3: 2, and the deviation 1 over √3."""
    block = np.array([0, 0, 1, 2, 2, 2])
    gain, error = lead(np.array([1.0, 1, 2, 3, 3, 3]), np.zeros(6), block)
    assert (gain, error) == (pytest.approx(2), pytest.approx(1 / np.sqrt(3)))


def test_a_stored_calibration_needs_nothing_but_its_numbers() -> None:
    line = Calibration("platt", slope=2.0, intercept=-0.5)
    assert line.apply(np.array([0.5])) == pytest.approx(expit(-0.5))
    knots = Calibration("isotonic", knots_x=[0.4, 0.6], knots_y=[0.2, 0.8])
    np.testing.assert_allclose(knots.apply(np.array([0.1, 0.4, 0.45, 0.5, 0.9])), [0.2, 0.2, 0.35, 0.5, 0.8])
