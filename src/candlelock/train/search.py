"""The search for better settings on the train folds: sequential and seeded, every trial kept in a study of Optuna's.

What a trial tries follows from the seed, its number and the trials before it alone, so a search that was killed and
goes on tries the same as one that was not.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.trial import TrialState

from candlelock.artifacts import seeds, side_by_side
from candlelock.contracts.errors import raise_if
from candlelock.contracts.study_documents import Study, Trial
from candlelock.train import hyperopt_draws
from candlelock.train.checks import choose_device, optional_libraries, row_problems
from candlelock.train.fold_fits import FoldFits
from candlelock.train.metric import METRICS
from candlelock.train.paths import choose_walked, refuse_splits, walk_paths
from candlelock.train.screening import scale_rows, screen_folds
from candlelock.train.search_report import best_losses, best_of, best_screened, find_importance, trial_text
from candlelock.train.study_file import find_key
from candlelock.train.trials import distributions_of, freeze, running_loss, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Literal

    import numpy.typing as npt

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.artifacts.side_by_side import Run
    from candlelock.contracts.errors import Problem
    from candlelock.contracts.stage_params import Frozen, SearchMetric, SearchRange, TuneParams, ValueMetric
    from candlelock.contracts.study_documents import Paths
    from candlelock.contracts.train_params import Device
    from candlelock.train.members import FoldSamples
    from candlelock.train.paths import PathRows
    from candlelock.train.study_file import StudyFile

    Told = Callable[[int, int, str], None]

SAMPLERS = {"tpe": "TPE", "hyperopt": "TPE of hyperopt"}
N_STARTUP_TRIALS = 5  # that are drawn at random, and none of them pruned


@dataclass(frozen=True)
class SearchTask:
    """Which learner of which head to search, from which settings, how."""

    head: str
    name: str
    start: Frozen
    space: Mapping[str, SearchRange]
    params: TuneParams
    seed: int
    threads: int
    asked_device: Device = "cpu"

    @property
    def place(self) -> str:
        """Where an error is."""
        return f"head {self.head}, {self.name}"

    @property
    def device(self) -> Literal["cpu", "cuda"]:
        """Where it trains. Raises EnvironmentFaultError when a GPU is asked for and absent."""
        return choose_device(self.asked_device, self.name, f"{self.place}, search")

    @property
    def n_trials(self) -> int:
        """Trials, reruns apart."""
        return self.params.n_trials if self.space else 1

    def libraries(self) -> list[Any]:
        """The optional packages that it needs. Raises EnvironmentFaultError where one is not installed."""
        own = [hyperopt_draws.library()] if self.params.sampler == "hyperopt" else []
        return [*optional_libraries(self.name), *own]

    @property
    def screened_frac(self) -> float:
        """Share of the rows that trials see."""
        return self.params.screen_frac if self.is_screened else 1.0

    @property
    def is_screened(self) -> bool:
        """Whether trials see a share of the rows."""
        return self.params.screens(self.space)


@dataclass(frozen=True)
class SearchRows:
    """The folds, the open time of every row of the split table by its number, and the paths, if any are asked for."""

    folds: Sequence[FoldSamples]
    opened_ms: npt.NDArray[np.int64]
    paths: PathRows | None = None

    @functools.cached_property
    def weights(self) -> list[int]:
        """Rows that each fold is judged on."""
        return [len(fold.validates.y) for fold in self.folds]

    def metric(self, params: TuneParams) -> SearchMetric | ValueMetric:
        """What trials are judged by."""
        return params.value_metric if self.folds[0].trains.is_value else params.metric


def search(
    task: SearchTask,
    rows: SearchRows,
    fits: FitLedger,
    open_file: Callable[[str, str], StudyFile],
    told: Told,
    clock: Callable[[], float],
    run_jobs: Run = side_by_side.run_in_turn,
) -> Study:
    """Minimise the folds' mean loss, starting from the task's settings; without a space, only those are tried.

    A fold's model stops early on the fold's own validation rows, by what it learns, and is judged there by their
    labels: the search may use them; test it never sees. Trials that are worse than the median after a fold are pruned.
    With fewer rows for them, the best trials and the starting point are rerun on all rows, and one of these wins.
    `told` hears of every trial: how many have ended, how many there will be at most, and a line about it; `clock` gives
    seconds, for the time limit; `run_jobs` gets the fits. At the end, trials are judged along the paths, if there are
    any, whatever the time. Raises InputError where a fold or a split lacks a class, a fold has fewer rows than
    features, or weights weigh nothing; EnvironmentFaultError where an optional package is not installed.
    """
    run = _Run(task, rows, fits, open_file(task.name, _find_key(task, rows)), told, run_jobs)
    run.try_settings(clock)
    if task.is_screened:
        run.rerun_best()
    best = best_of(run.trials)
    n_searched = sum(trial.state != "rerun" for trial in run.trials)
    return Study(
        sampler=SAMPLERS[task.params.sampler],
        seed=task.seed,
        metric=rows.metric(task.params),
        n_rows=sum(rows.weights),
        n_asked=task.n_trials,
        screen_frac=task.screened_frac,
        ended_by="trials" if n_searched == task.n_trials else "time",
        trials=run.trials,
        best_trial=best.number,
        best_parameters=best.parameters,
        best_losses=best_losses(run.trials),
        importance=find_importance(run.trials, run.distributions, rows.weights),
        paths=run.walk(),
    )


def search_all(
    tasks: Mapping[str, SearchTask],
    rows: SearchRows,
    fits: FitLedger,
    open_file: Callable[[str, str], StudyFile],
    told: Told,
    clock: Callable[[], float],
) -> dict[str, Study]:
    """`search` of every task, by name, whose fits share the cores; `told` hears of all of them together."""
    for task in tasks.values():
        task.libraries()
    counts: dict[str, tuple[int, int]] = {}

    def told_of(name: str, n_done: int, n_planned: int, line: str) -> None:
        counts[name] = n_done, n_planned
        so_far = list(counts.values())
        told(sum(done for done, _ in so_far), sum(planned for _, planned in so_far), f"{name} {line}")

    plans = [
        functools.partial(search, task, rows, fits, open_file, functools.partial(told_of, name), clock)
        for name, task in tasks.items()
    ]
    found = side_by_side.run_shared(plans, max((task.threads for task in tasks.values()), default=1))
    return dict(zip(tasks, found, strict=True))


class _Run:
    """A search under way: its trials, on disk and in a study of Optuna's that draws the next ones."""

    def __init__(
        self,
        task: SearchTask,
        rows: SearchRows,
        fits: FitLedger,
        file: StudyFile,
        told: Told,
        run_jobs: Run,
    ) -> None:
        self.task, self.rows, self.fits, self.file, self.told, self.run_jobs = task, rows, fits, file, told, run_jobs
        self.metric = rows.metric(task.params)
        self.paths = rows.paths if task.params.walks_paths(task.space) else None
        self.distributions = distributions_of(task.space, task.start)
        self.trials = file.trials()
        self.study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=N_STARTUP_TRIALS))
        for trial in self.trials:
            self.study.add_trial(freeze(trial, self.distributions, rows.weights))
            self._tell(trial, is_kept=True)

    def try_settings(self, clock: Callable[[], float]) -> None:
        """Search, on a share of the rows or on all. After the first trial, only while there is time."""
        task, frac = self.task, self.task.params.screen_frac
        if self.paths is not None:
            refuse_splits(task, self.paths)
        folds = screen_folds(self.rows.folds, self.rows.opened_ms, frac) if task.is_screened else self.rows.folds
        models = self._hand_over(folds, "/screen" if task.is_screened else "")
        began, limit_s = clock(), task.params.timeout_s
        while len(self.trials) < task.n_trials and not any(trial.state == "rerun" for trial in self.trials):
            if self.trials and limit_s is not None and clock() - began >= limit_s:
                break
            asked = self._ask(len(self.trials))
            settings = task.start.model_copy(update=asked.params)
            losses = self._losses(models, scale_rows(settings, frac) if task.is_screened else settings, asked)
            is_pruned = len(losses) < len(models)
            self.study.tell(asked, *([None, TrialState.PRUNED] if is_pruned else [self._mean(losses)]))
            self._keep(asked.params, losses, "pruned" if is_pruned else "screened" if task.is_screened else "complete")

    def rerun_best(self) -> None:
        """The trials with the lowest losses, and the first one, on all rows."""
        models = self._hand_over(self.rows.folds, "")
        chosen = {0, *(trial.number for trial in best_screened(self.trials, self.task.params.n_rerun))}
        for number in sorted(chosen - {trial.rerun_of for trial in self.trials}):
            parameters = typed(self.trials[number].parameters, self.distributions)
            losses = self._losses(models, self.task.start.model_copy(update=parameters), None)
            self._keep(parameters, losses, "rerun", number)

    def walk(self) -> Paths | None:
        """Trials along the paths, where these are asked for."""
        if self.paths is None:
            return None
        walked, n_done = choose_walked(self.trials), len(self.trials)
        self.told(n_done, n_done, f"judges {len(walked)} trials along {len(self.paths.paths)} paths")
        return walk_paths(self.task, self.paths, self.metric, walked, self.fits, self.run_jobs)

    def _ask(self, number: int) -> optuna.Trial:
        """The next trial, its values drawn."""
        seed = seeds.derive(self.task.seed, f"trial/{number}")
        self.study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=N_STARTUP_TRIALS)
        if number == 0:
            self.study.enqueue_trial({key: getattr(self.task.start, key) for key in self.task.space})
        elif self.task.params.sampler == "hyperopt":
            self.study.enqueue_trial(hyperopt_draws.draw(self.trials, self.distributions, N_STARTUP_TRIALS, seed))
        return self.study.ask(fixed_distributions=dict(self.distributions))

    def _losses(self, models: Sequence[FoldFits], settings: Frozen, asked: optuna.Trial | None) -> list[float]:
        """The loss of each fold, in their order; of fewer where a trial that was `asked` for is pruned."""
        losses: list[float] = []
        for step, loss in enumerate(self._fit_folds(models, settings, 0 if asked is None else 1)):
            losses.append(loss)
            if asked is not None:
                asked.report(self._mean(losses), step)
                if step + 1 < len(models) and asked.should_prune():
                    break
        return losses

    def _fit_folds(self, models: Sequence[FoldFits], settings: Frozen, n_alone: int) -> Iterator[float]:
        """The losses, in order; `n_alone` folds first, which prune most, then the others together, largest first."""
        jobs = [functools.partial(model.loss, settings, METRICS[self.metric]) for model in models]
        yield from self.run_jobs(jobs[:n_alone])
        yield from self.run_jobs(jobs[n_alone:][::-1])[::-1]

    def _keep(self, parameters: Mapping[str, float], losses: list[float], state: str, of: int | None = None) -> None:
        trial = Trial.model_validate(
            {
                "number": len(self.trials),
                "parameters": {key: float(value) for key, value in parameters.items()},
                "fold_losses": losses,
                "loss": self._mean(losses),
                "state": state,
                "rerun_of": of,
            }
        )
        self.file.keep(trial, freeze(trial, self.distributions, self.rows.weights))
        self.trials.append(trial)
        self._tell(trial, is_kept=False)

    def _hand_over(self, folds: Sequence[FoldSamples], part: str) -> list[FoldFits]:
        task = self.task
        refuse_folds(task, folds, part)
        for number, fold in enumerate(folds, 1):
            note_rows(self.fits, f"{task.name}/fold {number}{part}", fold)
        return [FoldFits(task.name, fold, task.seed, task.threads, task.device) for fold in folds]

    def _tell(self, trial: Trial, *, is_kept: bool) -> None:
        n_planned = self.task.n_trials + (self.task.params.n_rerun + 1 if self.task.is_screened else 0)
        self.told(trial.number + 1, n_planned, trial_text(trial, self.metric, is_kept=is_kept))

    def _mean(self, losses: Sequence[float]) -> float:
        return running_loss(losses, self.rows.weights)


def note_rows(fits: FitLedger, name: str, fold: FoldSamples) -> None:
    """What the models of a fold are fitted on, stopped by and chosen by."""
    fits.note(name, "fit", fold.trains.rows, fold.trains.x, *fold.trains.labels)
    for use in ("stop", "choose"):
        fits.note(name, use, fold.validates.rows, fold.validates.x, *fold.validates.labels)


def refuse_folds(task: SearchTask, folds: Sequence[FoldSamples], part: str) -> None:
    """InputError for every fold with rows that no learner can train on or be judged on."""
    problems: list[Problem] = []
    for number, fold in enumerate(folds, 1):
        place = f"{task.place}, fold {number}{part}"
        problems += row_problems(fold.trains, f"{place}, rows it trains on")
        problems += row_problems(fold.validates, f"{place}, rows it is judged on")
    raise_if(problems)


def _find_key(task: SearchTask, rows: SearchRows) -> str:
    """Of everything that the trials follow from."""
    settings = {
        "head": task.head,
        "name": task.name,
        "seed": task.seed,
        "device": task.device,
        "start": task.start.model_dump(mode="json"),
        "tune": task.params.model_dump(mode="json", exclude={"space", "timeout_s", "n_path_groups"}),
        "space": {key: limits.model_dump(mode="json") for key, limits in task.space.items()},
    }
    samples = [sample for fold in rows.folds for sample in (fold.trains, fold.validates)]
    values = [getattr(sample, each.name) for sample in samples for each in fields(sample)]
    arrays = [rows.opened_ms, *(value for value in values if isinstance(value, np.ndarray))]
    return find_key(settings, arrays, task.libraries())
