"""Draws by hyperopt: what it would try itself in one run, though each is asked for anew; or the package is missed."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from candlelock.artifacts import side_by_side
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.contracts.errors import EXIT_ENVIRONMENT, EnvironmentFaultError
from candlelock.contracts.stage_params import SearchRange
from candlelock.contracts.study_documents import Trial
from candlelock.train import hyperopt_draws
from candlelock.train.fold_fits import FoldFits
from candlelock.train.search import search_all
from candlelock.train.study_file import study_files
from candlelock.train.trials import distributions_of
from tests.learner_settings import QUICK, needs_package
from tests.unit.train.search_runs import SPACES, STARTS, make_rows, make_task, run_search

if TYPE_CHECKING:
    from pathlib import Path

installed = needs_package("hyperopt")
SPACE = {
    "num_leaves": SearchRange(low=3, high=40, log=False),
    "min_data_in_leaf": SearchRange(low=1, high=300, log=True),
    "learning_rate": SearchRange(low=0.01, high=0.5, log=True),
    "feature_fraction": SearchRange(low=0.2, high=0.9, log=False),
}
DISTRIBUTIONS = distributions_of(SPACE, QUICK["lightgbm"])


def ended(number: int, parameters: dict[str, Any], loss: float, state: str = "complete") -> Trial:
    values = {key: float(value) for key, value in parameters.items()}
    given = {"number": number, "parameters": values, "fold_losses": [loss], "loss": loss, "state": state}
    return Trial.model_validate({**given, "rerun_of": None})


def loss_of(values: dict[str, Any]) -> float:
    """Lowest with few leaves and half of the features."""
    return float((values["num_leaves"] - 10) ** 2 / 100 + (values["feature_fraction"] - 0.5) ** 2)


def draw_all(n_trials: int, seeds: list[int]) -> list[Trial]:
    trials: list[Trial] = []
    for number in range(n_trials):
        values = hyperopt_draws.draw(trials, DISTRIBUTIONS, 5, seeds[number])
        trials.append(ended(number, values, loss_of(values)))
    return trials


@installed
def test_draws_are_those_of_one_run_of_hyperopt_itself() -> None:
    hyperopt, random = hyperopt_draws.library(), np.random.default_rng(7)
    seeds = [int(random.integers(2**31 - 1)) for _ in range(20)]
    space = {key: hyperopt_draws._range(hyperopt, key, limits) for key, limits in DISTRIBUTIONS.items()}
    kept = hyperopt.Trials()
    algorithm = functools.partial(hyperopt.tpe.suggest, n_startup_jobs=5, verbose=False)
    quiet = {"show_progressbar": False, "verbose": False}
    hyperopt.fmin(loss_of, space, algorithm, 20, trials=kept, rstate=np.random.default_rng(7), **quiet)
    own = draw_all(20, seeds)
    for key in SPACE:
        assert [trial.parameters[key] for trial in own] == pytest.approx(kept.vals[key], rel=1e-12)


@installed
def test_values_keep_to_the_space_and_whole_numbers_reach_both_ends() -> None:
    space = {"num_leaves": SearchRange(low=2, high=4, log=False), "max_bin": SearchRange(low=2, high=4, log=True)}
    limits = distributions_of(space, QUICK["lightgbm"].model_copy(update={"max_bin": 3}))
    drawn = [hyperopt_draws.draw([], limits, 5, seed) for seed in range(300)]
    for key in space:
        values = [each[key] for each in drawn]
        assert all(isinstance(value, int) for value in values)
        assert set(values) == {2, 3, 4}
    assert np.mean([each["num_leaves"] == 3 for each in drawn]) == pytest.approx(1 / 3, abs=0.08)
    for trial in draw_all(12, list(range(12))):
        assert all(SPACE[key].low <= value <= SPACE[key].high for key, value in trial.parameters.items())


@installed
def test_it_learns_from_the_trials_before() -> None:
    losses = [trial.loss for trial in draw_all(40, [*range(40)])]
    assert np.mean(losses[20:]) < 0.7 * np.mean(losses[:20])


@installed
def test_a_pruned_trial_counts_as_worse_than_all_that_ended() -> None:
    trials = draw_all(12, [*range(12)])
    best = min(trials, key=lambda trial: trial.loss)
    lower = best.model_copy(update={"loss": 0.0})
    pruned, worst = lower.model_copy(update={"state": "pruned"}), best.model_copy(update={"loss": 1e9})
    after = [
        hyperopt_draws.draw([each if trial is best else trial for trial in trials], DISTRIBUTIONS, 5, 1)
        for each in (pruned, worst, lower)
    ]
    assert after[0] == after[1] != after[2]


@installed
def test_a_search_repeats_itself_and_another_seed_or_sampler_tries_otherwise(tmp_path: Path) -> None:
    tasks = [make_task(seed=seed, sampler="hyperopt", screen_frac=0.25) for seed in (1, 1, 2)]
    one, again, other = (run_search(tmp_path, task)[0] for task in tasks)
    optuna_s = run_search(tmp_path, make_task(screen_frac=0.25))[0]
    assert one == again
    assert (one.sampler, optuna_s.sampler) == ("TPE of hyperopt", "TPE")
    assert one.trials[1:] not in (other.trials[1:], optuna_s.trials[1:])
    assert one.trials[0] == optuna_s.trials[0]
    assert one.trials[0].parameters == {key: getattr(STARTS["lightgbm"], key) for key in SPACES["lightgbm"]}


@installed
def test_searches_side_by_side_find_what_each_finds_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "n_cores", lambda: 2)
    tasks = {name: make_task(name, sampler="hyperopt") for name in SPACES}
    with study_files(tmp_path) as open_file:
        found = search_all(tasks, make_rows(), FitLedger(), open_file, lambda *_: None, float)
    assert found == {name: run_search(tmp_path / name, task)[0] for name, task in tasks.items()}


def test_without_the_package_the_search_ends_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("nothing is to be fitted")

    monkeypatch.setitem(sys.modules, "hyperopt", None)
    monkeypatch.setattr(FoldFits, "fit", never)
    tasks = {"lightgbm": make_task(sampler="hyperopt")}
    with pytest.raises(EnvironmentFaultError) as caught, study_files(tmp_path) as open_file:
        search_all(tasks, make_rows(), FitLedger(), open_file, lambda *_: None, float)
    (problem,) = caught.value.problems
    assert (problem.code, problem.help) == ("package-missing", 'pip install "candlelock[hyperopt]"')
    assert caught.value.exit_code == EXIT_ENVIRONMENT
    assert make_task().libraries() == []


@installed
def test_the_package_is_asked_for_by_its_own_searches_alone() -> None:
    assert make_task(sampler="hyperopt").libraries() == [hyperopt_draws.library()]
    assert make_task().libraries() == []
