"""The search for better settings on the train folds: Optuna, sequential and seeded, every trial kept."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna

from candlelock.contracts.documents import Study, Trial
from candlelock.train.learner import LEARNERS
from candlelock.train.members import log_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.contracts.stage_params import Frozen, SearchRange
    from candlelock.contracts.train_params import TrainParams
    from candlelock.train.members import FoldSamples, Note

N_STARTUP_TRIALS = 4
optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass(frozen=True)
class SearchTask:
    """Which learner to search, over what, how long."""

    name: str
    space: Mapping[str, SearchRange]
    n_trials: int
    seed: int
    threads: int


def search(
    task: SearchTask,
    folds: Sequence[FoldSamples],
    params: TrainParams,
    fits: FitLedger,
    on_trial: Callable[[int, float], None],
) -> Study:
    """Minimise the folds' mean log loss, starting from the values in `params`; without a space, only those are tried.

    A fold's model stops early on the fold's own validation rows: the search may use them; test it never sees.
    Trials that are worse than the median after a fold are pruned. `on_trial` is told each trial's number and loss.
    """
    base: Frozen = getattr(params, task.name)
    sampler = optuna.samplers.TPESampler(seed=task.seed, n_startup_trials=N_STARTUP_TRIALS)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=N_STARTUP_TRIALS)
    study = optuna.create_study(direction="minimize", sampler=sampler, pruner=pruner)
    study.enqueue_trial({key: getattr(base, key) for key in task.space})
    losses: dict[int, list[float]] = {}

    def objective(trial: optuna.Trial) -> float:
        found = {key: _suggest(trial, key, limits, getattr(base, key)) for key, limits in task.space.items()}
        settings = base.model_copy(update=found)
        own = losses[trial.number] = []
        for step, fold in enumerate(folds):
            own.append(_fold_loss(task, settings, fold, functools.partial(fits.note, f"{task.name}/fold {step + 1}")))
            trial.report(_weighted(own, folds), step)
            if step + 1 < len(folds) and trial.should_prune():
                raise optuna.TrialPruned
        return _weighted(own, folds)

    def report(_: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        on_trial(trial.number, _weighted(losses[trial.number], folds))

    study.optimize(objective, n_trials=task.n_trials if task.space else 1, callbacks=[report])
    return _describe(task, [_trial(trial, losses[trial.number], folds) for trial in study.trials], folds)


def _fold_loss(task: SearchTask, settings: Frozen, fold: FoldSamples, note: Note) -> float:
    seen, watch = fold.trains, fold.validates
    note("fit", seen.rows, seen.x, seen.y)
    note("stop", watch.rows, watch.x, watch.y)
    model = LEARNERS[task.name].fit(seen, watch, settings, task.seed, task.threads)
    note("choose", watch.rows, watch.x, watch.y)
    return log_loss(watch.y, model.predict(watch.x), watch.weights)


def _describe(task: SearchTask, trials: list[Trial], folds: Sequence[FoldSamples]) -> Study:
    best = min((trial for trial in trials if not trial.is_pruned), key=lambda trial: (trial.loss, trial.number))
    return Study(
        sampler="TPE",
        seed=task.seed,
        metric="log_loss",
        n_rows=sum(len(fold.validates.y) for fold in folds),
        trials=trials,
        best_trial=best.number,
        best_parameters=best.parameters,
    )


def _suggest(trial: optuna.Trial, key: str, limits: SearchRange, start: float) -> Any:  # noqa: ANN401
    if isinstance(start, int):
        return trial.suggest_int(key, int(limits.low), int(limits.high), log=limits.log)
    return trial.suggest_float(key, limits.low, limits.high, log=limits.log)


def _weighted(losses: Sequence[float], folds: Sequence[FoldSamples]) -> float:
    """Mean of the losses so far, weighted by the rows of their folds."""
    rows = [len(fold.validates.y) for fold in folds[: len(losses)]]
    return float(np.average(losses, weights=rows))


def _trial(trial: optuna.trial.FrozenTrial, losses: list[float], folds: Sequence[FoldSamples]) -> Trial:
    return Trial(
        number=trial.number,
        parameters={key: float(value) for key, value in trial.params.items()},
        fold_losses=losses,
        loss=_weighted(losses, folds),
        is_pruned=trial.state == optuna.trial.TrialState.PRUNED,
    )
