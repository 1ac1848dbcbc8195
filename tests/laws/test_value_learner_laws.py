"""Laws that every learner keeps where labels are values: the mean is learned, in any unit, and has the same bytes."""

from __future__ import annotations

import functools
import os
import pickletools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.train.learner import LEARNERS, Sample
from tests.laws.test_learner_laws import ALL, INSTALLED, OTHERS, STOPPING, digest, draw_sample, fit, fit_rounds
from tests.learner_settings import QUICK, with_skips

if TYPE_CHECKING:
    from candlelock.train.learner import Array, Model

SEEING_BENDS = with_skips(sorted(set(LEARNERS) - {"logistic"}))  # what is no straight line


def draw_values(seed: int, strength: float = 1.0, n_rows: int = 600) -> Sample:
    """Six features with holes, the last wholly unknown; the first carries the signal, and the size of the second.

    The noise is skewed, so that the mean is not the median, and of standard deviation 1.
    """
    random = np.random.default_rng(seed)
    x = random.normal(size=(n_rows, 6))
    y = strength * (x[:, 0] + np.abs(x[:, 1])) + random.exponential(size=n_rows)
    x[random.random(x.shape) < 0.05] = np.nan
    x[:, 5] = np.nan
    return Sample(x, y, np.arange(n_rows), is_value=True)


TRAIN, STOP, UNSEEN = draw_values(1), draw_values(2, n_rows=200), draw_values(3, n_rows=2000)


@functools.cache
def plain(name: str) -> Model:
    """The learner trained on the first sample."""
    return fit(name, TRAIN)


@functools.cache
def stopped(name: str) -> Model:
    """The same, stopped by the second."""
    return fit(name, TRAIN, STOP)


def share_told(sample: Sample, answer: Array) -> float:
    """The share of the labels' variance that answers explain; below 0: they are worse than the mean."""
    return float(1 - np.mean((sample.y - answer) ** 2) / sample.y.var())


def squared_error(name: str, n_rounds: int) -> float:
    return float(np.mean((STOP.y - fit_rounds(name, TRAIN, n_rounds).predict(STOP.x)) ** 2))


def scaled(sample: Sample, factor: float, shift: float = 0.0) -> Sample:
    return replace(sample, y=factor * sample.y + shift)


@pytest.mark.parametrize("name", ALL)
def test_fitted_again_at_another_thread_count_the_bytes_are_the_same(name: str) -> None:
    assert digest(fit(name, TRAIN, threads=2)) == digest(plain(name))
    assert digest(fit(name, TRAIN, STOP, threads=2)) == digest(stopped(name))


@pytest.mark.parametrize("name", ALL)
def test_a_saved_model_knows_that_it_answers_values_and_which_to_the_last_bit(name: str) -> None:
    for model in (plain(name), stopped(name)):
        loaded = LEARNERS[name].load(model.to_bytes())
        assert model.is_value is loaded.is_value is True
        assert loaded.to_bytes() == model.to_bytes()
        np.testing.assert_array_equal(loaded.predict(UNSEEN.x), model.predict(UNSEEN.x))
        np.testing.assert_array_equal(loaded.gains(), model.gains())
        assert loaded.n_rounds == model.n_rounds


@pytest.mark.parametrize("name", ALL)
def test_of_up_and_down_a_saved_model_is_one_of_probabilities(name: str) -> None:
    model = fit(name, draw_sample(1, 1.5))
    assert model.is_value is LEARNERS[name].load(model.to_bytes()).is_value is False


@pytest.mark.parametrize("name", ALL)
def test_no_model_of_values_can_be_unpickled(name: str) -> None:
    with pytest.raises(ValueError, match=r"opcode|exhausted|argument|expected|newline|decode"):
        list(pickletools.genops(plain(name).to_bytes()))


@pytest.mark.parametrize("name", ALL)
def test_one_row_is_answered_as_in_a_batch(name: str) -> None:
    x = UNSEEN.x[:20]
    one_by_one = np.concatenate([plain(name).predict(row[None]) for row in x])
    np.testing.assert_allclose(one_by_one, plain(name).predict(x), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ALL)
def test_a_planted_signal_beats_the_mean_and_noise_is_little_worse(name: str) -> None:
    answer = plain(name).predict(UNSEEN.x)
    assert answer.shape == (2000,)
    assert share_told(UNSEEN, answer) > 0.3
    noise = draw_values(3, 0.0, 2000)
    assert -0.1 < share_told(noise, fit(name, draw_values(1, 0.0), draw_values(2, 0.0)).predict(noise.x)) < 0.02


@pytest.mark.parametrize("name", SEEING_BENDS)
def test_a_signal_that_no_straight_line_follows_is_learned(name: str) -> None:
    bent = replace(UNSEEN, y=UNSEEN.y - np.nan_to_num(UNSEEN.x[:, 0]))
    answer = plain(name).predict(np.where(np.arange(6) == 1, UNSEEN.x, 0.0))
    assert np.corrcoef(bent.y, answer)[0, 1] > 0.4


@pytest.mark.parametrize("name", ALL)
def test_it_is_the_mean_that_is_answered_and_not_the_median(name: str) -> None:
    """With skewed noise alone they lie 0.31 apart."""
    noise = draw_values(1, 0.0, 1200)
    assert fit(name, noise).predict(noise.x).mean() == pytest.approx(noise.y.mean(), abs=0.06)


@pytest.mark.parametrize("power", [-30, 6])
@pytest.mark.parametrize("name", ALL)
def test_labels_in_another_unit_give_the_same_answers_in_that_unit(name: str, power: int) -> None:
    model = fit(name, scaled(TRAIN, 2.0**power), scaled(STOP, 2.0**power))
    assert model.n_rounds == stopped(name).n_rounds
    np.testing.assert_array_equal(model.predict(UNSEEN.x) / 2.0**power, stopped(name).predict(UNSEEN.x))


@pytest.mark.parametrize("name", ALL)
def test_labels_that_lie_elsewhere_give_the_same_answers_there(name: str) -> None:
    """Up to what float32 holds of such labels, which two libraries turn them into."""
    moved = fit(name, scaled(TRAIN, 1.0, 64.0), scaled(STOP, 1.0, 64.0)).predict(UNSEEN.x) - 64
    np.testing.assert_allclose(moved, stopped(name).predict(UNSEEN.x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_the_features_with_the_signal_weigh_most_and_the_unknown_one_nothing(name: str) -> None:
    gains = plain(name).gains()
    assert gains.shape == (6,)
    assert gains.argmax() == 0
    if name != "logistic":
        assert gains.argsort()[-2] == 1
    if name != "mlp":  # its first layer keeps the weights it started from
        assert gains[5] == 0


@pytest.mark.parametrize("name", STOPPING)
def test_on_noise_training_stops_early_and_on_a_signal_later(name: str) -> None:
    noise = fit(name, draw_values(1, 0.0), draw_values(2, 0.0))
    most = getattr(QUICK[name], str(LEARNERS[name].rounds_key))
    assert 1 <= noise.n_rounds < most / 2
    assert noise.n_rounds < fit(name, draw_values(1, 3.0), draw_values(2, 3.0)).n_rounds


@pytest.mark.parametrize("name", STOPPING)
def test_the_round_kept_has_the_lowest_error_and_is_that_of_so_many_rounds(name: str) -> None:
    kept = stopped(name).n_rounds
    np.testing.assert_array_equal(fit_rounds(name, TRAIN, kept).predict(UNSEEN.x), stopped(name).predict(UNSEEN.x))
    errors = {n_rounds: squared_error(name, n_rounds) for n_rounds in (max(1, kept - 1), kept, kept + 1)}
    assert errors[kept] <= min(errors.values()) * (1 + 1e-7)


@pytest.mark.parametrize("name", ALL)
def test_unknown_features_give_a_value_and_all_unknown_gives_one_answer(name: str) -> None:
    assert np.isfinite(plain(name).predict(UNSEEN.x)).all()
    assert np.unique(plain(name).predict(np.full((5, 6), np.nan))).size == 1


HASH_ALL = """
import sys
from candlelock.artifacts import numeric_environment
numeric_environment.lock()
sys.path.insert(0, sys.argv[1])
from tests.laws import test_value_learner_laws as laws
for name in laws.INSTALLED:
    model = laws.fit(name, laws.TRAIN, laws.STOP, threads=2)
    print(name, laws.digest(model), model.predict(laws.UNSEEN.x).sum().hex())
"""


def test_another_process_gives_the_same_bytes_whatever_its_environment() -> None:
    changes = {"PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Nehalem", "MKL_CBWR": "AUTO"}
    command = [sys.executable, "-c", HASH_ALL, str(Path(__file__).parents[2])]
    told = subprocess.run(command, env=os.environ | changes, stdout=subprocess.PIPE, text=True, check=True).stdout
    here = [f"{name} {digest(stopped(name))} {stopped(name).predict(UNSEEN.x).sum().hex()}" for name in INSTALLED]
    assert told.splitlines() == here


@pytest.mark.parametrize("name", OTHERS)
def test_bins_built_once_give_the_bytes_of_bins_built_for_each_fit(name: str) -> None:
    learner, base = LEARNERS[name], QUICK[name]
    assert learner.binned is not None
    for watch in (None, STOP):
        bins = learner.binned.build(TRAIN, watch, base, 11, 1)
        for change in (*OTHERS[name], {}):
            settings = base.model_copy(update=change)
            anew = digest(learner.fit(TRAIN, watch, settings, 11, 1))
            assert digest(learner.binned.fit(bins, settings, 11, 2)) == anew
