"""What no learner can train on is refused with the head, the learner and the fold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts.errors import EXIT_ENVIRONMENT, EnvironmentFaultError, InputError
from candlelock.train.checks import choose_device, refuse_features, refuse_rows
from candlelock.train.learner import LEARNERS, Sample
from candlelock.train.members import Task, train_member

if TYPE_CHECKING:
    import pandas as pd

    from candlelock.contracts.train_params import TrainParams
    from candlelock.select.transform import Transforms
    from candlelock.train.learner import Array

EMBARGO_MS = 6 * 3_600_000


def draw(n_rows: int = 50, n_features: int = 4) -> Sample:
    random = np.random.default_rng(1)
    names = tuple("abcdefghijkl"[:n_features])
    x, y = random.normal(size=(n_rows, n_features)), np.arange(n_rows) % 2.0
    return Sample(x, y, np.arange(n_rows), names=names)


def codes(check: object, sample: Sample) -> list[str]:
    with pytest.raises(InputError) as caught:
        check(sample, "head up, mlp, fold 2")  # type: ignore[operator]
    assert all(problem.place == "head up, mlp, fold 2" for problem in caught.value.problems)
    return [problem.code for problem in caught.value.problems]


def test_sound_rows_and_features_pass() -> None:
    refuse_rows(replace(draw(), weights=np.ones(50)), "")
    refuse_features(draw(), "")


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_rows_of_one_class_are_refused(label: float) -> None:
    assert codes(refuse_rows, replace(draw(), y=np.full(50, label))) == ["train-one-class"]


def draw_values(*labels: float) -> Sample:
    """Values that differ, but for the first ones."""
    y = np.random.default_rng(2).normal(size=50)
    y[: len(labels)] = labels
    return replace(draw(), y=y, is_value=True)


def test_values_pass_that_would_be_no_classes() -> None:
    refuse_rows(draw_values(), "")
    refuse_rows(replace(draw(), y=np.arange(50) % 2 + 7.0, is_value=True), "")
    assert codes(refuse_rows, replace(draw_values(), is_value=False)) == ["train-one-class"]


@pytest.mark.parametrize("value", [0.0, 0.1, -3e9])
def test_rows_of_one_value_are_refused(value: float) -> None:
    assert codes(refuse_rows, draw_values(*[value] * 50)) == ["train-one-value"]
    refuse_rows(draw_values(*[value] * 49), "")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_labels_that_are_no_finite_value_are_refused(value: float) -> None:
    assert codes(refuse_rows, draw_values(1.0, value)) == ["train-label"]
    assert codes(refuse_rows, replace(draw_values(*[value] * 50), weights=np.zeros(50))) == [
        "train-label",
        "train-weights",
    ]


def test_more_features_than_rows_are_refused() -> None:
    assert codes(refuse_rows, draw(10, 12)) == ["train-wide"]
    refuse_rows(draw(12, 12), "")


@pytest.mark.parametrize("weights", [np.zeros(50), np.full(50, np.nan), np.append(np.ones(49), -1.0)])
def test_weights_that_weigh_nothing_are_refused(weights: Array) -> None:
    assert codes(refuse_rows, replace(draw(), weights=weights)) == ["train-weights"]


def test_a_feature_without_a_value_and_a_twin_are_refused_by_name() -> None:
    x = draw().x.copy()
    x[:, 1], x[:, 3] = np.nan, x[:, 0]
    x[4, [0, 3]] = np.nan
    with pytest.raises(InputError) as caught:
        refuse_features(replace(draw(), x=x), "")
    found = [(problem.code, problem.found) for problem in caught.value.problems]
    assert found == [("train-null-feature", "no value of b"), ("train-twin-feature", "d has the values of a")]


def test_a_feature_that_differs_in_one_value_is_no_twin() -> None:
    x = np.repeat(draw(500, 1).x, 2, axis=1)
    x[3, 1] += 1e-9
    refuse_features(replace(draw(500, 2), x=x), "")


@pytest.mark.parametrize(("y_before", "where"), [(0, "fold 1, before its stopping tail"), (None, "fold 1")])
def test_a_fold_of_one_class_is_named(
    rows: pd.DataFrame,
    numbered: Array,
    train_params: TrainParams,
    selections: Transforms,
    y_before: int | None,
    where: str,
) -> None:
    first = (rows["fold"] == 0).to_numpy(dtype=bool, na_value=False)
    rows = rows.assign(is_up=rows["is_up"].where(~first, 0.0))
    name = "logistic" if y_before is None else "lightgbm"
    task = Task(name, "direction", train_params, getattr(train_params, name), EMBARGO_MS, 3, 1)
    sample = Sample(numbered, rows["is_up"].to_numpy(), rows.index.to_numpy())
    with pytest.raises(InputError) as caught:
        train_member(task, sample, rows, selections, FitLedger())
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("train-one-class", f"head direction, {name}, {where}")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_gpu_is_taken_only_when_asked_for_and_there(monkeypatch: pytest.MonkeyPatch, is_there: bool) -> None:
    monkeypatch.setitem(LEARNERS, "mlp", replace(LEARNERS["mlp"], has_cuda=lambda: is_there))
    assert choose_device("cpu", "mlp", "") == "cpu"
    assert choose_device("auto", "mlp", "") == ("cuda" if is_there else "cpu")
    assert choose_device("cuda", "lightgbm", "") == "cpu"
    if is_there:
        assert choose_device("cuda", "mlp", "") == "cuda"
        return
    with pytest.raises(EnvironmentFaultError) as caught:
        choose_device("cuda", "mlp", "head direction, mlp, fold 1")
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("train-device", "head direction, mlp, fold 1")
    assert caught.value.exit_code == EXIT_ENVIRONMENT
