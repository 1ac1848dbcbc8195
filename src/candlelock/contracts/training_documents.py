"""reports/<head>/training.json: the members, what each leans on, how steadily, and what a feature is worth later."""

from __future__ import annotations

from typing import Any, Literal

from candlelock.contracts.documents import Document, Importance, Segment, UtcTime


class FeatureGain(Importance):
    """The final model's share beside the mean, lowest and highest share over the models of the folds."""

    fold_mean: float
    fold_low: float
    fold_high: float


class Stability(Document):
    """How alike the folds' models are in what they lean on: 1 where all lean on the same.

    Means over every two folds: Spearman's correlation of the shares of gain, and of the `n_top` features of the largest
    shares the part that both have, of those that either has. Null where no two folds can be compared.
    """

    rank_correlation: float | None
    n_top: int
    top_overlap: float | None


class Permuted(Document):
    """By how much the loss rises when one feature's values come from other days, with its standard error over days.

    Null where that leaves every value as it is, as with what depends on the time of day alone.
    """

    name: str
    rise: float | None
    error: float | None


class PermutationImportance(Document):
    """Of the features with the largest shares of gain, largest rise first.

    `loss`: of the same rows as they are: log loss, or the squared error of a head of values.
    """

    segments: list[Segment]
    n_rows: int
    n_days: int
    n_repeats: int
    loss: float
    features: list[Permuted]


class Refit(Document):
    """A member trained once more, on all rows before test."""

    n_rounds: int
    n_rows: int
    last_label_end_utc: UtcTime


class Member(Document):
    """A trained member: settings, when it stopped, which rows it saw, what it leaned on.

    Of the model that answered calibrate and decide; `refit`: of the one after it, which answered test and is served, so
    that `files` has both. `device`: what is trained on a GPU may have other bytes the next time. `out_of_fold_loss`:
    log loss, or the squared error of a head of values.
    """

    role: Literal["member", "baseline"]
    device: Literal["cpu", "cuda"]
    files: list[str]
    hyperparameters: dict[str, Any]
    n_rounds: int
    n_rows: int
    first_decision_utc: UtcTime
    last_label_end_utc: UtcTime
    fold_rounds: list[int]
    out_of_fold_loss: float
    importance: list[FeatureGain]
    stability: Stability
    permutation: PermutationImportance
    refit: Refit | None


class TrainingReport(Document):
    """reports/<head>/training.json. `mean_value`: of the labels of a head of values; null for others."""

    n_rows: int
    n_up: int
    n_down: int
    mean_value: float | None
    first_decision_utc: UtcTime
    last_label_end_utc: UtcTime
    members: dict[str, Member]
