"""Conformal sets: quantiles by hand, promised coverage on exchangeable rows, the paper's bound on any sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from candlelock.calibrate.conformal import (
    N_LEVELS,
    Conformal,
    fit_conformal,
    fit_intervals,
    run_forward,
    scores_of,
    sets_of,
)

if TYPE_CHECKING:
    from candlelock.calibrate.conformal import Array, Mask, Times

HOUR_MS = 3_600_000


def draw(n_rows: int, seed: int, scale: float = 1.0) -> tuple[Array, Array]:
    """Probabilities and labels; with a scale other than 1 the probabilities are wrong."""
    random = np.random.default_rng(seed)
    z = random.normal(0, 1.2, n_rows)
    return expit(scale * z), (random.random(n_rows) < expit(z)).astype(float)


def run_sets(fitted: Conformal, p: Array, y: Array, decision: Times, end: Times) -> tuple[Mask, Mask, Array]:
    """Sets of directions as they follow their labels, and the miscoverage asked for."""
    largest, asked = run_forward(fitted, scores_of(p, y), decision, end)
    return *sets_of(p, largest), asked


def covers(y: Array, sets: tuple[Mask, Mask]) -> Mask:
    return np.where(y > 0, *sets)


def test_the_quantile_is_the_smallest_score_that_covers_enough_by_hand() -> None:
    """Nine scores 0.1 … 0.9 and the one to come: of coverage 0.8 the ⌈10 · 0.8⌉-th; of 0.95 everything."""
    p = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    fitted = fit_conformal(p, np.ones(9), 0.2, 0.0)
    assert fitted.quantile(0.2) == pytest.approx(0.8)
    assert fitted.quantile(0.19) == pytest.approx(0.9)
    assert fitted.quantile(0.101) == pytest.approx(0.9)
    assert (fitted.quantile(0.05), fitted.quantile(-0.3)) == (1.0, 1.0)
    assert (fitted.quantile(0.9), fitted.quantile(1.0), fitted.quantile(1.4)) == (pytest.approx(0.1), -1.0, -1.0)
    assert len(fitted.quantiles) == N_LEVELS + 1


def test_sets_by_hand() -> None:
    up, down = sets_of(np.array([0.2, 0.35, 0.5, 0.7]), 0.6)
    assert up.tolist() == [False, False, True, True]
    assert down.tolist() == [True, True, True, False]
    assert [each.any() for each in sets_of(np.array([0.0, 0.5, 1.0]), -1.0)] == [False, False]
    assert [each.all() for each in sets_of(np.array([0.0, 0.5, 1.0]), 1.0)] == [True, True]


@pytest.mark.parametrize("scale", [1.0, 3.0, 0.3])
@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
def test_split_sets_of_exchangeable_rows_cover_as_promised_however_wrong_the_probabilities(
    scale: float, alpha: float
) -> None:
    """Over draws, coverage lies in [1 - α, 1 - α + 1/(n + 1)], and one step of the levels above; Vovk et al. 2005."""
    n_fitted, n_new, n_draws = 199, 200, 150
    shares = []
    for seed in range(n_draws):
        p, y = draw(n_fitted + n_new, seed, scale)
        fitted = fit_conformal(p[:n_fitted], y[:n_fitted], alpha, 0.0)
        shares.append(covers(y[n_fitted:], sets_of(p[n_fitted:], fitted.quantile(alpha))).mean())
    error = np.std(shares) / np.sqrt(n_draws)
    assert 1 - alpha - 4 * error < np.mean(shares) < 1 - alpha + 1 / (n_fitted + 1) + 1 / N_LEVELS + 4 * error


def in_time(n_steps: int, n_symbols: int, horizon: int) -> tuple[Array, Array]:
    """Decision and label end of each row, symbol by symbol."""
    decision = np.tile(np.arange(n_steps) * HOUR_MS, n_symbols)
    return decision, decision + horizon * HOUR_MS


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([0.005, 0.05, 0.5]), st.sampled_from([0.05, 0.1, 0.4]))
def test_the_long_run_error_of_adaptive_sets_is_bounded_on_any_sequence(
    seed: int, horizon: int, gamma: float, alpha: float
) -> None:
    """Gibbs & Candès 2021, proposition 4.1: (max(α, 1 - α) + γ) / (T γ); with labels h steps late, h γ for γ."""
    n_steps, random = 400, np.random.default_rng(seed)
    fitted = fit_conformal(*draw(300, seed), alpha, gamma)
    p = random.random(n_steps)
    y = np.where(np.arange(n_steps) % 100 < 50, p < 0.5, random.random(n_steps) < 0.5).astype(
        float
    )  # hostile, then noise
    decision, end = in_time(n_steps, 1, horizon)
    up, down, asked = run_sets(fitted, p, y, decision, end)
    n_followed = n_steps - horizon  # whose labels were known at the last decision
    missed = 1 - covers(y, (up, down))[:n_followed]
    bound = (max(alpha, 1 - alpha) + horizon * gamma) / (n_followed * gamma)
    assert abs(missed.mean() - alpha) <= bound + 1e-9
    assert asked[-1] == pytest.approx(alpha + gamma * (alpha - missed).sum())
    assert -horizon * gamma <= asked.min()
    assert asked.max() <= 1 + horizon * gamma


def slowly(fitted: Conformal, p: Array, y: Array, decision: Array, end: Array) -> Array:
    """At each decision the miscoverage is made anew from all labels known by then."""
    asked, missed = {}, {}
    for now in np.unique(decision):
        known = [t for t in missed if (end[decision == t][~np.isnan(y[decision == t])] <= now).all()]
        asked[now] = fitted.alpha + fitted.gamma * sum(fitted.alpha - missed[t] for t in known)
        own = (decision == now) & ~np.isnan(y)
        if own.any():
            missed[now] = 1 - covers(y[own], sets_of(p[own], fitted.quantile(asked[now]))).mean()
    return np.array([asked[t] for t in decision])


def test_symbols_move_the_miscoverage_together_as_a_slow_loop_has_it() -> None:
    random = np.random.default_rng(3)
    decision, end = in_time(120, 3, 4)
    kept = random.random(360) < 0.8
    decision, end = decision[kept], end[kept] + HOUR_MS * random.integers(0, 3, 360)[kept]
    p, y = (
        random.random(kept.sum()),
        np.where(random.random(kept.sum()) < 0.1, np.nan, random.integers(0, 2, kept.sum())),
    )
    fitted = fit_conformal(*draw(300, 1), 0.2, 0.03)
    up, down, asked = run_sets(fitted, p, y, decision, end)
    np.testing.assert_allclose(asked, slowly(fitted, p, y, decision, end), atol=1e-12)
    expected = sets_of(p, np.array([fitted.quantile(a) for a in asked]))
    np.testing.assert_array_equal((up, down), expected)


@pytest.mark.parametrize("at", [40, 41, 300])
def test_labels_not_known_yet_have_no_say(at: int) -> None:
    """Every label that ends after a decision is turned over: that decision's set, and all before it, stay."""
    p, y = draw(400, 5)
    decision, end = in_time(400, 1, 4)
    fitted = fit_conformal(*draw(300, 1), 0.1, 0.05)
    before = run_sets(fitted, p, y, decision, end)
    turned = np.where(end > decision[at], 1 - y, y)
    after = run_sets(fitted, p, turned, decision, end)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one[: at + 1], other[: at + 1])
    assert not np.array_equal(before[2], after[2])


def test_when_probabilities_go_bad_adaptive_sets_keep_their_coverage_and_split_sets_do_not() -> None:
    p, y = draw(6000, 2)
    p[3000:] = 1 - p[3000:]
    decision, end = in_time(6000, 1, 4)
    late, shares = slice(3500, None), {}
    for gamma in (0.0, 0.01):
        up, down, _ = run_sets(fit_conformal(*draw(2000, 1), 0.1, gamma), p, y, decision, end)
        shares[gamma] = covers(y, (up, down))[late].mean()
    assert shares[0.0] < 0.85
    assert shares[0.01] == pytest.approx(0.9, abs=0.01)


def test_without_a_step_every_set_is_the_split_one_and_rows_come_back_in_their_order() -> None:
    p, y = draw(500, 9)
    decision, end = in_time(100, 5, 4)
    fitted = fit_conformal(*draw(300, 1), 0.1, 0.0)
    up, down, asked = run_sets(fitted, p, y, decision, end)
    np.testing.assert_array_equal((up, down), sets_of(p, fitted.quantile(0.1)))
    assert set(asked) == {0.1}


def test_intervals_hold_values_as_promised_whatever_their_errors_look_like() -> None:
    """Nine errors by hand; then exchangeable rows with skewed errors, where the promise is for the mean over draws."""
    by_hand = fit_intervals(np.zeros(9), np.array([1.0, -2, 3, -4, 5, -6, 7, -8, 9]), 0.2, 0.0)
    assert [by_hand.quantile(alpha) for alpha in (0.2, 0.9, 1.0)] == [8.0, 1.0, -1.0]
    assert np.isinf(by_hand.quantile(0.05)), "no interval of nine rows can promise 95 %"
    random = np.random.default_rng(1)
    shares = []
    for _ in range(200):
        y = random.exponential(2.0, 400)
        fitted = fit_intervals(np.full(200, 0.7), y[:200], 0.1, 0.0)
        shares.append((np.abs(y[200:] - 0.7) <= fitted.quantile(0.1)).mean())
    assert np.mean(shares) == pytest.approx(0.9, abs=0.01)


def test_adaptive_intervals_widen_when_the_market_grows_wild() -> None:
    random = np.random.default_rng(2)
    quiet, wild = random.normal(0, 1, 2000), random.normal(0, 3, 4000)
    hours = np.arange(4000) * HOUR_MS
    shares = {}
    for gamma in (0.0, 0.02):
        fitted = fit_intervals(np.zeros(2000), quiet, 0.1, gamma)
        largest, _ = run_forward(fitted, np.abs(wild), hours, hours + HOUR_MS)
        shares[gamma] = (np.abs(wild) <= largest).mean()
    assert shares[0.0] < 0.5
    assert shares[0.02] == pytest.approx(0.9, abs=0.02)
