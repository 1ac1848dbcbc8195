"""Back-test overfitting: a slow oracle of the paper, nothing and everything to know, the kinds of input."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from candlelock.contracts.errors import InputError
from candlelock.evaluate.overfitting import (
    describe_overfitting,
    halve_groups,
    halve_paths,
    halve_periods,
)


def by_definition(returns: np.ndarray, n_groups: int) -> list[float]:
    """The logits of Bailey et al. 2017, split by split: rank of the best in-sample Sharpe ratio out of sample."""
    parts, logits = np.array_split(returns, n_groups), []
    for chosen in combinations(range(n_groups), n_groups // 2):
        inside = np.concatenate([parts[i] for i in chosen])
        outside = np.concatenate([parts[i] for i in range(n_groups) if i not in chosen])
        best = np.argmax(inside.mean(axis=0) / inside.std(axis=0))
        score = outside.mean(axis=0) / outside.std(axis=0)
        omega = (1 + np.sum(score < score[best])) / (returns.shape[1] + 1)
        logits.append(np.log(omega / (1 - omega)))
    return logits


@pytest.mark.parametrize("n_periods", [160, 163])
def test_logits_are_those_of_the_definition(n_periods: int) -> None:
    returns = np.random.default_rng(1).standard_t(4, (n_periods, 9)) * 0.01
    halves = halve_periods(returns, n_groups=8)
    np.testing.assert_allclose(halves.logits, by_definition(returns, 8))
    assert len(halves.logits) == 70


def test_a_mean_is_ranked_by_its_mean() -> None:
    returns = np.random.default_rng(2).normal(0, [1.0, 5.0, 0.1], (60, 3))
    halves = halve_periods(returns, 2, "mean")
    first, last = returns[:30].mean(axis=0), returns[30:].mean(axis=0)
    np.testing.assert_allclose(halves.inside, [first.max(), last.max()])
    np.testing.assert_allclose(halves.outside, [last[first.argmax()], first[last.argmax()]])


def test_without_skill_the_winner_is_below_the_median_half_of_the_time() -> None:
    random = np.random.default_rng(3)
    found = [describe_overfitting(halve_periods(random.normal(size=(200, 20)), 8)) for _ in range(60)]
    assert np.mean([each.probability for each in found]) == pytest.approx(0.5, abs=0.08)
    slopes = [each.degradation_slope for each in found if each.degradation_slope is not None]
    assert np.mean(slopes) < 0  # what it wins inside, the others have outside


def test_a_trial_with_skill_wins_on_both_sides() -> None:
    returns = np.random.default_rng(4).normal(0, 1, (400, 20))
    returns[:, 7] += 0.3
    found = describe_overfitting(halve_periods(returns, 10))
    assert found.probability < 0.02
    assert found.loss_frac is not None
    assert found.loss_frac < 0.02
    assert found.median_logit == pytest.approx(np.log(20))


def test_trials_that_are_all_alike_have_no_winner() -> None:
    same = np.tile(np.random.default_rng(5).normal(size=(80, 1)), 6)
    assert describe_overfitting(halve_periods(same, 4)).probability == 1.0


def test_returns_that_stand_still_have_no_ratio() -> None:
    returns = np.column_stack([np.full(40, 0.01), np.random.default_rng(6).normal(0.05, 0.01, 40)])
    assert (halve_periods(returns, 4).logits > 0).all()


def test_groups_are_periods_of_equal_length_summed_up() -> None:
    returns = np.random.default_rng(7).normal(size=(120, 7))
    by_group = np.stack([part.mean(axis=0) for part in np.array_split(returns, 6)], axis=1)
    np.testing.assert_allclose(halve_groups(by_group).logits, halve_periods(returns, 6, "mean").logits)


def test_an_odd_number_of_groups_is_halved_both_ways() -> None:
    scores = np.array([[0.0, 0.0, 9.0], [1.0, 1.0, 0.0]])
    assert len(halve_groups(scores).logits) == 6
    inside = 4  # of the splits in order: groups 0 and 2, so that group 1 is outside
    assert halve_groups(scores).outside[inside] == 0  # the first wins by its nine


def test_paths_are_halved_one_by_one_and_pooled() -> None:
    scores = np.random.default_rng(8).normal(size=(4, 5, 6))
    halves = halve_paths(scores)
    np.testing.assert_array_equal(halves.logits, np.concatenate([halve_groups(scores[:, p]).logits for p in range(5)]))
    assert (halves.n_trials, halves.n_groups, len(halves.logits)) == (4, 6, 5 * 20)


@pytest.mark.parametrize(("size", "n_groups"), [((50, 1), 4), ((50, 5), 1), ((5, 5), 6)])
def test_too_little_to_split_is_an_error(size: tuple[int, int], n_groups: int) -> None:
    with pytest.raises(InputError) as caught:
        halve_periods(np.ones(size), n_groups)
    assert caught.value.problems[0].code == "overfitting-size"
