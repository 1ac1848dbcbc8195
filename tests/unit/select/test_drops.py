"""What each step drops at its threshold, and what it says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from candlelock.contracts.errors import InputError
from candlelock.select import drops
from tests.unit.select.conftest import to_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.select_documents import DropStep
    from candlelock.select.train_rows import TrainRows

NOISE = np.random.default_rng(1).normal(size=(200, 4))


def reasons(step: DropStep) -> dict[str, tuple[str, float | None, float, str | None]]:
    return {gone.name: (gone.reason, gone.score, gone.threshold, gone.twin) for gone in step.dropped}


def test_sparse_drops_what_is_mostly_null_or_constant_and_says_which() -> None:
    x = np.random.default_rng(1).normal(size=(200, 5))
    x[:101, 0], x[:100, 1], x[:, 2], x[:, 3] = np.nan, np.nan, 4.5, np.nan
    step = drops.fit_sparse(to_rows(x), 0.5)
    assert step.outputs == ["f1", "f4"]
    assert reasons(step) == {
        "f0": ("mostly null", 0.505, 0.5, None),
        "f2": ("constant", 0.0, 0.0, None),
        "f3": ("mostly null", 1.0, 0.5, None),
    }
    assert step.scores == {"f0": 0.505, "f1": 0.5, "f2": 0.0, "f3": 1.0, "f4": 0.0}


def test_a_constant_where_it_is_known_is_constant() -> None:
    x = NOISE.copy()
    x[::2, 0], x[1::2, 0] = np.nan, -1.0
    assert reasons(drops.fit_sparse(to_rows(x), 0.9)) == {"f0": ("constant", 0.0, 0.0, None)}


def test_correlation_names_the_twin_that_stays() -> None:
    x = np.column_stack([NOISE[:, 0], NOISE[:, 1], -3 * NOISE[:, 0] + 7])
    rows = to_rows(x)
    first = drops.fit_correlation(rows, np.array([0.1, 0.2, 0.1]), 0.95)
    assert (first.outputs, reasons(first)) == (["f0", "f1"], {"f2": ("correlated", 1.0, 0.95, "f0")})
    second = drops.fit_correlation(rows, np.array([0.1, np.nan, 0.3]), 0.95)
    assert (second.outputs, reasons(second)) == (["f1", "f2"], {"f0": ("correlated", 1.0, 0.95, "f2")})
    assert second.scores == {"f0": 0.1, "f1": None, "f2": 0.3}


def test_a_threshold_keeps_what_reaches_it_and_nothing_without_a_score() -> None:
    step = drops.fit_threshold("importance", to_rows(NOISE), np.array([0.001, 0.0009, np.nan, 0.5]), 0.001)
    assert step.outputs == ["f0", "f3"]
    assert reasons(step) == {"f1": ("weak", 0.0009, 0.001, None), "f2": ("weak", None, 0.001, None)}


def test_the_f_test_keeps_small_p_values() -> None:
    step = drops.fit_f_test(to_rows(NOISE), np.array([0.05, 0.051, np.nan, 0.0]), 0.05)
    assert step.outputs == ["f0", "f3"]
    assert reasons(step) == {"f1": ("weak", 0.051, 0.05, None), "f2": ("weak", None, 0.05, None)}


def test_a_stable_feature_keeps_to_its_side_by_far_enough_in_enough_periods() -> None:
    overall = [0.02, -0.02, 0.02, np.nan]
    periods = [
        [0.02, -0.05, 0.02, 0.02],
        [0.03, -0.01, -0.02, 0.02],
        [0.01, 0.001, 0.009, 0.02],
        [0.02, np.nan, -0.02, 0.02],
    ]
    edges = np.array([overall, *periods])
    shares = {"f0": 1.0, "f1": 0.5, "f2": 0.25, "f3": 0.0}
    strict = drops.fit_stability(to_rows(NOISE), edges, 0.01, 0.5)
    assert (strict.scores, strict.outputs) == (shares, ["f0", "f1"])
    assert reasons(strict) == {"f2": ("unstable", 0.25, 0.5, None), "f3": ("unstable", 0.0, 0.5, None)}
    assert drops.fit_stability(to_rows(NOISE), edges, 0.0, 0.5).outputs == ["f0", "f1", "f2"]
    assert drops.fit_stability(to_rows(NOISE), edges, 0.0, 0.75).outputs == ["f0"]


def test_an_edge_of_nothing_is_on_no_side() -> None:
    assert drops.fit_stability(to_rows(NOISE[:, :2]), np.array([[0.0, 1e-9]] * 5), 0.0, 0.5).outputs == ["f1"]


@pytest.mark.parametrize(
    ("max_features", "kept"), [(1, ["f2"]), (2, ["f0", "f2"]), (3, ["f0", "f1", "f2"]), (4, None), (99, None)]
)
def test_the_count_keeps_the_best_and_of_equals_the_first(max_features: int, kept: list[str] | None) -> None:
    step = drops.fit_count(to_rows(NOISE), np.array([0.2, 0.2, 0.3, np.nan]), max_features)
    assert step.outputs == (kept or ["f0", "f1", "f2", "f3"])
    assert {gone.threshold for gone in step.dropped} <= {0.3 if max_features == 1 else 0.2}


@pytest.mark.parametrize(
    "fit",
    [
        lambda rows: drops.fit_sparse(to_rows(np.full((50, 3), np.nan)), 0.5),
        lambda rows: drops.fit_threshold("mutual_information", rows, np.full(4, np.nan), 0.0),
        lambda rows: drops.fit_f_test(rows, np.ones(4), 0.05),
        lambda rows: drops.fit_stability(rows, np.full((3, 4), np.nan), 0.0, 0.1),
    ],
    ids=["sparse", "mutual information", "f_test", "stability"],
)
def test_a_step_that_leaves_nothing_is_refused(fit: Callable[[TrainRows], DropStep]) -> None:
    with pytest.raises(InputError) as caught:
        fit(to_rows(NOISE))
    assert [problem.code for problem in caught.value.problems] == ["select-empty"]
