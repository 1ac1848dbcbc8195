"""Parts of the Brier score that add up, the ECE that calibrated rows show, and coverage by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.evaluate import scores
from candlelock.evaluate.bootstrap import Blocks
from candlelock.evaluate.probabilities import cover, expect_ece, split_brier


def blocks_of(index: np.ndarray) -> Blocks:
    return Blocks(index, np.ones((0, int(index.max()) + 1)), 0.95)


def test_brier_parts_by_hand() -> None:
    """Forecasts 0.2 twice (one event) and 0.8 twice (both): gaps 0.3 and 0.2; shares 0.5 and 1 about 0.75."""
    y, p = np.array([1.0, 0, 1, 1]), np.array([0.2, 0.2, 0.8, 0.8])
    parts = split_brier(y, p, scores.bin_of(p, 10))
    assert parts.reliability == pytest.approx(0.065)
    assert parts.resolution == pytest.approx(0.0625)
    assert parts.uncertainty == pytest.approx(0.1875)
    assert (parts.within_bin_variance, parts.within_bin_covariance) == pytest.approx((0, 0))


def test_terms_within_a_bin_by_hand() -> None:
    """0.2 without and 0.4 with the event in one bin: p varies by 0.1² and goes with what happens, 2 · 0.1 · 0.5."""
    parts = split_brier(np.array([0.0, 1.0]), np.array([0.2, 0.4]), np.array([0, 0]))
    assert (parts.within_bin_variance, parts.within_bin_covariance) == pytest.approx((0.01, 0.1))
    assert (parts.reliability, parts.resolution) == (pytest.approx(0.04), 0)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 300), st.integers(2, 20), st.booleans())
def test_the_parts_add_up_to_the_brier_score(seed: int, n_rows: int, n_bins: int, is_mass: bool) -> None:
    random = np.random.default_rng(seed)
    p, y = random.random(n_rows), random.integers(0, 2, n_rows).astype(float)
    parts = split_brier(y, p, (scores.mass_bin_of if is_mass else scores.bin_of)(p, n_bins))
    whole = parts.reliability - parts.resolution + parts.uncertainty
    whole += parts.within_bin_variance - parts.within_bin_covariance
    assert whole == pytest.approx(np.mean((p - y) ** 2), abs=1e-12)
    assert min(parts.reliability, parts.resolution, parts.within_bin_variance) >= 0


@pytest.mark.parametrize("size", [1, 20])
def test_the_expected_ece_is_the_mean_one_of_calibrated_rows(size: int) -> None:
    """Also where labels come in blocks that share one draw: then it is larger by about √size."""
    random = np.random.default_rng(2)
    index = np.repeat(np.arange(4000 // size), size)
    p = np.repeat(random.uniform(0.3, 0.7, 4000 // size), size)
    blocks, bins = blocks_of(index), scores.bin_of(p, 10)
    found, expected = [], []
    for _ in range(100):
        y = np.repeat((random.random(4000 // size) < p[::size]).astype(float), size)
        found.append(scores.score_ece(y, p, blocks, bins)[0])
        expected.append(expect_ece(y, p, bins, blocks))
    assert np.mean(found) == pytest.approx(np.mean(expected), rel=0.1)
    analytic = np.sqrt(2 / np.pi * np.bincount(bins, p * (1 - p))).sum() / 4000
    assert np.mean(expected) == pytest.approx(analytic * np.sqrt(size), rel=0.05)


def test_a_model_that_is_off_by_much_more_than_noise_shows_it() -> None:
    random = np.random.default_rng(2)
    p = random.uniform(0.3, 0.7, 4000)
    y = (random.random(4000) < p - 0.1).astype(float)
    blocks, bins = blocks_of(np.arange(4000)), scores.bin_of(p, 10)
    assert scores.score_ece(y, p, blocks, bins)[0] > 5 * expect_ece(y, p, bins, blocks)


def test_coverage_and_sizes_by_hand() -> None:
    """Both, up alone, down alone, none; three of them hold what happened but the last."""
    rows = pd.DataFrame(
        {
            "is_up": [1.0, 1.0, 0.0, 1.0, 0.0],
            "may_be_up": [True, True, False, False, True],
            "may_be_down": [True, False, True, False, False],
        }
    )
    found = cover(rows)
    assert (found.coverage_frac, found.one_direction_frac, found.empty_frac) == pytest.approx((0.6, 0.6, 0.2))
