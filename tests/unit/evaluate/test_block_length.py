"""Block lengths against the package `arch`, against closed forms, and as sums over steps of time."""

from __future__ import annotations

import numpy as np
import pytest

from candlelock.evaluate.block_length import block_length, choose_lengths, long_run_variance, sum_by_step
from candlelock.evaluate.bootstrap import HOUR_MS
from candlelock.evaluate.circular_blocks import cut_steps
from tests.golden import arch_figures
from tests.golden.arch_figures import autoregressive
from tests.learner_settings import needs_package


def test_lengths_are_those_of_arch() -> None:
    """All but a few: the packages norm the autocorrelations, whose first small one they look for, in their own ways."""
    theirs = np.maximum(arch_figures.read()["lengths"], 1.0)
    own = [block_length(series) for series in arch_figures.draw_series()]
    assert np.isclose(own, theirs, rtol=1e-9).mean() >= 0.95


@needs_package("arch")
def test_arch_still_says_what_was_kept() -> None:
    kept, again = arch_figures.read(), arch_figures.ask()
    assert kept.keys() == again.keys()
    for name, values in again.items():
        np.testing.assert_allclose(kept[name], values, rtol=1e-9, err_msg=name)


def theory(n: int, rho: float) -> float:
    """For AR(1), G = 2 σ² ρ / (1 - ρ)² / (1 - ρ²) and Σ R(k) = σ² / (1 - ρ)², so (3/2 (2ρ / (1 - ρ²))² n)^⅓."""
    return float((1.5 * (2 * rho / (1 - rho**2)) ** 2 * n) ** (1 / 3))


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.8])
def test_the_median_length_is_that_of_the_closed_form(rho: float) -> None:
    lengths = [block_length(autoregressive(seed, 3000, rho)) for seed in range(40)]
    assert np.median(lengths) == pytest.approx(theory(3000, rho), rel=0.2)


def test_the_long_run_variance_is_that_of_the_closed_form() -> None:
    found = [long_run_variance(autoregressive(seed, 3000, 0.6)) for seed in range(40)]
    assert np.median(found) == pytest.approx(1 / 0.4**2, rel=0.1)


def test_a_length_needs_no_units() -> None:
    series = autoregressive(1, 800, 0.7)
    assert block_length(-1e6 * series + 3) == pytest.approx(block_length(series))


@pytest.mark.parametrize("series", [np.ones(50), np.arange(5.0), np.array([])])
def test_what_does_not_vary_or_is_short_asks_for_no_blocks(series: np.ndarray) -> None:
    assert block_length(series) == 1.0


def test_a_length_stays_within_its_limits() -> None:
    """Differences of noise have next to no long-run variance, and would ask for blocks without end."""
    random = np.random.default_rng(5)
    assert max(block_length(np.diff(random.normal(size=401))) for _ in range(40)) == 60
    assert max(block_length(np.diff(random.normal(size=31))) for _ in range(40)) == 10
    assert np.median([block_length(random.normal(size=400)) for _ in range(40)]) < 8


def test_rows_are_summed_by_step_as_deviations_from_their_mean_with_gaps_as_nothing() -> None:
    steps = cut_steps(np.array([10, 10, 11, 14]) * HOUR_MS)
    np.testing.assert_allclose(sum_by_step(steps, np.array([1.0, 2.0, 3.0, 6.0])), [-3.0, 0.0, 0.0, 0.0, 3.0])


def test_labels_that_overlap_ask_for_blocks_of_about_their_length_and_more() -> None:
    """Half-hour bars of two symbols alike, losses that stand for six hours."""
    random = np.random.default_rng(6)
    losses = np.convolve(random.normal(size=8011), np.ones(12), "valid")
    opens = np.tile(np.arange(8000) * HOUR_MS // 2, 2)
    steps, twice = cut_steps(opens), np.tile(losses, 2)
    found = choose_lengths(steps, {"overlapping": twice, "independent": random.normal(size=16000)})
    assert 12 <= found["overlapping"] <= 60
    assert found["independent"] <= 6


def test_lengths_are_in_hours_whatever_the_step() -> None:
    opens = np.arange(12_000) * HOUR_MS
    losses = np.repeat(np.random.default_rng(7).normal(size=500), 24)
    steps = cut_steps(opens)
    assert steps.hours == 3
    assert choose_lengths(steps, {"days": losses})["days"] == 3 * block_length(sum_by_step(steps, losses))
    assert choose_lengths(steps, {"days": losses})["days"] > 24
