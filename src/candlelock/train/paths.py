"""How trials of a search do along combinatorial purged paths: what the probability of its overfitting is told from.

The train segment is cut into groups of time. On every two of them the models of a split are judged, trained on all the
others; each path takes every group once. A trial is trained as in the search: its settings, that share of the rows it
trains on, stopped early by rows it is judged on, here the same share of them. But no selection: one that was fitted on
all of train would know every group.

Source: López de Prado, Advances in Financial Machine Learning (2018), chapter 12.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.errors import InputError
from candlelock.contracts.study_documents import Paths
from candlelock.split.splitters import CombinatorialPurged
from candlelock.train.checks import refuse_rows
from candlelock.train.fold_fits import FoldFits
from candlelock.train.members import FoldSamples
from candlelock.train.metric import METRICS
from candlelock.train.screening import scale_rows, screen_rows
from candlelock.train.trials import distributions_of, typed
from candlelock.train.weights import weigh, with_mean_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from candlelock.artifacts.fit_ledger import FitLedger, Use
    from candlelock.artifacts.side_by_side import Run
    from candlelock.contracts.stage_params import SearchMetric, ValueMetric
    from candlelock.contracts.study_documents import Trial
    from candlelock.contracts.train_params import WeightsParams
    from candlelock.train.learner import Sample
    from candlelock.train.search import SearchTask

Places = npt.NDArray[np.intp]

N_TESTED = 2  # groups of a split
N_WALKED = 8  # trials, spread evenly over the search, beside the best one


@dataclass(frozen=True)
class PathRows:
    """The train segment cut into groups of time; which rows each split trains on and is judged on.

    `rows`, `sample`: of the split table, in the same order, every feature. `group`, `opened_ms`: of each row by its
    number; the group is -1 for one that is not of train or has no label. `splits`: places of the rows on both sides.
    `paths`: which split tells of each group, (n_paths, n_groups). `weights`: of a part of the rows come from it alone.
    """

    rows: pd.DataFrame
    sample: Sample
    group: npt.NDArray[np.int64]
    opened_ms: npt.NDArray[np.int64]
    splits: Sequence[tuple[Places, Places]]
    paths: npt.NDArray[np.int64]
    weights: WeightsParams

    def take(self, number: int, frac: float) -> tuple[FoldSamples, Sample]:
        """That share of the rows of a split, to train on and to stop by, and all rows that it is judged on."""
        trains, judged = (self._part(places) for places in self.splits[number])
        return FoldSamples(screen_rows(trains, self.opened_ms, frac), screen_rows(judged, self.opened_ms, frac)), judged

    def _part(self, places: Places) -> Sample:
        return replace(self.sample.take(places), weights=weigh(self.rows.iloc[places], self.weights))


def cut_paths(
    rows: pd.DataFrame, sample: Sample, n_groups: int | None, embargo_ms: int, weights: WeightsParams
) -> PathRows | None:
    """Cut the labelled train rows, into None where there are to be no groups.

    Raises InputError where there are too few rows to cut and to train on.
    """
    if n_groups is None:
        return None
    places = np.flatnonzero((rows["segment"] == "train").to_numpy(dtype=bool) & rows["is_up"].notna().to_numpy())
    starts, ends = (rows[name].to_numpy()[places] for name in ("decision_time_ms", "label_end_ms"))
    with _naming_the_way_out():
        splitter = CombinatorialPurged(starts, ends, n_groups, N_TESTED, embargo=embargo_ms)
        splits = [(places[trains], places[validates]) for trains, validates in splitter.split(places)]
    group, opened_ms = np.full(sample.rows.max() + 1, -1, np.int64), np.zeros(sample.rows.max() + 1, np.int64)
    group[sample.rows[places]] = splitter.group_of_rows()
    opened_ms[sample.rows] = rows["open_time_ms"].to_numpy()
    return PathRows(rows, sample, group, opened_ms, splits, splitter.paths(), weights)


def walk_paths(
    task: SearchTask,
    rows: PathRows,
    metric: SearchMetric | ValueMetric,
    trials: Sequence[Trial],
    fits: FitLedger,
    run_jobs: Run,
) -> Paths:
    """Judge trials of a search by the loss of their models on each group. `run_jobs` gets the splits."""
    numbers = range(len(rows.splits))
    found = run_jobs([functools.partial(_judge_split, task, rows, number, metric, trials, fits) for number in numbers])
    losses = [
        [[found[split][place][group] for group, split in enumerate(path)] for path in rows.paths.tolist()]
        for place in range(len(trials))
    ]
    n_groups, walked = rows.paths.shape[1], [trial.number for trial in trials]
    return Paths(n_groups=n_groups, n_test_groups=N_TESTED, trials=walked, losses=losses)


def choose_walked(trials: Sequence[Trial]) -> list[Trial]:
    """N_WALKED of a search's own trials, spread evenly, pruned ones among them, since they were tried; and the best."""
    own = [trial for trial in trials if trial.state != "rerun"]
    best = min((trial for trial in own if trial.state != "pruned"), key=lambda trial: (trial.loss, trial.number))
    places = np.unique(np.linspace(0, len(own) - 1, min(N_WALKED, len(own))).astype(int))
    return [own[place] for place in sorted({*places.tolist(), own.index(best)})]


def refuse_splits(task: SearchTask, rows: PathRows) -> None:
    """InputError for a split that lacks a class or has weights that weigh nothing, before anything is searched."""
    named = replace(rows, sample=replace(rows.sample, x=rows.sample.x[:, :0]))  # labels and weights are looked at
    with _naming_the_way_out():
        for number in range(len(rows.splits)):
            split, judged = named.take(number, task.screened_frac)
            place = f"{task.place}, path split {number + 1}"
            refuse_rows(split.trains, f"{place}, rows it trains on")
            refuse_rows(split.validates, f"{place}, rows it is stopped by")
            for each, part in _by_group(judged, rows.group).items():
                refuse_rows(part, f"{place}, stretch {each + 1}")


def _judge_split(
    task: SearchTask,
    rows: PathRows,
    number: int,
    metric: SearchMetric | ValueMetric,
    trials: Sequence[Trial],
    fits: FitLedger,
) -> list[dict[int, float]]:
    """For each trial: group of time -> the loss on its rows of a model that was trained on others."""
    split, judged = rows.take(number, task.screened_frac)
    parts = _by_group(judged, rows.group)
    uses: list[tuple[Use, Sample]] = [("fit", split.trains), ("stop", split.validates), ("choose", judged)]
    for use, seen in uses:
        fits.note(f"{task.name}/path split {number + 1}", use, seen.rows, seen.x, *seen.labels)
    model = FoldFits(task.name, split, task.seed, task.threads, task.device)
    distributions, loss, out = distributions_of(task.space, task.start), METRICS[metric].loss, []
    for trial in trials:
        settings = task.start.model_copy(update=typed(trial.parameters, distributions))
        fitted = model.fit(scale_rows(settings, task.screened_frac))
        out.append({each: loss(part.y, fitted.predict(part.x), part.weights) for each, part in parts.items()})
    return out


def _by_group(sample: Sample, group: npt.NDArray[np.int64]) -> dict[int, Sample]:
    """Group of time -> its rows, whose weights have the mean 1 again."""
    own = group[sample.rows]
    parts = {each: sample.take(own == each) for each in np.unique(own).tolist()}
    return {
        each: part if part.weights is None else replace(part, weights=with_mean_one(part.weights))
        for each, part in parts.items()
    }


@contextlib.contextmanager
def _naming_the_way_out() -> Iterator[None]:
    """Nothing is chosen along paths: whoever cannot have them can do without."""
    try:
        yield
    except InputError as error:
        help_line = "set tune.n_path_groups lower, or to null"
        raise InputError([replace(problem, help=help_line) for problem in error.problems]) from None
