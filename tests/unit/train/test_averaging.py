"""Averaging over seeds: the mean of the probabilities, each model saved, the ledger as for one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.train.averaging import seeds_of
from candlelock.train.learner import LEARNERS, Sample
from candlelock.train.members import Task, train_member
from candlelock.train.model_files import load_models, save_models

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from candlelock.contracts.train_params import TrainParams
    from candlelock.select.transform import Transforms
    from candlelock.train.learner import Array
    from candlelock.train.members import Trained

EMBARGO_MS = 6 * 3_600_000


def train(
    name: str, n_seeds: int, rows: pd.DataFrame, params: TrainParams, selections: Transforms
) -> tuple[Trained, FitLedger]:
    own, fits = params.model_copy(update={"n_seeds": n_seeds}), FitLedger()
    task = Task(name, "direction", own, getattr(own, name), EMBARGO_MS, 3, 1)
    x = np.random.default_rng(0).normal(size=(len(rows), 2))
    sample = Sample(x, rows["is_up"].to_numpy(), rows.index.to_numpy())
    return train_member(task, sample, rows, selections, fits), fits


def test_a_member_answers_the_mean_of_its_seeds_and_notes_its_rows_once(
    rows: pd.DataFrame, train_params: TrainParams, selections: Transforms, tmp_path: Path
) -> None:
    (one, noted_of_one), (three, noted) = (train("lightgbm", n, rows, train_params, selections) for n in (1, 3))
    x = np.random.default_rng(9).normal(size=(50, 2))
    each = [model.predict(x) for model in three.model.models]
    assert len({p.tobytes() for p in each}) == 3
    np.testing.assert_allclose(three.model.predict(x), np.mean(each, axis=0), rtol=1e-15)
    np.testing.assert_array_equal(one.model.predict(x), each[0])
    np.testing.assert_array_equal(one.model.predict(x), one.model.models[0].predict(x))
    assert {model.n_rounds for model in three.model.models} == {one.model.n_rounds}
    assert noted.table().equals(noted_of_one.table())
    save_models(tmp_path, {"lightgbm": three})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "lightgbm.2.txt",
        "lightgbm.3.txt",
        "lightgbm.txt",
        "members.json",
    ]
    np.testing.assert_array_equal(load_models(tmp_path, ["lightgbm"])["lightgbm"].predict(x), three.model.predict(x))


def test_a_refitted_member_is_served_and_the_one_before_it_is_kept(
    rows: pd.DataFrame, train_params: TrainParams, selections: Transforms, tmp_path: Path
) -> None:
    params = train_params.model_copy(update={"refit": True})
    trained = {name: train(name, 2, rows, params, selections)[0] for name in ("lightgbm", "logistic")}
    save_models(tmp_path, trained)
    served, before = (load_models(tmp_path, list(trained), before_refit=each) for each in (False, True))
    x = np.random.default_rng(9).normal(size=(50, 2))
    for name, member in trained.items():
        assert member.refit is not None
        np.testing.assert_array_equal(served[name].predict(x), member.refit.predict(x))
        np.testing.assert_array_equal(before[name].predict(x), member.model.predict(x))
        assert (served[name].predict(x) != before[name].predict(x)).any()
    assert {path.name for path in tmp_path.iterdir()} >= {"lightgbm.2.before_refit.txt", "logistic.before_refit.json"}


def test_a_learner_without_chance_is_trained_once(
    rows: pd.DataFrame, train_params: TrainParams, selections: Transforms
) -> None:
    assert len(train("logistic", 3, rows, train_params, selections)[0].model.models) == 1


def test_the_first_seed_is_the_member_s_own() -> None:
    assert seeds_of(7, 1) == [7]
    assert seeds_of(7, 3)[:2] == seeds_of(7, 2)
    assert len(set(seeds_of(7, 50))) == 50


@pytest.mark.parametrize("name", ["lightgbm", "mlp", "logistic"])
def test_rows_are_weighed_in_every_fit(
    name: str,
    rows: pd.DataFrame,
    numbered: Array,
    train_params: TrainParams,
    selections: Transforms,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    original = LEARNERS[name]

    def fit(sample: Sample, stop: Sample | None, *more: object) -> object:
        seen.extend(part for part in (sample, stop) if part is not None)
        return original.fit(sample, stop, *more)

    monkeypatch.setitem(LEARNERS, name, replace(original, fit=fit))  # type: ignore[arg-type]
    weights = train_params.weights.model_copy(update={"half_life_days": 2.0})
    train(name, 1, rows, train_params.model_copy(update={"weights": weights}), selections)
    for part in seen:
        assert part.weights is not None
        assert part.weights.mean() == pytest.approx(1.0)
        age = rows["decision_time_ms"].to_numpy()[part.rows]
        expected = 0.5 ** ((age.max() - age) / (2 * 86_400_000))
        np.testing.assert_allclose(part.weights / part.weights.max(), expected, rtol=1e-9)
