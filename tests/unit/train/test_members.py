"""What each model of a member is shown, and what it may answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.metrics import log_loss as log_loss_of_sklearn

from candlelock.artifacts import side_by_side
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts.errors import InputError
from candlelock.select.transform import Transforms
from candlelock.train import members
from candlelock.train.learner import Sample
from candlelock.train.members import (
    Task,
    fold_samples,
    folds_of,
    settings_of,
    stopping_tail,
    train_member,
    train_members,
)
from tests.unit.train.conftest import columns, every_feature

if TYPE_CHECKING:
    import pandas as pd

    from candlelock.contracts.train_params import TrainParams
    from candlelock.train.learner import Array
    from candlelock.train.members import Mask
    from tests.unit.train.conftest import Spy

BAR_MS = 3_600_000
EMBARGO_MS = 6 * BAR_MS
THREE = Transforms((every_feature("c", "b", "a"),) * 3, every_feature("c", "b", "a"))


@pytest.fixture
def task(train_params: TrainParams) -> Task:
    return Task("lightgbm", "direction", train_params, train_params.lightgbm, EMBARGO_MS, seed=3, threads=2)


@pytest.fixture
def sample(rows: pd.DataFrame, numbered: Array) -> Sample:
    return Sample(numbered, rows["is_up"].to_numpy(), rows.index.to_numpy())


def test_members_trained_side_by_side_are_what_each_is_alone(
    task: Task, rows: pd.DataFrame, sample: Sample, selections: Transforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_by_side, "n_cores", lambda: 4)
    params = task.params
    names = ("mlp", "logistic", "lightgbm", "xgboost")
    tasks = {name: replace(task, name=name, settings=settings_of(name, params, {})) for name in names}
    together, alone = FitLedger(), FitLedger()
    trained = train_members(tasks, sample, rows, selections, together)
    assert tuple(trained) == names
    for name, each in tasks.items():
        one = train_member(each, sample, rows, selections, alone)
        assert [model.to_bytes() for model in trained[name].model.models] == [m.to_bytes() for m in one.model.models]
        np.testing.assert_array_equal(trained[name].out_of_fold, one.out_of_fold)
    assert together.table().equals(alone.table())


def is_labelled_train(rows: pd.DataFrame) -> Mask:
    return np.asarray((rows["segment"] == "train") & rows["is_up"].notna())


@pytest.mark.parametrize("frac", [0.05, 0.2, 0.5])
def test_the_stopping_tail_is_the_latest_share_and_purged_from_the_rest(rows: pd.DataFrame, frac: float) -> None:
    trains = is_labelled_train(rows)
    head, tail = stopping_tail(rows, trains, frac, EMBARGO_MS)
    first_decision = rows["decision_time_ms"][tail].min()
    assert not (head & tail).any()
    assert not ((head | tail) & ~trains).any()
    assert rows["label_end_ms"][head].max() + EMBARGO_MS < first_decision
    assert tail.sum() == pytest.approx(frac * trains.sum(), abs=4)
    dropped = trains & ~head & ~tail
    assert (rows["label_end_ms"][dropped] + EMBARGO_MS >= first_decision).all()
    assert (rows["open_time_ms"][dropped] < rows["open_time_ms"][tail].min()).all()


def test_a_tail_that_leaves_nothing_before_it_is_refused(rows: pd.DataFrame) -> None:
    with pytest.raises(InputError) as caught:
        stopping_tail(rows, is_labelled_train(rows), 0.5, 1000 * BAR_MS)
    assert caught.value.problems[0].code == "train-too-short"


def test_each_fold_s_models_saw_only_labels_known_before_the_rows_they_predict(
    rows: pd.DataFrame, sample: Sample, task: Task, spy: Spy, selections: Transforms
) -> None:
    train_member(task, sample, rows, selections, FitLedger())
    fold_calls, folds = spy.calls[:-2], folds_of(rows, EMBARGO_MS)
    assert len(fold_calls) == 2 * len(folds)
    for fold, search, final in zip(folds, fold_calls[::2], fold_calls[1::2], strict=True):
        assert [sorted(numbers) for numbers in final.predicted] == [np.flatnonzero(fold.validates).tolist()]
        assert not search.predicted
        assert search.stop is not None
        shown = rows.iloc[search.sample + search.stop + final.sample]
        assert shown["is_up"].notna().all()
        assert shown["label_end_ms"].max() + EMBARGO_MS < rows["decision_time_ms"][fold.validates].min()


def final_rounds(rows: pd.DataFrame) -> int:
    """Mean of the 7 that each tail finds, scaled by the rows behind it."""
    n_rows = is_labelled_train(rows).sum()
    return round(np.mean([7.0, *(7 * n_rows / fold.trains.sum() for fold in folds_of(rows, EMBARGO_MS))]))


def test_a_member_finds_its_rounds_on_the_tail_and_trains_again_on_every_row(
    rows: pd.DataFrame, sample: Sample, task: Task, spy: Spy, selections: Transforms
) -> None:
    train_member(task, sample, rows, selections, FitLedger())
    assert [final.rounds for final in spy.calls[1::2]] == [7, 7, 7, final_rounds(rows)]
    for search, final in zip(spy.calls[::2], spy.calls[1::2], strict=True):
        assert search.rounds == 30
        assert final.stop is None
        assert search.stop is not None
        assert set(search.sample) | set(search.stop) < set(final.sample)
        assert max(rows["label_end_ms"].iloc[search.sample]) < min(rows["decision_time_ms"].iloc[search.stop])
    assert sorted(spy.calls[-1].sample) == np.flatnonzero(is_labelled_train(rows)).tolist()
    assert {(call.seed, call.threads) for call in spy.calls} == {(3, 2)}


def test_rows_are_shown_in_the_order_of_time(
    rows: pd.DataFrame, sample: Sample, task: Task, spy: Spy, selections: Transforms
) -> None:
    train_member(task, sample, rows, selections, FitLedger())
    for call in spy.calls:
        for numbers in (call.sample, call.stop or []):
            order = list(zip(rows["open_time_ms"].iloc[numbers], rows["symbol"].iloc[numbers], strict=True))
            assert order == sorted(order)


def test_out_of_fold_answers_lie_in_their_own_row_and_nowhere_else(
    rows: pd.DataFrame, sample: Sample, task: Task, spy: Spy, selections: Transforms
) -> None:
    trained = train_member(task, sample, rows, selections, FitLedger())
    validated = np.any([fold.validates for fold in folds_of(rows, EMBARGO_MS)], axis=0)
    np.testing.assert_array_equal(np.isnan(trained.out_of_fold), ~validated)
    np.testing.assert_array_equal(trained.out_of_fold[validated], (np.flatnonzero(validated) + 1) / 10_000)
    assert (rows["fold"][validated] >= 1).all()
    assert (trained.fold_rounds, trained.model.n_rounds) == ([7, 7, 7], final_rounds(rows))


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "mlp"])
def test_a_members_answers_do_not_depend_on_how_the_symbols_are_named(
    rows: pd.DataFrame, train_params: TrainParams, name: str
) -> None:
    random = np.random.default_rng(0)
    sample = Sample(random.normal(size=(len(rows), 3)), rows["is_up"].to_numpy(), rows.index.to_numpy())
    late_first = np.argsort(np.where(rows["symbol"] == "BTC/USD", 0, 1), kind="stable")
    swapped = rows.iloc[late_first].reset_index(drop=True)
    task = Task(name, "direction", train_params, getattr(train_params, name), EMBARGO_MS, seed=3, threads=1)
    trained = train_member(task, sample, rows, THREE, FitLedger())
    again = train_member(task, sample.take(late_first), swapped, THREE, FitLedger())
    assert [each.to_bytes() for each in again.model.models] == [each.to_bytes() for each in trained.model.models]
    np.testing.assert_array_equal(again.out_of_fold, trained.out_of_fold[late_first])


def test_a_fold_s_models_see_the_fold_s_selection_and_the_final_one_its_own(
    rows: pd.DataFrame, numbered: Array, task: Task, spy: Spy
) -> None:
    """What the spy is shown of a row is its number in the first column it sees: the second is ten thousand more."""
    both = np.column_stack([numbered[:, 0], numbered[:, 0] + 10_000])
    sample = Sample(both, rows["is_up"].to_numpy(), rows.index.to_numpy())
    trained = train_member(
        task, sample, rows, Transforms((columns(0), columns(1), columns(1, 0)), columns(0)), FitLedger()
    )
    offsets = [{number // 10_000 for number in call.sample + (call.stop or [])} for call in spy.calls]
    assert offsets == [{0}, {0}, {1}, {1}, {1}, {1}, {0}, {0}]
    shown = [{number // 10_000 for numbers in call.predicted for number in numbers} for call in spy.calls]
    assert shown == [set(), {0}, set(), {1}, set(), {1}, set(), set()]
    for fold, offset in zip(folds_of(rows, EMBARGO_MS), (0, 10_000, 10_000), strict=True):
        expected = (np.flatnonzero(fold.validates) + offset + 1) / 10_000
        np.testing.assert_array_equal(trained.out_of_fold[fold.validates], expected)


def test_the_search_is_shown_each_fold_through_its_own_selection(rows: pd.DataFrame, numbered: Array) -> None:
    sample, folds = Sample(numbered, rows["is_up"].to_numpy(), rows.index.to_numpy()), folds_of(rows, EMBARGO_MS)
    own = (columns(0), columns(1), columns(1, 0))
    for fold, selection, samples in zip(folds, own, fold_samples(sample, folds, own), strict=True):
        for mask, part in ((fold.trains, samples.trains), (fold.validates, samples.validates)):
            np.testing.assert_array_equal(part.x, numbered[mask][:, selection.take])
            np.testing.assert_array_equal(part.y, sample.y[mask])
            assert part.weights is None
    (first, *_) = fold_samples(sample, folds, own, lambda mask: np.flatnonzero(mask) + 1.0)
    np.testing.assert_array_equal(first.trains.weights, np.flatnonzero(folds[0].trains) + 1.0)
    np.testing.assert_array_equal(first.validates.weights, np.flatnonzero(folds[0].validates) + 1.0)


def test_a_learner_without_rounds_is_fitted_once_a_fold(rows: pd.DataFrame, train_params: TrainParams) -> None:
    sample = Sample(
        np.random.default_rng(0).normal(size=(len(rows), 3)), rows["is_up"].to_numpy(), rows.index.to_numpy()
    )
    task = Task("logistic", "direction", train_params, train_params.logistic, EMBARGO_MS, 3, 1)
    trained = train_member(task, sample, rows, THREE, FitLedger())
    assert trained.fold_rounds == [1, 1, 1]
    assert np.isfinite(trained.out_of_fold).any()


def test_found_settings_take_the_place_and_the_type_of_the_files_own(train_params: TrainParams) -> None:
    found = settings_of("lightgbm", train_params, {"min_data_in_leaf": 25.0, "lambda_l2": 3.0})
    assert found == train_params.lightgbm.model_copy(update={"min_data_in_leaf": 25, "lambda_l2": 3.0})
    assert type(found.min_data_in_leaf) is int
    assert settings_of("logistic", train_params, {}) == train_params.logistic


def test_log_loss_is_that_of_scikit_learn_with_certain_errors_bounded() -> None:
    random = np.random.default_rng(1)
    y, p = random.integers(0, 2, 500).astype(float), random.random(500)
    assert members.log_loss(y, p) == pytest.approx(log_loss_of_sklearn(y, p), rel=1e-12)
    weights = 2 * random.random(500)
    weights /= weights.mean()
    expected = log_loss_of_sklearn(y, p, sample_weight=weights)
    assert members.log_loss(y, p, weights) == pytest.approx(expected, rel=1e-12)
    assert members.log_loss(np.array([1.0]), np.array([0.0])) == pytest.approx(-np.log(1e-7))
