"""The losses that the search may minimise, against their definitions; each is lower for a better answer."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from candlelock.contracts.stage_params import SearchMetric, ValueMetric
from candlelock.train.metric import METRICS

OF_VALUES = {"rmse": np.sqrt((0.25 + 4 + 0 + 9) / 4), "mae": (0.5 + 2 + 0 + 3) / 4}
VALUES, ANSWERS = np.array([1.5, -2.0, 0.0, 30.0]), np.array([1.0, 0.0, 0.0, 33.0])
Y = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
P = np.array([0.9, 0.2, 0.4, 0.5, 0.6])
KNOWN = {
    "log_loss": -np.mean(np.log([0.9, 0.8, 0.4, 0.5, 0.4])),
    "brier": np.mean([0.01, 0.04, 0.36, 0.25, 0.36]),
    "auc": 1 - 4 / 6,  # pairs of an up and a down in the right order: 0.9 over both, 0.4 and 0.5 over 0.2
    "accuracy": 2 / 5,
    "f1": 1 - 2 * 2 / (2 * 2 + 1 + 1),
    "precision": 1 - 2 / 3,
    "recall": 1 - 2 / 3,
}


@pytest.mark.parametrize("name", KNOWN)
def test_losses_are_those_of_their_definitions(name: SearchMetric) -> None:
    assert METRICS[name].loss(Y, P, None) == pytest.approx(KNOWN[name], rel=1e-12)
    assert METRICS[name].loss(Y, Y, None) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", OF_VALUES)
def test_losses_of_values_are_those_of_their_definitions(name: ValueMetric) -> None:
    assert METRICS[name].loss(VALUES, ANSWERS, None) == pytest.approx(OF_VALUES[name], rel=1e-12)
    assert METRICS[name].loss(VALUES, VALUES, None) == 0


@pytest.mark.parametrize("name", [*KNOWN, *OF_VALUES])
def test_a_row_that_counts_twice_is_a_row_that_is_there_twice(name: SearchMetric | ValueMetric) -> None:
    random = np.random.default_rng(5)
    p, times = np.round(random.random(60), 1), random.integers(1, 4, 60)
    y = (random.random(60) < p).astype(float)
    weights = times / times.mean()
    told, repeated = (
        METRICS[name].loss(y, p, weights),
        METRICS[name].loss(np.repeat(y, times), np.repeat(p, times), None),
    )
    assert told == pytest.approx(repeated, rel=1e-12)
    assert told != pytest.approx(METRICS[name].loss(y, p, None), rel=1e-4)


def test_every_metric_of_the_parameters_is_there() -> None:
    assert set(get_args(SearchMetric)) == set(KNOWN)
    assert set(get_args(ValueMetric)) == set(OF_VALUES)
    assert set(METRICS) == {*KNOWN, *OF_VALUES}


@pytest.mark.parametrize("name", ["f1", "precision", "recall"])
def test_no_up_called_is_the_worst(name: SearchMetric) -> None:
    assert METRICS[name].loss(Y, np.zeros(5), None) == 1
