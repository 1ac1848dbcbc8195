"""The search: repeatable, starting from the file's values, with pruned trials kept but never chosen."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.artifacts import side_by_side
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts.errors import InputError
from candlelock.leakage.fit_scope import read_hand_overs
from candlelock.train import search as search_module
from candlelock.train.learner import LEARNERS, Sample
from candlelock.train.members import FoldSamples, log_loss
from candlelock.train.screening import scale_rows, screen_folds
from candlelock.train.search import SearchRows, search_all
from candlelock.train.study_file import study_files
from tests.unit.train.search_runs import SPACES, STARTS, make_rows, make_task, run_search

if TYPE_CHECKING:
    from pathlib import Path

    from candlelock.contracts.study_documents import Study
    from candlelock.contracts.train_params import LightgbmParams
    from candlelock.train.learner import Array


@pytest.mark.parametrize(("name", "frac"), [("lightgbm", 0.25), ("xgboost", 1.0)])
def test_the_same_seed_finds_the_same_and_another_seed_tries_otherwise(name: str, frac: float, tmp_path: Path) -> None:
    one, again, other = (run_search(tmp_path, make_task(name, seed, screen_frac=frac))[0] for seed in (1, 1, 2))
    assert one == again
    assert one.trials != other.trials


def test_what_was_tried_elsewhere_is_not_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LEARNERS, "xgboost", replace(LEARNERS["xgboost"], has_cuda=lambda: True))
    asked = make_task("xgboost")
    keys = {search_module._find_key(replace(asked, asked_device=device), make_rows()) for device in ("cpu", "cuda")}
    assert len(keys) == 2


def test_the_order_of_a_space_changes_nothing(tmp_path: Path) -> None:
    turned = dict(reversed(SPACES["lightgbm"].items()))
    one, other = (run_search(tmp_path, make_task(space=space))[0] for space in (SPACES["lightgbm"], turned))
    assert one == other


def test_searches_side_by_side_find_what_each_finds_alone_and_are_told_of_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_by_side, "n_cores", lambda: 2)
    tasks, told = {name: make_task(name, screen_frac=0.25) for name in SPACES}, list[tuple[int, int, str]]()
    with study_files(tmp_path) as open_file:
        found = search_all(tasks, make_rows(), FitLedger(), open_file, lambda *each: told.append(each), float)
    assert found == {name: run_search(tmp_path / name, task)[0] for name, task in tasks.items()}
    assert list(found) == list(tasks)
    n_trials = sum(len(study.trials) for study in found.values())
    assert (max(done for done, _, _ in told), told[-1][1]) == (n_trials, 30)
    assert {line.split(" trial")[0] for _, _, line in told} == set(tasks)


def test_the_first_trial_is_the_starting_point_and_every_trial_keeps_to_the_space(tmp_path: Path) -> None:
    study, said = run_search(tmp_path, make_task())
    assert [trial.number for trial in study.trials] == list(range(12))
    assert study.trials[0].parameters == {"min_data_in_leaf": 10, "feature_fraction": 0.8}
    for trial in study.trials:
        assert 5 <= trial.parameters["min_data_in_leaf"] <= 200
        assert trial.parameters["min_data_in_leaf"] % 1 == 0
        assert 0.3 <= trial.parameters["feature_fraction"] <= 0.9
    assert len({tuple(trial.parameters.values()) for trial in study.trials}) > 9
    assert study.n_rows == sum(len(fold.validates.y) for fold in make_rows().folds)
    assert said == [f"trial {trial.number} {trial.state}, log loss {trial.loss:.6f}" for trial in study.trials]


def test_a_trial_s_losses_are_those_of_models_stopped_on_the_folds(tmp_path: Path) -> None:
    study, _ = run_search(tmp_path, make_task())
    trial = next(trial for trial in reversed(study.trials) if trial.state == "complete")
    settings = STARTS["lightgbm"].model_copy(
        update=trial.parameters | {"min_data_in_leaf": int(trial.parameters["min_data_in_leaf"])}
    )
    folds = make_rows().folds
    for fold, loss in zip(folds, trial.fold_losses, strict=True):
        watch = fold.validates
        model = LEARNERS["lightgbm"].fit(fold.trains, watch, settings, 1, 1)
        assert loss == log_loss(watch.y, model.predict(watch.x))
    weights = [len(fold.validates.y) for fold in folds]
    assert trial.loss == pytest.approx(np.average(trial.fold_losses, weights=weights), rel=1e-12)


def test_best_losses_fall_and_end_at_the_best_trial(tmp_path: Path) -> None:
    study, _ = run_search(tmp_path, make_task())
    ended = [trial.loss for trial in study.trials if trial.state == "complete"]
    assert study.best_losses[-1] == min(ended) == study.trials[study.best_trial].loss
    assert all(later <= earlier for earlier, later in itertools.pairwise(study.best_losses))
    assert sum(study.importance.values()) == pytest.approx(1)
    assert set(study.importance) == set(SPACES["lightgbm"])


@dataclass(frozen=True)
class Constant:
    """Gives the right answer a probability: good on the first fold, poor on the others."""

    feature_fraction: float
    n_first: int

    def predict(self, x: Array) -> Array:
        return np.where(x[:, 0] > 0, 1, -1) * (self.feature_fraction / 10 if len(x) == self.n_first else -0.3) + 0.5


def with_easy_first_fold(monkeypatch: pytest.MonkeyPatch, folder: Path, n_trials: int) -> tuple[Study, list[str]]:
    """A search whose pruned trials have a lower loss than any finished one, as their first fold is easy."""
    y = np.tile([1.0, 0.0], 30)
    sample = Sample(y[:, None], y, np.arange(60))
    folds = [
        FoldSamples(sample.take(np.arange(first)), sample.take(np.arange(first, last)))
        for first, last in ((20, 29), (29, 40), (40, 60))
    ]

    def fit(sample: Sample, stop: Sample, settings: LightgbmParams, seed: int, threads: int) -> Constant:
        return Constant(settings.feature_fraction, 9)

    monkeypatch.setitem(LEARNERS, "lightgbm", replace(LEARNERS["lightgbm"], fit=fit, binned=None))
    task = make_task(n_trials=n_trials, space={"feature_fraction": {"low": 0.1, "high": 1.0, "log": False}})
    return run_search(folder, task, SearchRows(folds, np.arange(60)))


def test_pruned_trials_are_kept_but_never_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, said = with_easy_first_fold(monkeypatch, tmp_path, 20)
    pruned = [trial for trial in study.trials if trial.state == "pruned"]
    finished = [trial for trial in study.trials if trial.state == "complete"]
    assert len(study.trials) == len(said) == 20
    assert pruned
    assert all(len(trial.fold_losses) < 3 for trial in pruned)
    assert all(len(trial.fold_losses) == 3 for trial in finished)
    assert max(trial.loss for trial in pruned) < min(trial.loss for trial in finished)
    assert study.best_trial in {trial.number for trial in finished}
    best = study.trials[study.best_trial]
    assert best.loss == min(trial.loss for trial in finished) == study.best_losses[-1]
    assert study.best_parameters == best.parameters


def test_without_a_space_only_the_starting_point_is_tried(tmp_path: Path) -> None:
    study, said = run_search(tmp_path, make_task("xgboost", space={}, screen_frac=0.25))
    assert len(study.trials) == len(said) == 1
    assert (study.best_trial, study.best_parameters, study.importance) == (0, {}, {})
    assert (study.trials[0].state, study.n_asked, study.screen_frac) == ("complete", 1, 1.0)


def test_the_best_on_fewer_rows_and_the_start_are_rerun_on_all_and_one_of_them_wins(tmp_path: Path) -> None:
    rows, task = make_rows(), make_task(screen_frac=0.25)
    study, _ = run_search(tmp_path, task, rows)
    searched, reruns = study.trials[:12], study.trials[12:]
    assert {trial.state for trial in searched} <= {"screened", "pruned"}
    assert {trial.state for trial in reruns} == {"rerun"}
    ranked = sorted((trial.loss, trial.number) for trial in searched if trial.state == "screened")
    assert {trial.rerun_of for trial in reruns} == {0, *(number for _, number in ranked[:2])}
    assert study.trials[study.best_trial].loss == min(trial.loss for trial in reruns)
    assert len(study.best_losses) == 12
    for trial in reruns:
        alone = make_task(space={}).start.model_copy(
            update={key: type(getattr(task.start, key))(value) for key, value in trial.parameters.items()}
        )
        models = [LEARNERS["lightgbm"].fit(fold.trains, fold.validates, alone, 1, 1) for fold in rows.folds]
        losses = [log_loss(f.validates.y, m.predict(f.validates.x)) for f, m in zip(rows.folds, models, strict=True)]
        assert trial.fold_losses == losses


def test_a_screened_trial_sees_the_share_of_the_rows_with_settings_to_match(tmp_path: Path) -> None:
    rows, task = make_rows(), make_task(screen_frac=0.25)
    first = run_search(tmp_path, task, rows)[0].trials[0]
    for fold, loss in zip(screen_folds(rows.folds, rows.opened_ms, 0.25), first.fold_losses, strict=True):
        model = LEARNERS["lightgbm"].fit(fold.trains, fold.validates, scale_rows(task.start, 0.25), 1, 1)
        assert loss == log_loss(fold.validates.y, model.predict(fold.validates.x))


def test_nothing_is_screened_where_nearly_all_would_be_rerun(tmp_path: Path) -> None:
    study, _ = run_search(tmp_path, make_task(n_trials=3, screen_frac=0.25))
    assert [trial.state for trial in study.trials] == ["complete"] * 3
    assert study.screen_frac == 1.0


@pytest.mark.parametrize("frac", [1.0, 0.25])
def test_the_ledger_knows_the_rows_of_every_hand_over(frac: float, tmp_path: Path) -> None:
    rows, fits = make_rows(), FitLedger()
    run_search(tmp_path, make_task(screen_frac=frac), rows, fits)
    noted = {key: hand_over.rows.tolist() for key, hand_over in read_hand_overs(fits.table()).items()}
    expected = {}
    for ending, folds in (("", rows.folds), ("/screen", screen_folds(rows.folds, rows.opened_ms, 0.25))):
        if ending and frac == 1.0:
            continue
        for number, fold in enumerate(folds, 1):
            expected[f"lightgbm/fold {number}{ending}", "fit"] = fold.trains.rows.tolist()
            expected |= {
                (f"lightgbm/fold {number}{ending}", use): fold.validates.rows.tolist() for use in ("stop", "choose")
            }
    assert noted == expected


def test_a_time_limit_ends_the_search_but_not_the_reruns_and_is_told(tmp_path: Path) -> None:
    ticks = itertools.count(step=10)
    study, _ = run_search(tmp_path, make_task(screen_frac=0.25, timeout_s=45.0), clock=lambda: float(next(ticks)))
    searched = [trial for trial in study.trials if trial.state != "rerun"]
    assert (len(searched), study.n_asked, study.ended_by) == (5, 12, "time")
    assert study.trials[study.best_trial].state == "rerun"
    at_once = run_search(tmp_path, make_task(timeout_s=1.0), clock=lambda: float(next(ticks)))[0]
    assert [trial.state for trial in at_once.trials] == ["complete"]
    assert run_search(tmp_path, make_task())[0].ended_by == "trials"


def test_a_fold_of_one_class_is_refused_by_head_learner_and_fold(tmp_path: Path) -> None:
    rows = make_rows()
    rows.folds[1].validates.y[:] = 0.0
    rows.folds[2].trains.y[:] = 1.0
    with pytest.raises(InputError) as caught:
        run_search(tmp_path, make_task("xgboost"), rows)
    found = [(problem.code, problem.place, problem.found) for problem in caught.value.problems]
    n_judged, n_trained = len(rows.folds[1].validates.y), len(rows.folds[2].trains.y)
    place = "head direction, xgboost, fold"
    assert found == [
        ("train-one-class", f"{place} 2, rows it is judged on", f"{n_judged} rows, 0 of them up"),
        ("train-one-class", f"{place} 3, rows it trains on", f"{n_trained} rows, {n_trained} of them up"),
    ]
