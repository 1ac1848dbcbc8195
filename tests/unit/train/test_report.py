"""What training says of itself: predictions, rows seen, shares of importance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.audit.fit_values import check_fit_values
from candlelock.contracts.documents import utc_text
from candlelock.contracts.tables import member_predictions
from candlelock.contracts.training_documents import PermutationImportance
from candlelock.leakage.fit_scope import check_fits, read_hand_overs
from candlelock.select.transform import Affine, Transform, Transforms
from candlelock.split.segments import before_test
from candlelock.train.averaging import Averaged
from candlelock.train.learner import Sample
from candlelock.train.members import Task, Trained, log_loss, train_member
from candlelock.train.report import describe_member, describe_training, importance_table, predict_rows
from tests.unit.train.conftest import SpyModel, columns, every_feature

if TYPE_CHECKING:
    import pandas as pd

    from candlelock.contracts.train_params import TrainParams
    from candlelock.train.learner import Array
    from tests.unit.train.conftest import Spy

EMBARGO_MS = 6 * 3_600_000
BOTH = every_feature("b", "a")
NOTHING = PermutationImportance(segments=[], n_rows=0, n_days=0, n_repeats=0, loss=0.7, features=[])


@pytest.fixture
def task(train_params: TrainParams) -> Task:
    return Task("lightgbm", "direction", train_params, train_params.lightgbm, EMBARGO_MS, seed=3, threads=2)


@pytest.fixture
def trained(rows: pd.DataFrame, numbered: Array, task: Task, spy: Spy, selections: Transforms) -> Trained:
    sample = Sample(numbered, rows["is_up"].to_numpy(), rows.index.to_numpy())
    return train_member(task, sample, rows, selections, FitLedger())


def test_predictions_are_out_of_fold_in_train_and_the_final_model_s_after_it(
    rows: pd.DataFrame, numbered: Array, trained: Trained, spy: Spy
) -> None:
    names = ("lightgbm", "xgboost", "mlp", "logistic")
    table = predict_rows(rows, numbered, every_feature("b", "a"), dict.fromkeys(names, trained), FitLedger())
    assert not member_predictions(names).problems(table, "members")
    is_validated = ((rows["fold"] >= 1).fillna(False) & rows["is_up"].notna()).to_numpy(bool)
    is_later = rows["segment"].isin(["calibrate", "decide", "test"]).to_numpy()
    expected = np.flatnonzero(is_validated | is_later)
    np.testing.assert_array_equal(table["p_up_lightgbm"].to_numpy(), (expected + 1) / 10_000)
    assert table["segment"].to_pylist() == rows["segment"].iloc[expected].tolist()
    assert spy.calls[-1].predicted[-1] == np.flatnonzero(is_later).tolist()
    assert rows["is_up"].iloc[expected].isna().any(), "unlabelled later rows are predicted too"


def test_a_refit_sees_every_label_before_test_and_answers_test_alone(
    rows: pd.DataFrame, numbered: Array, task: Task, spy: Spy, selections: Transforms
) -> None:
    again = replace(task, params=task.params.model_copy(update={"refit": True}))
    sample, fits = Sample(numbered, rows["is_up"].to_numpy(), rows.index.to_numpy()), FitLedger()
    member = train_member(again, sample, rows, selections, fits)
    before = (rows["segment"].isin(["train", "calibrate", "decide"]) & rows["is_up"].notna()).to_numpy()
    names = ("lightgbm", "xgboost", "mlp", "logistic")
    predict_rows(rows, numbered, every_feature("b", "a"), dict.fromkeys(names, member), fits)
    final, refit = spy.calls[-2:]
    is_test = (rows["segment"] == "test").to_numpy()
    is_between = rows["segment"].isin(["calibrate", "decide"]).to_numpy()
    assert sorted(refit.sample) == np.flatnonzero(before).tolist()
    assert final.predicted[-1] == np.flatnonzero(is_between).tolist()
    assert refit.predicted[-1] == np.flatnonzero(is_test).tolist()
    noted = read_hand_overs(fits.table())
    assert noted["lightgbm/refit", "fit"].rows.tolist() == np.flatnonzero(before).tolist()
    assert noted["lightgbm/refit", "predict"].rows.tolist() == np.flatnonzero(is_test).tolist()
    assert noted["lightgbm/final", "predict"].rows.tolist() == np.flatnonzero(is_between).tolist()
    told = describe_member(again, member, rows, BOTH, NOTHING)
    assert told.refit is not None and (told.refit.n_rows, told.n_rows) == (before.sum(), len(final.sample))
    assert told.files == ["lightgbm.txt", "lightgbm.before_refit.txt"]
    assert told.refit.last_label_end_utc == utc_text(rows["label_end_ms"][before].max())


@pytest.mark.parametrize("most", [1000, 3])
def test_a_refit_has_rounds_for_its_rows_but_no_more_than_the_most(
    rows: pd.DataFrame, task: Task, selections: Transforms, most: int
) -> None:
    settings = task.settings.model_copy(update={"max_rounds": most})
    again = replace(task, settings=settings, params=task.params.model_copy(update={"refit": True}))
    x = np.random.default_rng(0).normal(size=(len(rows), 2))
    member = train_member(
        again, Sample(x, rows["is_up"].to_numpy(), rows.index.to_numpy()), rows, selections, FitLedger()
    )
    n_before, n_train = before_test(rows).sum(), (before_test(rows) & (rows["segment"] == "train")).sum()
    assert member.refit is not None
    assert member.refit.n_rounds == min(round(member.model.n_rounds * n_before / n_train), most)


def test_a_member_names_the_rows_it_saw_and_its_loss_on_rows_it_did_not(
    rows: pd.DataFrame, task: Task, trained: Trained
) -> None:
    member = describe_member(task, trained, rows, BOTH, NOTHING)
    seen = rows[(rows["segment"] == "train") & rows["is_up"].notna()]
    out = ~np.isnan(trained.out_of_fold)
    assert (member.role, member.files, member.n_rounds, member.n_rows) == (
        "member",
        ["lightgbm.txt"],
        trained.model.n_rounds,
        len(seen),
    )
    assert member.first_decision_utc == utc_text(seen["decision_time_ms"].min())
    assert member.last_label_end_utc == utc_text(seen["label_end_ms"].max())
    assert member.out_of_fold_loss == log_loss(rows["is_up"].to_numpy()[out], trained.out_of_fold[out])
    assert member.hyperparameters["num_leaves"] == 5
    assert [(entry.name, entry.gain) for entry in member.importance] == [("b", 0.75), ("a", 0.25)]


def test_later_rows_are_shown_through_the_final_selection(
    rows: pd.DataFrame, numbered: Array, trained: Trained, spy: Spy
) -> None:
    later = rows["segment"].isin(["calibrate", "decide", "test"]).to_numpy()
    names = ("lightgbm", "xgboost", "mlp", "logistic")
    predict_rows(rows, numbered[:, ::-1], columns(1, 0), dict.fromkeys(names, trained), FitLedger())
    assert spy.calls[-1].predicted[-1] == np.flatnonzero(later).tolist()


def test_gains_of_components_go_back_to_the_features_behind_them(
    rows: pd.DataFrame, task: Task, trained: Trained
) -> None:
    """The spy's gains are 3 and 1."""
    turned = Affine(np.zeros(3), np.ones(3), np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]))
    selection = Transform(4, ("c", "b", "a"), ("component_1", "component_2"), np.array([0, 2, 3]), (turned,))
    found = describe_member(task, trained, rows, selection, NOTHING).importance
    assert [(entry.name, round(entry.gain, 12)) for entry in found] == [("b", 0.48), ("c", 0.27), ("a", 0.25)]


def test_a_model_that_leans_on_nothing_has_no_shares(rows: pd.DataFrame, task: Task, trained: Trained) -> None:
    class Idle(SpyModel):
        def gains(self) -> Array:
            return np.zeros(2)

    idle = replace(trained, model=Averaged((Idle([], 1),)))
    assert [(entry.name, entry.gain) for entry in describe_member(task, idle, rows, BOTH, NOTHING).importance] == [
        ("a", 0.0),
        ("b", 0.0),
    ]


def test_gains_stand_beside_those_of_the_folds(
    rows: pd.DataFrame, numbered: Array, task: Task, spy: Spy, selections: Transforms
) -> None:
    """The spy's gains are 3 and 1; the second fold sees the features the other way round, the third only a."""
    sample = Sample(numbered, rows["is_up"].to_numpy(), rows.index.to_numpy())
    trained = train_member(task, sample, rows, selections, FitLedger())
    assert trained.fold_shares == [{"b": 0.75, "a": 0.25}] * 3
    found = describe_member(
        task,
        replace(trained, fold_shares=[{"b": 0.75, "a": 0.25}, {"a": 0.75, "b": 0.25}, {"a": 1.0}]),
        rows,
        BOTH,
        NOTHING,
    )
    first, second = found.importance
    assert (first.name, first.gain, first.fold_low, first.fold_high) == ("b", 0.75, 0.0, 0.75)
    assert (second.name, second.gain, second.fold_low, second.fold_high) == ("a", 0.25, 0.25, 1.0)
    assert (first.fold_mean, second.fold_mean) == pytest.approx((1 / 3, 2 / 3))
    assert describe_member(task, trained, rows, BOTH, NOTHING).stability.rank_correlation == pytest.approx(1)


def test_the_training_report_counts_labels_and_lists_importance(
    rows: pd.DataFrame, numbered: Array, task: Task, trained: Trained
) -> None:
    other = replace(task, name="logistic", settings=task.params.logistic)
    sample, ledger = Sample(numbered, rows["is_up"].to_numpy(), rows.index.to_numpy()), FitLedger()
    report = describe_training(
        {"lightgbm": task, "logistic": other}, {"lightgbm": trained, "logistic": trained}, sample, rows, BOTH, ledger
    )
    baseline = report.members["logistic"]
    labels = rows["is_up"][(rows["segment"] == "train") & rows["is_up"].notna()]
    assert (report.n_up, report.n_down) == ((labels == 1).sum(), (labels == 0).sum())
    assert report.n_rows == report.n_up + report.n_down == baseline.n_rows
    assert (baseline.role, baseline.hyperparameters) == ("baseline", {"c": 0.1})
    table = importance_table(report)
    assert table[["member", "feature", "share", "fold_low", "fold_high"]].to_numpy().tolist() == [
        ["lightgbm", "b", 0.75, 0.75, 0.75],
        ["lightgbm", "a", 0.25, 0.25, 0.25],
        ["logistic", "b", 0.75, 0.75, 0.75],
        ["logistic", "a", 0.25, 0.25, 0.25],
    ]
    (rise,) = {one.rise for one in report.members["lightgbm"].permutation.features if one.name == "b"}
    assert table["loss_rise"].tolist()[0] == rise
    assert np.isnan(table["loss_rise"][1]), "feature a is a constant: permuting it leaves it as it is"


def test_permuted_rows_are_those_of_calibrate_and_decide_alone(
    rows: pd.DataFrame, numbered: Array, task: Task, trained: Trained, spy: Spy
) -> None:
    sample, ledger = Sample(numbered, rows["is_up"].to_numpy(), rows.index.to_numpy()), FitLedger()
    before = len(spy.calls[-1].predicted)
    report = describe_training({"lightgbm": task}, {"lightgbm": trained}, sample, rows, BOTH, ledger)
    allowed = set(np.flatnonzero(rows["segment"].isin(["calibrate", "decide"])).tolist())
    asked = spy.calls[-1].predicted[before:]
    assert {row for rows_asked in asked for row in rows_asked} <= allowed
    assert report.members["lightgbm"].permutation.segments == ["calibrate", "decide"]
    ((fit, use), noted) = next(iter(read_hand_overs(ledger.table()).items()))
    assert (fit, use, set(noted.rows.tolist())) == ("lightgbm/importance", "judge", allowed)
    assert noted.values_sha256


def test_what_the_ledger_notes_of_permuted_rows_is_what_the_audit_finds_there(
    rows: pd.DataFrame, numbered: Array, task: Task, trained: Trained
) -> None:
    sample, ledger, final = Sample(numbered, rows["is_up"].to_numpy(), rows.index.to_numpy()), FitLedger(), columns(0)
    one = replace(trained, model=Averaged((SpyModel([], 1, 1),)))
    describe_training({"lightgbm": task}, {"lightgbm": one}, sample, rows, final, ledger)
    found = check_fit_values(Transforms((final,) * 3, final), rows, numbered, {"train": ledger.table()})
    assert found.passed
    assert found.n_compared > 0
    scope = check_fits(rows, {"train": ledger.table()}, ["train/lightgbm/importance"], EMBARGO_MS)
    assert scope.findings == []
