"""Training of one member: when to stop, out-of-fold predictions, the final model."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from candlelock.artifacts.side_by_side import run_in_turn, run_shared
from candlelock.contracts.errors import InputError, Problem
from candlelock.split.rows import learns_values, shares, targets
from candlelock.split.segments import before_test, fold_masks, n_folds
from candlelock.train.averaging import Averaged, seeds_of
from candlelock.train.checks import choose_device, optional_libraries, refuse_features, refuse_rows
from candlelock.train.learner import LEARNERS, Sample
from candlelock.train.stability import share_gains
from candlelock.train.weights import weigh

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.artifacts.side_by_side import Run
    from candlelock.contracts.stage_params import Frozen
    from candlelock.contracts.train_params import TrainParams
    from candlelock.select.transform import Transform, Transforms
    from candlelock.train.learner import Array, Model

    Note = Callable[..., None]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Task:
    """What to train and how: the learner's name, the head it is for, and its settings, searched or not.

    `part`: of the rows, for messages.
    """

    name: str
    head: str
    params: TrainParams
    settings: Frozen
    embargo_ms: int
    seed: int
    threads: int
    part: str = "final"

    @property
    def place(self) -> str:
        """Where an error is."""
        return f"head {self.head}, {self.name}, {self.part}"

    @property
    def device(self) -> Literal["cpu", "cuda"]:
        """Where it trains. Raises EnvironmentFaultError when a GPU is asked for and absent."""
        return choose_device(self.params.device, self.name, self.place)


@dataclass(frozen=True)
class Fold:
    """A walk-forward fold: which rows train, which are predicted."""

    trains: Mask
    validates: Mask


@dataclass(frozen=True)
class FoldSamples:
    """What a fold's models train on and what they are judged on, both through the fold's own selection."""

    trains: Sample
    validates: Sample


@dataclass(frozen=True)
class Trained:
    """A member: the model of train, what each fold's model stopped at and leans on by feature, and out-of-fold answers.

    `out_of_fold`: probabilities, or values, (n_rows,), NaN elsewhere. `refit`: the same on all rows before test, which
    answers test and is served; None where `model` does.
    """

    model: Averaged
    fold_rounds: list[int]
    fold_shares: list[dict[str, float]]
    out_of_fold: Array
    refit: Averaged | None = None

    @property
    def served(self) -> Averaged:
        """The model that answers from test on."""
        return self.refit or self.model


def sample_of(rows: pd.DataFrame, x: Array) -> Sample:
    """Every row of a split table as learners see it; `x`: its features, (n_rows, n_features)."""
    return Sample(x, targets(rows), rows.index.to_numpy(), is_value=learns_values(rows), soft=shares(rows))


def folds_of(rows: pd.DataFrame, embargo_ms: int) -> list[Fold]:
    """The walk-forward folds of a split table."""
    return [Fold(*fold_masks(rows, fold, embargo_ms)) for fold in range(1, n_folds(rows) + 1)]


def fold_samples(
    sample: Sample,
    folds: Sequence[Fold],
    selections: Sequence[Transform],
    weigh_rows: Callable[[Mask], Array | None] = lambda _: None,
) -> list[FoldSamples]:
    """The rows of each fold, rows in the order of `sample`, which holds every feature; `weigh_rows` gives weights."""

    def seen(mask: Mask, selection: Transform) -> Sample:
        return replace(_seen(sample.take(mask), selection), weights=weigh_rows(mask))

    pairs = zip(folds, selections, strict=True)
    return [FoldSamples(seen(fold.trains, own), seen(fold.validates, own)) for fold, own in pairs]


def time_order(rows: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Index that sorts rows by time, then symbol: a learner's batches should not depend on how symbols are named."""
    return np.lexsort((rows["symbol"].to_numpy(), rows["open_time_ms"].to_numpy()))


def stopping_tail(rows: pd.DataFrame, trains: Mask, tail_frac: float, embargo_ms: int) -> tuple[Mask, Mask]:
    """`trains` cut into an earlier part and its most recent share, purged and embargoed between them.

    Raises InputError when nothing is left of the earlier part.
    """
    opened = rows["open_time_ms"].to_numpy()
    cut = np.quantile(opened[trains], 1 - tail_frac, method="lower")
    tail = trains & (opened >= cut)
    head = trains & (rows["label_end_ms"].to_numpy() + embargo_ms < rows["decision_time_ms"].to_numpy()[tail].min())
    if not head.any():
        found = f"no row of {int(trains.sum())} before the stopping tail, purged and embargoed"
        help_line = "take more candles, or a smaller embargo_bars, n_folds or early_stop_frac"
        raise InputError(Problem("train-too-short", "params.yaml train", found, "rows to train on", help_line))
    return head, tail


def find_rounds(task: Task, sample: Sample, rows: pd.DataFrame, trains: Mask, note: Note) -> int:
    """Trees or epochs with the lowest loss on the tail of the rows, trained on what comes before it.

    Both count by weights of their own, so that training stops by what it minimises.
    """
    head, tail = stopping_tail(rows, trains, task.params.early_stop_frac, task.embargo_ms)
    earlier, latest = (_part(task, sample, rows, mask) for mask in (head, tail))
    note("fit", earlier.rows, earlier.x, *earlier.labels)
    note("stop", latest.rows, latest.x, *latest.labels)
    refuse_rows(earlier, f"{task.place}, before its stopping tail")
    refuse_rows(latest, f"{task.place}, stopping tail")
    return max(_fit(task, earlier, latest, task.settings, task.seed).n_rounds, 1)


def fit_member(
    task: Task, sample: Sample, rows: pd.DataFrame, trains: Mask, n_rounds: int | None, note: Note
) -> Averaged:
    """Train on all of the rows for that many rounds, in the order of time; None for a learner without rounds.

    One model per seed. Raises InputError for rows that no learner can train on.
    """
    learner, settings = LEARNERS[task.name], task.settings
    if learner.rounds_key is not None:
        settings = settings.model_copy(update={learner.rounds_key: n_rounds})
    seen = _part(task, sample, rows, trains)
    note("fit", seen.rows, seen.x, *seen.labels)
    refuse_rows(seen, task.place)
    refuse_features(seen, task.place)
    seeds = seeds_of(task.seed, task.params.n_seeds if learner.is_seeded else 1)
    return Averaged(tuple(_fit(task, seen, None, settings, seed) for seed in seeds))


def _fit(task: Task, sample: Sample, stop: Sample | None, settings: Frozen, seed: int) -> Model:
    where = {"device": task.device} if task.device != "cpu" else {}
    return LEARNERS[task.name].fit(sample, stop, settings, seed, task.threads, **where)


def train_member(
    task: Task, sample: Sample, rows: pd.DataFrame, selections: Transforms, fits: FitLedger, run: Run = run_in_turn
) -> Trained:
    """One model per fold for out-of-fold predictions, and the final model on the whole train segment.

    `sample` holds every feature; a fold's models see what the fold's selection, fitted on its training rows, gives.
    A fold's models stop where its own tail says to the first of them. One tail is a noisy judge, so the final models
    train for the mean of what their own tail and every fold found, each scaled by the rows it had: more rows carry more
    rounds. So it is with the rows of a refit, which sees what calibrate and decide hold besides. `run` gets the folds,
    then the final models.
    """
    key = LEARNERS[task.name].rounds_key
    is_train = (rows["segment"] == "train").to_numpy(dtype=bool) & rows["is_up"].notna().to_numpy()
    folds, own = folds_of(rows, task.embargo_ms), _seen(sample, selections.final)
    note, note_rounds = _notes(fits, f"{task.name}/final")
    jobs: list[Callable[[], Any]] = [
        functools.partial(_train_fold, replace(task, part=f"fold {number}"), sample, rows, fold, selection, fits)
        for number, (fold, selection) in enumerate(zip(folds, selections.folds, strict=True), 1)
    ]
    if key is not None:
        jobs.append(functools.partial(find_rounds, task, own, rows, is_train, note_rounds))
    found = run(jobs)
    trained: list[_TrainedFold] = found[: len(folds)]
    out_of_fold = np.full(len(rows), np.nan)
    for fold, each in zip(folds, trained, strict=True):
        out_of_fold[fold.validates] = each.answers
    rounds = None
    if key is not None:
        scaled = [each.n_rounds * is_train.sum() / fold.trains.sum() for fold, each in zip(folds, trained, strict=True)]
        rounds = min(round(float(np.mean([*scaled, found[-1]]))), getattr(task.settings, key))
    finals: list[Callable[[], Averaged]] = [functools.partial(fit_member, task, own, rows, is_train, rounds, note)]
    if task.params.refit:
        finals.append(functools.partial(_fit_again, task, own, rows, rounds, fits))
    model, *refit = run(finals)
    n_rounds, shares = [each.n_rounds for each in trained], [each.shares for each in trained]
    return Trained(model, n_rounds, shares, out_of_fold, refit[0] if refit else None)


@dataclass(frozen=True)
class _TrainedFold:
    """What is kept of a fold's models: when they stopped, what they lean on, and their answers to its validation."""

    n_rounds: int
    shares: dict[str, float]
    answers: Array


def _train_fold(
    task: Task, sample: Sample, rows: pd.DataFrame, fold: Fold, selection: Transform, fits: FitLedger
) -> _TrainedFold:
    own = _seen(sample, selection)
    note, note_rounds = _notes(fits, f"{task.name}/{task.part}")
    has_rounds = LEARNERS[task.name].rounds_key is not None
    rounds = find_rounds(task, own, rows, fold.trains, note_rounds) if has_rounds else None
    model = fit_member(task, own, rows, fold.trains, rounds, note)
    told = own.take(fold.validates)
    note("predict", told.rows, told.x)
    return _TrainedFold(model.n_rounds, share_gains(model, selection), model.predict(told.x))


def _fit_again(task: Task, sample: Sample, rows: pd.DataFrame, n_rounds: int | None, fits: FitLedger) -> Averaged:
    """The model of all rows before test; `n_rounds` are those of train's rows alone."""
    seen, key, rounds = before_test(rows), LEARNERS[task.name].rounds_key, None
    if key is not None and n_rounds is not None:
        n_train = int((seen & (rows["segment"] == "train").to_numpy(dtype=bool)).sum())
        rounds = min(round(n_rounds * seen.sum() / n_train), getattr(task.settings, key))
    note, _ = _notes(fits, f"{task.name}/refit")
    return fit_member(replace(task, part="refit"), sample, rows, seen, rounds, note)


def train_members(
    tasks: Mapping[str, Task], sample: Sample, rows: pd.DataFrame, selections: Transforms, fits: FitLedger
) -> dict[str, Trained]:
    """`train_member` of every task, by name, whose fits share the cores; bytes do not depend on how many there are.

    Raises EnvironmentFaultError where a learner's package is not installed.
    """
    optional_libraries(*tasks)
    plans = [functools.partial(train_member, task, sample, rows, selections, fits) for task in tasks.values()]
    trained = run_shared(plans, max(task.threads for task in tasks.values()))
    return dict(zip(tasks, trained, strict=True))


def _notes(fits: FitLedger, name: str) -> tuple[Note, Note]:
    """Where a model's rows are noted, and those that say for how many rounds it is trained."""
    return functools.partial(fits.note, name), functools.partial(fits.note, f"{name}/rounds")


def _seen(sample: Sample, selection: Transform) -> Sample:
    return replace(sample, x=selection.apply(sample.x), names=selection.outputs)


def _part(task: Task, sample: Sample, rows: pd.DataFrame, mask: Mask) -> Sample:
    """The rows of a mask in the order of time, with the weights they have among themselves."""
    by_time = time_order(rows)
    order = by_time[mask[by_time]]
    return replace(sample.take(order), weights=weigh(rows.iloc[order], task.params.weights))


def settings_of(name: str, params: TrainParams, best: dict[str, Any]) -> Frozen:
    """A learner's settings: the file's, with what the search found in place of the keys it searched."""
    base: Frozen = getattr(params, name)
    typed = {key: type(getattr(base, key))(value) for key, value in best.items()}
    return base.model_copy(update=typed)


def log_loss(y: Array, p: Array, weights: Array | None = None) -> float:
    """Mean negative log likelihood, by weights if there are any; probabilities cut at 1e-7."""
    losses = row_losses(y, p)
    return float(np.mean(losses if weights is None else losses * weights))


def row_losses(y: Array, p: Array, *, are_values: bool = False) -> Array:
    """Negative log likelihood of each row, (n_rows,), probabilities cut at 1e-7; of values the squared error."""
    if are_values:
        return np.asarray((y - p) ** 2)
    q = np.clip(p, 1e-7, 1 - 1e-7)
    return np.asarray(-(y * np.log(q) + (1 - y) * np.log(1 - q)))
