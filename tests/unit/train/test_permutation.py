"""Permutation importance on planted features: what carries the label comes first, noise is worth nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from candlelock.artifacts import side_by_side
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.select.transform import Affine, Transform
from candlelock.train import permutation
from candlelock.train.averaging import Averaged
from candlelock.train.learner import LEARNERS, Sample
from candlelock.train.members import Task, Trained
from candlelock.train.permutation import LaterRows, find_donors, judge_member, judge_members, mean_over_days, take_later
from tests.learner_settings import QUICK, with_skips
from tests.unit.train.conftest import every_feature

if TYPE_CHECKING:
    from candlelock.contracts.train_params import TrainParams
    from candlelock.contracts.training_documents import PermutationImportance, Permuted

BAR_MS, N_DAYS, START_MS = 3_600_000, 40, 1_704_067_200_000
NAMES = ("noise", "signal", "hour", "slow_noise")
SELECTION = every_feature(*NAMES)


@dataclass(frozen=True)
class Planted:
    """Hourly rows of two symbols; only `signal` tells the label. `train` and `later` are drawn apart."""

    train: Sample
    sample: Sample
    rows: pd.DataFrame

    @property
    def later(self) -> LaterRows:
        return take_later(self.sample, self.rows)


def draw(seed: int, n_days: int = N_DAYS, copies: tuple[int, ...] = ()) -> tuple[Sample, pd.DataFrame]:
    """Columns as in NAMES; those of `copies` again, a little blurred."""
    random, n_bars = np.random.default_rng(seed), 24 * n_days
    opened = START_MS + BAR_MS * np.tile(np.arange(n_bars), 2)
    symbol = np.repeat(["ADA/USD", "BTC/USD"], n_bars)
    signal, noise = random.normal(size=(2, 2 * n_bars))
    slow = np.concatenate([np.cumsum(random.normal(size=n_bars)) / 10 for _ in range(2)])
    y = (random.random(2 * n_bars) < 1 / (1 + np.exp(-2 * signal))).astype(float)
    y[random.permutation(len(y))[:40]] = np.nan
    x = np.column_stack([noise, signal, (opened // BAR_MS) % 24, slow])
    blurred = [x[:, column] + random.normal(0, 0.05, len(x)) for column in copies]
    rows = pd.DataFrame({"symbol": symbol, "open_time_ms": opened, "segment": "decide"})
    return Sample(np.column_stack([x, *blurred]), y, np.arange(len(y))), rows


def plant(copies: tuple[int, ...] = ()) -> Planted:
    train, _ = draw(1, copies=copies)
    return Planted(train.take(~np.isnan(train.y)), *draw(2, copies=copies))


@pytest.fixture(scope="module")
def planted() -> Planted:
    return plant()


def fit(name: str, sample: Sample) -> Averaged:
    return Averaged((LEARNERS[name].fit(sample, None, QUICK[name], 1, 1),))


def by_name(found: PermutationImportance) -> dict[str, Permuted]:
    return {one.name: one for one in found.features}


def value(number: float | None) -> float:
    assert number is not None
    return number


@pytest.mark.parametrize("name", with_skips(sorted(LEARNERS)))
def test_the_feature_that_carries_the_label_comes_first_and_noise_is_worth_nothing(name: str, planted: Planted) -> None:
    found = judge_member(fit(name, planted.train), SELECTION, planted.later, 5)
    first, ranked = found.features[0], by_name(found)
    assert first.name == "signal"
    assert value(first.rise) > 10 * value(first.error) > 0
    for noise in ("noise", "slow_noise"):
        assert abs(value(ranked[noise].rise)) < max(3 * value(ranked[noise].error), 1e-4)
    assert (found.n_days, found.n_rows) == (N_DAYS, int((~np.isnan(planted.sample.y)).sum()))


def test_what_depends_on_the_hour_alone_is_not_moved_and_says_so(planted: Planted) -> None:
    found = judge_member(fit("lightgbm", planted.train), SELECTION, planted.later, 5)
    assert (by_name(found)["hour"].rise, by_name(found)["hour"].error) == (None, None)
    assert found.features[-1].name == "hour"


def test_twins_stand_in_for_each_other(planted: Planted) -> None:
    """Each of two near copies is worth far less than the one alone was, though together they carry everything."""
    doubled = plant(copies=(1,))
    alone = judge_member(fit("random_forest", planted.train), SELECTION, planted.later, 5)
    both = judge_member(fit("random_forest", doubled.train), every_feature(*NAMES, "twin"), doubled.later, 5)
    whole = value(by_name(alone)["signal"].rise)
    for name in ("signal", "twin"):
        assert 0 < value(by_name(both)[name].rise) < 0.6 * whole


def test_the_same_seed_gives_the_same_figures_and_another_one_close_ones(planted: Planted) -> None:
    model, later = fit("lightgbm", planted.train), planted.later
    found, again, other = (judge_member(model, SELECTION, later, seed) for seed in (5, 5, 6))
    assert found == again
    one, two = by_name(found)["signal"], by_name(other)["signal"]
    assert one.rise != two.rise
    assert abs(value(one.rise) - value(two.rise)) < 5 * value(one.error)


def test_another_feature_beside_it_does_not_change_a_feature_s_figures(planted: Planted) -> None:
    """The days drawn are the same for every feature, and each is put back before the next one."""
    model = fit("lightgbm", planted.train)
    turned = Transform(4, NAMES, NAMES, None, (Affine(np.zeros(4), np.ones(4)),))
    plain, again = (judge_member(model, selection, planted.later, 5) for selection in (SELECTION, turned))
    assert plain == again
    kept = planted.sample.x.copy()
    judge_member(model, SELECTION, planted.later, 5)
    np.testing.assert_array_equal(planted.sample.x, kept)


def test_features_are_permuted_before_the_selection_makes_columns_of_them(planted: Planted) -> None:
    """A model that sees the signal through a component only: the feature behind it is what is permuted."""
    loadings = np.array([[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    selection = Transform(4, NAMES, ("one", "two"), None, (Affine(np.zeros(4), np.ones(4), loadings),))
    seen = Sample(selection.apply(planted.train.x), planted.train.y, planted.train.rows)
    found = judge_member(fit("lightgbm", seen), selection, planted.later, 5)
    assert found.features[0].name == "signal"
    assert value(by_name(found)["slow_noise"].rise) == 0, "no component leans on it"


def test_only_the_features_of_the_largest_gain_are_permuted(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permutation, "N_FEATURES", 1)
    found = judge_member(fit("lightgbm", planted.train), SELECTION, planted.later, 5)
    assert [one.name for one in found.features] == ["signal"]


def test_the_rows_judged_are_so_many_labelled_ones_spread_evenly(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permutation, "N_ROWS", 500)
    later = planted.later
    assert len(later.judged) == 500
    assert not np.isnan(later.y[later.judged]).any()
    assert np.ptp(np.diff(later.judged)) <= 4
    assert (later.judged[0], later.judged[-1]) == tuple(np.flatnonzero(~np.isnan(later.y))[[0, -1]])


def test_a_donor_is_the_same_symbol_at_the_same_hour_of_another_day_the_same_for_all_symbols(planted: Planted) -> None:
    later = planted.later
    donors = find_donors(later, 3)
    assert (donors >= 0).all()
    np.testing.assert_array_equal(later.symbol[donors], later.symbol[later.judged])
    hours = later.open_time_ms // BAR_MS % 24
    np.testing.assert_array_equal(hours[donors], hours[later.judged])
    gives = set(zip(later.day[later.judged].tolist(), later.day[donors].tolist(), strict=True))
    assert len(gives) == N_DAYS, "one other day for each day"
    assert {one for one, _ in gives} == {other for _, other in gives}
    assert all(one != other for one, other in gives)


def test_a_bar_that_its_symbol_does_not_have_gives_nothing(planted: Planted) -> None:
    later = planted.later
    lost = (later.symbol == 1) & (later.day == later.day.min() + 7) & (later.open_time_ms // BAR_MS % 24 == 5)
    sample, rows = planted.sample.take(~lost), planted.rows[~lost]
    fewer = take_later(sample, rows)
    assert (find_donors(fewer, 3) < 0).sum() <= 1
    found = judge_member(fit("lightgbm", planted.train), SELECTION, fewer, 5)
    assert by_name(found)["hour"].rise is None, "no other hour stands in for it"


def test_a_single_day_has_no_other(planted: Planted) -> None:
    sample, rows = draw(3, n_days=1)
    found = judge_member(fit("lightgbm", planted.train), SELECTION, take_later(sample, rows), 5)
    assert {one.rise for one in found.features} == {None}


def test_the_error_is_that_of_days_and_not_of_rows() -> None:
    day = np.repeat(np.arange(20), 30)
    effect = np.random.default_rng(1).normal(size=20)
    mean, error = mean_over_days(np.repeat(effect, 30), day)
    assert mean == pytest.approx(effect.mean())
    assert error == pytest.approx(effect.std(ddof=1) / np.sqrt(20))
    assert mean_over_days(np.array([1.0, np.nan, 3.0]), np.array([1, 1, 1])) == (2.0, None)
    assert mean_over_days(np.array([np.nan]), np.array([1])) == (None, None)


@pytest.mark.parametrize("n_cores", [1, 2])
def test_cores_do_not_change_the_figures(
    planted: Planted, train_params: TrainParams, monkeypatch: pytest.MonkeyPatch, n_cores: int
) -> None:
    monkeypatch.setattr(side_by_side, "n_cores", lambda: n_cores)
    names = ("lightgbm", "xgboost", "mlp", "logistic")
    models = {name: fit(name, planted.train) for name in names}
    trained = {name: Trained(model, [1], [{}], np.empty(0)) for name, model in models.items()}
    tasks = {name: Task(name, "direction", train_params, QUICK[name], 0, 5, 1) for name in names}
    found = judge_members(tasks, trained, planted.sample, planted.rows, SELECTION, FitLedger())
    assert found == {name: judge_member(models[name], SELECTION, planted.later, 5) for name in names}
