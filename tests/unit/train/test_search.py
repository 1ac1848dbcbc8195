"""The search: repeatable, starting from the file's values, with pruned trials kept but never chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts.stage_params import SearchRange
from candlelock.train.learner import LEARNERS, Sample
from candlelock.train.members import FoldSamples, fold_samples, folds_of, log_loss
from candlelock.train.search import SearchTask, search
from tests.unit.train.conftest import every_feature

if TYPE_CHECKING:
    import pandas as pd

    from candlelock.contracts.documents import Study
    from candlelock.contracts.train_params import LightgbmParams, TrainParams
    from candlelock.train.learner import Array

EMBARGO_MS = 6 * 3_600_000
SPACE = {
    "min_data_in_leaf": SearchRange(low=5, high=200, log=True),
    "feature_fraction": SearchRange(low=0.3, high=0.9, log=False),
}


def silent(number: int, loss: float) -> None:
    """Nobody listens."""


@pytest.fixture
def folds(rows: pd.DataFrame) -> list[FoldSamples]:
    sample = Sample(
        np.random.default_rng(2).normal(size=(len(rows), 3)), rows["is_up"].to_numpy(), rows.index.to_numpy()
    )
    return fold_samples(sample, folds_of(rows, EMBARGO_MS), [every_feature("c", "b", "a")] * 3)


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_the_same_seed_finds_the_same_and_another_seed_tries_otherwise(
    folds: list[FoldSamples], train_params: TrainParams, name: str
) -> None:
    space = SPACE if name == "lightgbm" else {"max_depth": SearchRange(low=1, high=5, log=False)}

    def run(seed: int) -> Study:
        return search(SearchTask(name, space, 6, seed, 1), folds, train_params, FitLedger(), silent)

    assert run(1) == run(1)
    assert run(1).trials != run(2).trials


def test_the_first_trial_is_the_starting_point_and_every_trial_keeps_to_the_space(
    folds: list[FoldSamples], train_params: TrainParams
) -> None:
    study = search(SearchTask("lightgbm", SPACE, 6, 1, 1), folds, train_params, FitLedger(), silent)
    assert [trial.number for trial in study.trials] == list(range(6))
    assert study.trials[0].parameters == {"min_data_in_leaf": 10, "feature_fraction": 0.8}
    for trial in study.trials:
        assert 5 <= trial.parameters["min_data_in_leaf"] <= 200
        assert trial.parameters["min_data_in_leaf"] % 1 == 0
        assert 0.3 <= trial.parameters["feature_fraction"] <= 0.9
    assert study.n_rows == sum(len(fold.validates.y) for fold in folds)


def test_a_trial_s_losses_are_those_of_models_stopped_on_the_folds(
    folds: list[FoldSamples], train_params: TrainParams
) -> None:
    trial = search(SearchTask("lightgbm", SPACE, 1, 1, 1), folds, train_params, FitLedger(), silent).trials[0]
    for fold, loss in zip(folds, trial.fold_losses, strict=True):
        watch = fold.validates
        model = LEARNERS["lightgbm"].fit(fold.trains, watch, train_params.lightgbm, 1, 1)
        assert loss == log_loss(watch.y, model.predict(watch.x))
    weights = [len(fold.validates.y) for fold in folds]
    assert trial.loss == pytest.approx(np.average(trial.fold_losses, weights=weights), rel=1e-12)


@dataclass(frozen=True)
class Constant:
    """Gives the right answer a probability: good on the first fold, poor on the others."""

    feature_fraction: float
    n_first: int

    def predict(self, x: Array) -> Array:
        return np.full(len(x), 0.5 + self.feature_fraction / 10 if len(x) == self.n_first else 0.2)


def with_easy_first_fold(
    monkeypatch: pytest.MonkeyPatch, params: TrainParams, n_trials: int
) -> tuple[Study, list[int]]:
    """A search whose pruned trials have a lower loss than any finished one, as their first fold is easy."""
    sample = Sample(np.zeros((60, 1)), np.ones(60), np.arange(60))
    folds = [
        FoldSamples(sample.take(np.arange(first)), sample.take(np.arange(first, last)))
        for first, last in ((20, 29), (29, 40), (40, 60))
    ]

    def fit(sample: Sample, stop: Sample, settings: LightgbmParams, seed: int, threads: int) -> Constant:
        return Constant(settings.feature_fraction, 9)

    monkeypatch.setitem(LEARNERS, "lightgbm", replace(LEARNERS["lightgbm"], fit=fit))
    told: list[int] = []
    space = {"feature_fraction": SearchRange(low=0.1, high=1.0, log=False)}
    task = SearchTask("lightgbm", space, n_trials, 1, 1)
    return search(task, folds, params, FitLedger(), lambda number, _: told.append(number)), told


def test_pruned_trials_are_kept_but_never_best(train_params: TrainParams, monkeypatch: pytest.MonkeyPatch) -> None:
    study, _ = with_easy_first_fold(monkeypatch, train_params, 14)
    pruned = [trial for trial in study.trials if trial.is_pruned]
    finished = [trial for trial in study.trials if not trial.is_pruned]
    assert len(study.trials) == 14
    assert pruned
    assert all(len(trial.fold_losses) < 3 for trial in pruned)
    assert all(len(trial.fold_losses) == 3 for trial in finished)
    assert max(trial.loss for trial in pruned) < min(trial.loss for trial in finished)
    assert study.best_trial in {trial.number for trial in finished}
    best = study.trials[study.best_trial]
    assert best.loss == min(trial.loss for trial in finished)
    assert study.best_parameters == best.parameters


def test_everyone_who_listens_hears_of_every_trial(train_params: TrainParams, monkeypatch: pytest.MonkeyPatch) -> None:
    study, told = with_easy_first_fold(monkeypatch, train_params, 9)
    assert told == [trial.number for trial in study.trials] == list(range(9))


def test_without_a_space_only_the_starting_point_is_tried(folds: list[FoldSamples], train_params: TrainParams) -> None:
    heard: dict[int, float] = {}
    study = search(SearchTask("xgboost", {}, 20, 1, 1), folds, train_params, FitLedger(), heard.__setitem__)
    assert len(study.trials) == 1
    assert (study.best_trial, study.best_parameters) == (0, {})
    assert heard == {0: study.trials[0].loss}
