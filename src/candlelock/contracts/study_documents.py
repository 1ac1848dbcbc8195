"""The documents of the search for settings."""

from __future__ import annotations

from typing import Literal

from candlelock.contracts.documents import Document
from candlelock.contracts.stage_params import SearchMetric, ValueMetric  # noqa: TC001  (pydantic reads annotations)


class Trial(Document):
    """One trial of a search; `loss` is the mean of the folds' losses, weighted by their rows. Lower is better.

    It ran on all rows (complete), on a share of the training rows (screened), or on all rows with the parameters of an
    earlier trial (rerun). A pruned one was ended before its last fold, on the rows that the others of its kind saw.
    """

    number: int
    parameters: dict[str, float]
    fold_losses: list[float]
    loss: float
    state: Literal["complete", "screened", "pruned", "rerun"]
    rerun_of: int | None


class Paths(Document):
    """How trials did along combinatorial purged paths, each of which takes every group of time once.

    `losses`: trial -> path -> group -> the loss of a model of the trial's settings on the group's rows, trained apart
    from the `n_test_groups` groups of a split. `trials`: their numbers.
    """

    n_groups: int
    n_test_groups: int
    trials: list[int]
    losses: list[list[list[float]]]


class Study(Document):
    """The search of one learner.

    `n_rows`: rows the trials were judged on; `n_asked`: trials asked for, of which there are fewer, reruns apart, where
    the time limit ended the search: such a study cannot be repeated. `best_losses`: the lowest loss up to each trial,
    reruns apart. `importance`: shares that sum to 1, empty where too few trials ended. `paths`: null where none were
    asked for, and for a learner without a space or of a single trial.
    """

    sampler: str
    seed: int
    metric: SearchMetric | ValueMetric
    n_rows: int
    n_asked: int
    screen_frac: float
    ended_by: Literal["trials", "time"]
    trials: list[Trial]
    best_trial: int
    best_parameters: dict[str, float]
    best_losses: list[float]
    importance: dict[str, float]
    paths: Paths | None


class StudyReport(Document):
    """reports/<head>/study.json."""

    studies: dict[str, Study]
