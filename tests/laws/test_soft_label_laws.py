"""What every learner makes of labels between down and up: they are learned as the shares of ups that they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candlelock.train.fold_fits import FoldFits
from candlelock.train.learner import LEARNERS, Sample
from candlelock.train.members import FoldSamples
from tests.laws.test_learner_laws import ALL, digest, draw_sample, fit
from tests.learner_settings import QUICK, with_skips

if TYPE_CHECKING:
    from candlelock.train.learner import Array

BINNED = sorted(name for name, learner in LEARNERS.items() if learner.binned)
EXPLAINED = with_skips(sorted(name for name, learner in LEARNERS.items() if learner.contributions))


def chance(sample: Sample) -> Array:
    """What `draw_sample` drew the labels from, with a strength of 1.5; one half where it is unknown."""
    return np.asarray(1 / (1 + np.exp(-1.5 * np.nan_to_num(sample.x[:, 0]))))


def soften(sample: Sample) -> Sample:
    """Learned are the chances instead of what came of them."""
    return replace(sample, soft=chance(sample))


@pytest.mark.parametrize("name", ALL)
def test_labels_given_as_shares_teach_the_same(name: str) -> None:
    sample, stop, x = draw_sample(1, 1.5), draw_sample(2, 1.5, 200), draw_sample(3, 1.5).x
    given_twice = [replace(each, soft=each.y) for each in (sample, stop)]
    told, plain = fit(name, *given_twice).predict(x), fit(name, sample, stop).predict(x)
    is_drawn = name == "random_forest"  # by its weights
    assert np.abs(told - plain).mean() < 0.06 if is_drawn else np.abs(told - plain).max() < 1e-5


@pytest.mark.parametrize("name", ALL)
def test_shares_are_learned_and_not_the_labels_beside_them(name: str) -> None:
    """Labels that say the opposite change nothing, neither where it trains nor where it stops."""
    sample, stop, unseen = soften(draw_sample(1, 1.5)), soften(draw_sample(2, 1.5, 200)), draw_sample(3, 1.5, 2000)
    against = fit(name, *(replace(each, y=1 - each.y) for each in (sample, stop)))
    assert digest(against) == digest(fit(name, sample, stop))
    assert np.corrcoef(against.predict(unseen.x), chance(unseen))[0, 1] > 0.75


@pytest.mark.parametrize("name", ALL)
def test_shares_teach_more_than_labels_drawn_from_them(name: str) -> None:
    """A share holds no luck: answers come nearer to the chances."""
    sample, unseen = draw_sample(1, 1.5), draw_sample(3, 1.5, 2000)
    soft, hard = (
        np.abs(fit(name, each).predict(unseen.x) - chance(unseen)).mean() for each in (soften(sample), sample)
    )
    assert soft < hard


@pytest.mark.parametrize("name", ALL)
def test_halves_are_no_signal(name: str) -> None:
    sample = draw_sample(1, 1.5)
    near = np.random.default_rng(5).choice([0.49, 0.51], len(sample.y))  # CatBoost refuses labels that are all the same
    p = fit(name, replace(sample, soft=near)).predict(sample.x)
    assert np.abs(p - 0.5).mean() < 0.05


@pytest.mark.parametrize("name", ALL)
def test_a_model_of_shares_is_saved_and_read_as_any(name: str) -> None:
    model, x = fit(name, soften(draw_sample(1, 1.5)), soften(draw_sample(2, 1.5, 200))), draw_sample(3, 1.5).x
    loaded = LEARNERS[name].load(model.to_bytes())
    assert loaded.to_bytes() == model.to_bytes()
    assert not loaded.is_value
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


@pytest.mark.parametrize("name", BINNED)
def test_bins_hold_the_shares(name: str) -> None:
    fold = FoldSamples(soften(draw_sample(1, 1.5)), soften(draw_sample(2, 1.5, 200)))
    plain = fit(name, fold.trains, fold.validates)
    assert digest(FoldFits(name, fold, 11, 1).fit(QUICK[name])) == digest(plain)


@pytest.mark.parametrize("name", EXPLAINED)
def test_contributions_add_up_to_the_log_odds(name: str) -> None:
    model, x, parts = fit(name, soften(draw_sample(1, 1.5))), draw_sample(3, 1.5).x, LEARNERS[name].contributions
    assert parts is not None
    p = model.predict(x)
    np.testing.assert_allclose(parts(model, x).sum(axis=1), np.log(p / (1 - p)), atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_threads_do_not_change_the_bytes(name: str) -> None:
    sample, stop = soften(draw_sample(1, 1.5)), soften(draw_sample(2, 1.5, 200))
    assert digest(fit(name, sample, stop, threads=1)) == digest(fit(name, sample, stop, threads=2))


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 2.0])), min_size=1))
def test_a_row_of_a_share_becomes_rows_of_both_classes_that_weigh_as_much(drawn: list[tuple[float, float]]) -> None:
    soft, weights = np.array(drawn).T
    n_rows = len(drawn)
    sample = Sample(np.arange(n_rows)[:, None], np.zeros(n_rows), np.arange(n_rows), weights, soft=soft)
    for each, weighs in ((sample, weights), (replace(sample, weights=None), np.ones(n_rows))):
        twice = each.as_classes()
        assert twice.soft is None
        assert twice.weights is not None
        assert (np.diff(twice.rows) >= 0).all()
        np.testing.assert_array_equal(twice.x[:, 0], twice.rows)
        for is_up, share in ((True, soft), (False, 1 - soft)):
            own = (twice.y == 1.0) == is_up
            np.testing.assert_array_equal(np.unique(twice.rows[own]), np.flatnonzero(share > 0))
            summed = np.bincount(twice.rows[own], weights=twice.weights[own], minlength=n_rows)
            np.testing.assert_allclose(summed, share * weighs)


def test_a_sample_of_labels_alone_stays_as_it_is() -> None:
    sample = draw_sample(1, 1.5)
    assert sample.as_classes() is sample
    assert sample.target is sample.y
    assert [*sample.labels] == [sample.y]
