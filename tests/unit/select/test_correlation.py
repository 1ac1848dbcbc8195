"""Correlations against pandas, and the rule by which one of two twins stays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from candlelock.select.correlation import MIN_COMMON, Twin, correlations, find_twins, ranking


def draw(share_unknown: float, n_rows: int = 600) -> np.ndarray:
    """Twelve features of four sources on very different scales, some of their values unknown."""
    random = np.random.default_rng(8)
    x = random.normal(size=(n_rows, 4)) @ random.normal(size=(4, 12)) + 0.3 * random.normal(size=(n_rows, 12))
    x = x * 10.0 ** np.arange(-6, 6) + 10.0 ** np.arange(-3, 9)
    x[random.random(x.shape) < share_unknown] = np.nan
    return x


@pytest.mark.parametrize("share_unknown", [0.0, 0.02, 0.5])
def test_they_are_pandas_s_over_the_rows_that_know_both(share_unknown: float) -> None:
    x = draw(share_unknown)
    expected = pd.DataFrame(x).corr(min_periods=MIN_COMMON).abs().to_numpy()
    np.testing.assert_allclose(correlations(x), expected, atol=1e-9)


def test_too_few_common_rows_or_no_spread_over_them_say_nothing() -> None:
    x = np.column_stack([np.arange(100.0)] * 3 + [np.full(100, 2.5)])
    x[MIN_COMMON - 1 :, 1] = np.nan
    x[: 100 - MIN_COMMON, 2] = np.nan
    size = correlations(x)
    assert size[0, 1] == 0.0, "29 rows in common"
    assert size[0, 2] == 1.0, "30 rows in common"
    assert size[1, 2] == 0.0, "no row in common"
    assert not size[3].any()
    flat_there = np.r_[np.zeros(50), np.arange(50.0)]
    half_known = np.r_[np.arange(50.0), np.full(50, np.nan)]
    assert correlations(np.column_stack([flat_there, half_known]))[0, 1] == 0.0


def test_very_large_values_do_not_overflow() -> None:
    line = np.arange(50.0)
    assert correlations(np.column_stack([line * 1e200, line * 1e-200, line]))[0].tolist() == [1.0, 1.0, 1.0]


def prune_slowly(size: np.ndarray, score: list[float], limit: float) -> set[int]:
    """Repeat: of all pairs beyond the limit among what is left, look at the best-scored feature and drop its twins."""
    left, done = set(range(len(score))), set()
    while left - done:
        best = min(left - done, key=lambda i: (-score[i], i))
        done.add(best)
        left -= {i for i in left - done if size[best, i] > limit}
    return left


@pytest.mark.parametrize("limit", [0.3, 0.6, 0.9])
def test_what_stays_is_what_a_slow_reference_keeps(limit: float) -> None:
    size, score = correlations(draw(0.0)), np.round(np.random.default_rng(1).random(12), 1)
    twins = find_twins(size, score, limit)
    kept = set(range(12)) - {twin.column for twin in twins}
    assert kept == prune_slowly(size, score.tolist(), limit)
    assert all(size[i, j] <= limit for i in kept for j in kept if i != j)
    for twin in twins:
        assert twin.kept in kept
        assert limit < twin.correlation == size[twin.column, twin.kept]
        assert (score[twin.kept], -twin.kept) > (score[twin.column], -twin.column)


def test_of_equal_scores_the_first_column_stays_and_unknown_scores_go_first() -> None:
    size = np.ones((3, 3))
    assert find_twins(size, np.array([0.2, 0.2, np.nan]), 0.95) == [Twin(1, 0, 1.0), Twin(2, 0, 1.0)]
    assert find_twins(size, np.array([np.nan, 0.0, 0.0]), 0.95) == [Twin(0, 1, 1.0), Twin(2, 1, 1.0)]


def test_a_chain_keeps_its_ends_when_its_middle_is_weaker() -> None:
    size = np.array([[1, 0.97, 0.9], [0.97, 1, 0.96], [0.9, 0.96, 1]])
    assert find_twins(size, np.array([3.0, 1.0, 2.0]), 0.95) == [Twin(1, 0, 0.97)]
    assert find_twins(size, np.array([1.0, 3.0, 2.0]), 0.95) == [Twin(0, 1, 0.97), Twin(2, 1, 0.96)]


def test_ranking_is_by_score_then_place_with_unknown_ones_last() -> None:
    assert ranking(np.array([0.1, np.nan, 0.3, 0.1, -0.2])).tolist() == [2, 0, 3, 4, 1]
