"""Labels between down and up on their way into fits, the ledger of them, the audit and a search; the labels judge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.audit.fit_values import check_fit_values
from candlelock.contracts.errors import InputError
from candlelock.leakage.fit_scope import read_hand_overs
from candlelock.split.rows import shares
from candlelock.train.checks import refuse_rows
from candlelock.train.learner import LEARNERS
from candlelock.train.members import Task, log_loss, sample_of, train_member
from candlelock.train.permutation import take_later
from candlelock.train.report import describe_member
from tests.unit.train.search_runs import make_rows, make_task, run_search
from tests.unit.train.test_paths import SAMPLE, TURNED, cut, walk
from tests.unit.train.test_report import BOTH, NOTHING
from tests.unit.train.test_study_file import interrupt

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from candlelock.contracts.train_params import TrainParams
    from candlelock.select.transform import Transforms
    from candlelock.train.learner import Array, Sample
    from candlelock.train.members import Trained
    from candlelock.train.search import SearchRows

EMBARGO_MS = 6 * 3_600_000


@pytest.fixture
def along(rows: pd.DataFrame) -> pd.DataFrame:
    """Split rows of a head that learns the path: quarters, null where the label is."""
    quarters = np.random.default_rng(2).integers(0, 5, len(rows)) / 4
    return rows.assign(share_above=np.where(rows["is_up"].isna(), np.nan, quarters))


@pytest.fixture
def features(rows: pd.DataFrame) -> Array:
    return np.random.default_rng(3).normal(size=(len(rows), 2))


@pytest.fixture
def task(train_params: TrainParams) -> Task:
    again = train_params.model_copy(update={"refit": True})
    return Task("lightgbm", "direction", again, again.lightgbm, EMBARGO_MS, seed=3, threads=1)


def train(
    task: Task, rows: pd.DataFrame, x: Array, selections: Transforms, monkeypatch: pytest.MonkeyPatch
) -> tuple[Trained, list[Sample], FitLedger]:
    """The member, every sample that its learner was given, and the ledger."""
    given: list[Sample] = []
    learner = LEARNERS[task.name]

    def fit(sample: Sample, stop: Sample | None, *rest: Any, **more: Any) -> Any:
        given.extend(each for each in (sample, stop) if each is not None)
        return learner.fit(sample, stop, *rest, **more)

    monkeypatch.setitem(LEARNERS, task.name, replace(learner, fit=fit))
    fits = FitLedger()
    return train_member(task, sample_of(rows, x), rows, selections, fits), given, fits


def test_a_split_without_shares_has_none(rows: pd.DataFrame, along: pd.DataFrame) -> None:
    assert shares(rows) is None
    assert shares(rows.assign(share_above=np.nan)) is None
    np.testing.assert_array_equal(shares(along), along["share_above"])


def test_every_fit_and_every_stop_gets_the_shares_of_its_rows(
    task: Task, along: pd.DataFrame, features: Array, selections: Transforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, given, _ = train(task, along, features, selections, monkeypatch)
    assert len(given) == 3 * 3 + 2 + 2  # three folds and the final model, each stopped and fitted; the refit
    for sample in given:
        np.testing.assert_array_equal(sample.target, along["share_above"].to_numpy()[sample.rows])
        np.testing.assert_array_equal(sample.y, along["is_up"].to_numpy()[sample.rows])


def test_the_labels_judge(
    task: Task, along: pd.DataFrame, features: Array, selections: Transforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, _, _ = train(task, along, features, selections, monkeypatch)
    known = ~np.isnan(trained.out_of_fold)
    loss = describe_member(task, trained, along, BOTH, NOTHING).out_of_fold_loss
    assert loss == log_loss(along["is_up"].to_numpy()[known], trained.out_of_fold[known])


def test_the_audit_knows_what_fits_were_told(
    task: Task, along: pd.DataFrame, features: Array, selections: Transforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, fits = train(task, along, features, selections, monkeypatch)
    ledgers = {"train": fits.table()}
    assert check_fit_values(selections, along, features, ledgers).passed
    others = along.assign(share_above=1 - along["share_above"])
    for told in (others, along.drop(columns="share_above"), along.assign(is_up=1 - along["is_up"])):
        assert not check_fit_values(selections, told, features, ledgers).passed


def soft_search_rows() -> SearchRows:
    """Folds that teach the opposite of what judges them."""
    rows = make_rows()

    def turned(sample: Sample) -> Sample:
        return replace(sample, soft=1.0 - sample.y)

    folds = [replace(fold, trains=turned(fold.trains), validates=turned(fold.validates)) for fold in rows.folds]
    return replace(rows, folds=folds)


def test_a_search_is_judged_by_labels(tmp_path: Path) -> None:
    plain, _ = run_search(tmp_path / "plain", make_task())
    turned, _ = run_search(tmp_path / "turned", make_task(), rows=soft_search_rows())
    losses = [[trial.loss for trial in study.trials if trial.state == "complete"] for study in (plain, turned)]
    assert min(losses[1]) > max(losses[0])


def test_what_is_permuted_is_judged_by_labels(along: pd.DataFrame, features: Array) -> None:
    sample = sample_of(along, features)
    np.testing.assert_array_equal(take_later(sample, along).y, along["is_up"])


def test_the_ledger_tells_every_hand_over_of_a_search_from_one_with_other_shares(tmp_path: Path) -> None:
    found = []
    for number, rows in enumerate((make_rows(), soft_search_rows())):
        fits = FitLedger()
        run_search(tmp_path / str(number), make_task(), rows=rows, fits=fits)
        found.append({key: noted.values_sha256 for key, noted in read_hand_overs(fits.table()).items()})
    plain, turned = found
    assert plain.keys() == turned.keys()
    assert len(plain) == 9
    assert all(plain[key] != turned[key] for key in plain)


def test_the_ledger_tells_every_hand_over_along_paths_from_one_with_other_shares() -> None:
    found = []
    for sample in (SAMPLE, TURNED):
        fits = FitLedger()
        walk(cut(sample=sample), fits)
        found.append({key: noted.values_sha256 for key, noted in read_hand_overs(fits.table()).items()})
    assert len(found[0]) == 18
    assert all(found[0][key] != found[1][key] for key in found[0])


def test_shares_that_are_all_the_same_are_refused_by_name(along: pd.DataFrame, features: Array) -> None:
    same = sample_of(along.assign(share_above=0.5), features)
    with pytest.raises(InputError) as caught:
        refuse_rows(same.take(np.flatnonzero(~np.isnan(same.y))), "head direction, lightgbm, fold 2")
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("train-one-value", "head direction, lightgbm, fold 2")


def test_a_search_is_not_continued_with_other_shares(tmp_path: Path) -> None:
    interrupt(tmp_path, make_task(), 20)
    assert any("interrupted" in line for line in run_search(tmp_path, make_task())[1])
    interrupt(tmp_path, make_task(), 20)
    assert not any("interrupted" in line for line in run_search(tmp_path, make_task(), rows=soft_search_rows())[1])
