"""What no learner can train on, refused before it does, with the head, the learner and the part of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.contracts.errors import EnvironmentFaultError, Problem, raise_if
from candlelock.train.learner import LEARNERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from candlelock.contracts.train_params import Device
    from candlelock.train.learner import Array, Sample

N_COMPARED = 64  # values of each feature that are compared before whole features are


def refuse_rows(sample: Sample, place: str) -> None:
    """InputError for rows of one class or value alone, fewer rows than features, and weights that weigh nothing.

    Where labels are values, for those that are no number or infinite too. `place`: such as "head direction, lightgbm,
    fold 2".
    """
    raise_if(list(row_problems(sample, place)))


def row_problems(sample: Sample, place: str) -> Iterator[Problem]:
    """What `refuse_rows` refuses."""
    n_rows, n_features = sample.x.shape
    yield from _value_problems(sample.y, place) if sample.is_value else _class_problems(sample, place)
    if n_features > n_rows:
        found, help_line = f"{n_features} features and {n_rows} rows", "take more candles, or count in select.steps"
        yield Problem("train-wide", place, found, "more rows than features", help_line)
    weights = sample.weights
    if weights is not None and not (np.isfinite(weights).all() and weights.min() >= 0 and weights.sum() > 0):
        found, expected = f"weights that sum to {weights.sum():g}", "weights from 0 up, with a sum above 0"
        yield Problem("train-weights", place, found, expected, "mind train.weights")


def _class_problems(sample: Sample, place: str) -> Iterator[Problem]:
    n_rows, n_up = len(sample.y), int((sample.y == 1.0).sum())
    if n_up in (0, n_rows):
        found, help_line = f"{n_rows} rows, {n_up} of them up", "take more candles, or fewer folds"
        yield Problem("train-one-class", place, found, "rows of both classes", help_line)
    elif sample.soft is not None and np.unique(sample.soft).size < 2:
        found, help_line = f"{n_rows} rows whose share of closes above is the same", "let the head learn the end"
        yield Problem("train-one-value", place, found, "rows of different shares", help_line)


def _value_problems(y: Array, place: str) -> Iterator[Problem]:
    strange = np.flatnonzero(~np.isfinite(y))
    if strange.size:
        found, help_line = f"{strange.size} of {len(y)} labels, such as {y[strange[0]]}", "mind the label of the head"
        yield Problem("train-label", place, found, "a finite value in every row", help_line)
    elif np.unique(y).size < 2:
        found, help_line = f"{len(y)} rows of one value", "take more candles, or fewer folds"
        yield Problem("train-one-value", place, found, "rows of different values", help_line)


def refuse_features(sample: Sample, place: str) -> None:
    """InputError for features without a value, and for a feature that stands there twice. NaN is a value like others.

    Learners would bear both; but what they say of importance would be wrong, and a column of nothing is a mistake.
    """
    raise_if(list(_feature_problems(sample, place)))


def _feature_problems(sample: Sample, place: str) -> Iterator[Problem]:
    unknown = np.flatnonzero(np.isnan(sample.x).all(axis=0))
    for column in unknown.tolist():
        found, help_line = f"no value of {_name(sample, column)}", "add sparse to select.steps"
        yield Problem("train-null-feature", place, found, "a value in some row", help_line)
    for one, other in _twins(sample.x, set(unknown.tolist())):
        found = f"{_name(sample, other)} has the values of {_name(sample, one)}"
        yield Problem("train-twin-feature", place, found, "each feature once", "add correlation to select.steps")


def _name(sample: Sample, column: int) -> str:
    return sample.names[column] if sample.names else f"column {column + 1}"


def _twins(x: Array, unknown: set[int]) -> Iterator[tuple[int, int]]:
    """Pairs of equal columns, the first of its kind before each other one."""
    some = x[np.linspace(0, len(x) - 1, N_COMPARED).astype(int)]
    firsts: dict[bytes, list[int]] = {}
    for column in range(x.shape[1]):
        if column in unknown:
            continue
        alike = firsts.setdefault(np.nan_to_num(some[:, column], nan=np.inf).tobytes(), [])
        twin = next((one for one in alike if np.array_equal(x[:, one], x[:, column], equal_nan=True)), None)
        if twin is None:
            alike.append(column)
        else:
            yield twin, column


def optional_libraries(*learners: str) -> list[Any]:
    """The optional packages that these learners are made with.

    Raises EnvironmentFaultError where one is not installed, so that nothing is trained in vain.
    """
    asked = [LEARNERS[name].library for name in learners]
    return [library() for library in asked if library is not None]


def choose_device(asked: Device, learner: str, place: str) -> Literal["cpu", "cuda"]:
    """Where a learner trains: on a GPU only if that is asked for and the learner has a way to.

    Raises EnvironmentFaultError when a GPU is asked for, would be used, and there is none.
    """
    has_cuda = LEARNERS[learner].has_cuda
    if asked == "cpu" or has_cuda is None:
        return "cpu"
    if has_cuda():
        return "cuda"
    if asked == "cuda":
        found, help_line = f"no GPU that {learner} can see", "set train.device to auto or cpu"
        raise EnvironmentFaultError(Problem("train-device", place, found, "a CUDA device", help_line))
    return "cpu"
