"""What the search may minimise: losses of up-probabilities and of values, of which lower is always better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    f1_score,
    mean_absolute_error,
    precision_score,
    recall_score,
    roc_auc_score,
    root_mean_squared_error,
)

from candlelock.train.members import log_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from candlelock.contracts.stage_params import SearchMetric, ValueMetric
    from candlelock.train.learner import Array

UP_FROM = 0.5  # of a probability, to count as "up"


@dataclass(frozen=True)
class Metric:
    """`loss(y, p, weights)`: of labels 1.0 and 0.0 and probabilities of up, both (n_rows,); of both classes, no NaN.

    `weights`: how much each row counts, (n_rows,), mean 1; None: all the same. Of RMSE and MAE labels and answers are
    values instead.
    """

    label: str
    loss: Callable[[Array, Array, Array | None], float]


def _brier(y: Array, p: Array, weights: Array | None) -> float:
    return float(brier_score_loss(y, p, sample_weight=weights))


def _auc_loss(y: Array, p: Array, weights: Array | None) -> float:
    return 1.0 - float(roc_auc_score(y, p, sample_weight=weights))


def _miss(y: Array, p: Array, weights: Array | None) -> float:
    return 1.0 - float(accuracy_score(y > 0, p >= UP_FROM, sample_weight=weights))


def _f1_loss(y: Array, p: Array, weights: Array | None) -> float:
    return 1.0 - float(f1_score(y > 0, p >= UP_FROM, sample_weight=weights, zero_division=0.0))


def _precision_loss(y: Array, p: Array, weights: Array | None) -> float:
    return 1.0 - float(precision_score(y > 0, p >= UP_FROM, sample_weight=weights, zero_division=0.0))


def _recall_loss(y: Array, p: Array, weights: Array | None) -> float:
    return 1.0 - float(recall_score(y > 0, p >= UP_FROM, sample_weight=weights))


def _rmse(y: Array, answer: Array, weights: Array | None) -> float:
    return float(root_mean_squared_error(y, answer, sample_weight=weights))


def _mae(y: Array, answer: Array, weights: Array | None) -> float:
    return float(mean_absolute_error(y, answer, sample_weight=weights))


METRICS: Mapping[SearchMetric | ValueMetric, Metric] = {
    "log_loss": Metric("log loss", log_loss),
    "brier": Metric("Brier score", _brier),
    "auc": Metric("1 - AUC", _auc_loss),
    "accuracy": Metric("1 - accuracy", _miss),
    "f1": Metric("1 - F1", _f1_loss),
    "precision": Metric("1 - precision", _precision_loss),
    "recall": Metric("1 - recall", _recall_loss),
    "rmse": Metric("RMSE", _rmse),
    "mae": Metric("MAE", _mae),
}
