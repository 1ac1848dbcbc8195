"""How alike the folds' models are: 1 for the same shares, less for others, nothing to say where nothing is compared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from candlelock.select.transform import Affine, Transform
from candlelock.train.averaging import Averaged
from candlelock.train.stability import (
    N_TOP,
    describe_gains,
    describe_stability,
    rank_correlation,
    share_gains,
    top_overlap,
)
from tests.unit.train.conftest import SpyModel, columns, every_feature


def draw_shares(seed: int, n_features: int = 40) -> dict[str, float]:
    values = np.random.default_rng(seed).exponential(size=n_features)
    return {f"f{number}": value for number, value in enumerate((values / values.sum()).tolist())}


def test_identical_folds_are_wholly_alike() -> None:
    found = describe_stability([draw_shares(1)] * 3)
    assert found.rank_correlation == pytest.approx(1.0, abs=1e-15)
    assert (found.top_overlap, found.n_top) == (1.0, N_TOP)


def test_folds_that_rank_the_other_way_round_are_at_odds() -> None:
    shares = {f"f{number}": number / 1000 for number in range(1, 61)}
    turned = dict(zip(shares, reversed(shares.values()), strict=True))
    found = describe_stability([shares, turned])
    assert found.rank_correlation == pytest.approx(-1.0)
    assert found.top_overlap == 0.0


def test_the_figures_are_means_over_every_two_folds() -> None:
    folds = [draw_shares(seed) for seed in range(3)]
    pairs = [(0, 1), (0, 2), (1, 2)]
    theirs = [spearmanr([*folds[one].values()], [*folds[other].values()]).statistic for one, other in pairs]
    assert describe_stability(folds).rank_correlation == pytest.approx(np.mean(theirs), abs=1e-12)


def test_a_feature_that_one_fold_left_out_counts_with_no_share() -> None:
    assert rank_correlation({"a": 0.6, "b": 0.4}, {"a": 1.0}) == pytest.approx(1.0)
    assert rank_correlation({"a": 0.6, "b": 0.4}, {"b": 1.0}) == pytest.approx(-1.0)
    assert rank_correlation({"a": 1.0}, {"a": 0.4, "b": 0.6}) == pytest.approx(-1.0)
    assert top_overlap({"a": 0.6, "b": 0.4}, {"a": 1.0}) == 0.5


def test_features_without_a_share_are_in_no_top() -> None:
    assert top_overlap({"a": 1.0, "b": 0.0}, {"a": 1.0, "c": 0.0}) == 1.0


@pytest.mark.parametrize("folds", [[{"a": 1.0}], [{"a": 0.0, "b": 0.0}] * 2])
def test_one_fold_or_models_that_lean_on_nothing_cannot_be_compared(folds: list[dict[str, float]]) -> None:
    found = describe_stability(folds)
    assert (found.rank_correlation, found.top_overlap) == (None, None)


def test_gains_go_back_through_a_fold_s_own_selection() -> None:
    """The spy's gains are 3 and 1, of its first and second column."""
    model = Averaged((SpyModel([], 1),))
    assert share_gains(model, every_feature("b", "a")) == {"b": 0.75, "a": 0.25}
    assert share_gains(model, columns(1, 0)) == {"a": 0.75, "b": 0.25}
    turned = Affine(np.zeros(3), np.ones(3), np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]))
    selection = Transform(3, ("c", "b", "a"), ("component_1", "component_2"), None, (turned,))
    assert share_gains(model, selection) == pytest.approx({"c": 0.27, "b": 0.48, "a": 0.25})


def test_gains_are_listed_with_their_spread_over_folds() -> None:
    found = describe_gains({"a": 0.2, "b": 0.8}, [{"a": 0.5, "b": 0.5}, {"b": 1.0}])
    assert [(one.name, one.gain, one.fold_mean, one.fold_low, one.fold_high) for one in found] == [
        ("b", 0.8, 0.75, 0.5, 1.0),
        ("a", 0.2, 0.25, 0.0, 0.5),
    ]
