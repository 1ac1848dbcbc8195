"""The splitters beside purgedcv and skfolio: the same where those hold, and what goes wrong where they do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from purgedcv import CombinatorialPurgedCV as PurgedCv
from purgedcv import WalkForwardSplit
from skfolio.model_selection import CombinatorialPurgedCV as Skfolio

from candlelock.split.splitters import CombinatorialPurged, WalkForward

HOUR = pd.Timedelta("1h")
N_ROWS = 120
HOURS = pd.Series(pd.date_range("2024-01-01", periods=N_ROWS, freq="h"))
X = np.zeros((N_ROWS, 1))


def trained_near_test(train: np.ndarray, test: np.ndarray, starts: pd.Series, ends: pd.Series) -> list[tuple[int, int]]:
    """Pairs of rows of train and test whose label intervals share a moment."""
    return [(i, j) for i in train for j in test if starts[i] <= ends[j] and starts[j] <= ends[i]]


def whole(splits: object) -> list[tuple[list[int], list[int]]]:
    return [(list(train), sorted(np.concatenate([np.atleast_1d(part) for part in test]))) for train, test in splits]  # type: ignore[attr-defined]


@pytest.mark.parametrize("n_test", [1, 2, 3])
@pytest.mark.parametrize("random_labels", [False, True])
def test_purgedcv_agrees_where_no_label_ends_just_where_another_begins(n_test: int, *, random_labels: bool) -> None:
    """One symbol; labels end between decisions, so that open and closed ends are one."""
    lengths = np.random.default_rng(4).integers(0, 9, N_ROWS) if random_labels else np.full(N_ROWS, 3)
    ends = HOURS + lengths * HOUR + HOUR / 2
    theirs = PurgedCv(6, n_test, prediction_times=HOURS, evaluation_times=ends).split(X)
    assert whole(CombinatorialPurged(HOURS, ends, 6, n_test).split(X)) == whole(theirs)


@pytest.mark.parametrize("embargo", ["0h", "1h", "4h"])
def test_purgedcv_agrees_on_an_embargo_that_it_calls_a_purge_horizon(embargo: str) -> None:
    """Its horizon pads both sides of test; a nanosecond more makes its open ends closed."""
    horizon = pd.Timedelta(embargo) + pd.Timedelta(1, "ns")
    times = {"prediction_times": HOURS, "evaluation_times": HOURS + 3 * HOUR, "purge_horizon": horizon}
    mine = WalkForward(HOURS, HOURS + 3 * HOUR, 5, embargo=embargo)
    assert whole(mine.split(X)) == whole(WalkForwardSplit(5, 20, **times).split(X))
    for n_test in (1, 2):
        choices = CombinatorialPurged(HOURS, HOURS + 3 * HOUR, 6, n_test, embargo=embargo)
        assert whole(choices.split(X)) == whole(PurgedCv(6, n_test, **times).split(X))


def test_purgedcv_agrees_walking_forward() -> None:
    ends = HOURS + 3.5 * HOUR
    theirs = WalkForwardSplit(5, 20, prediction_times=HOURS, evaluation_times=ends).split(X)
    assert whole(WalkForward(HOURS, ends, 5).split(X)) == whole(theirs)


def test_purgedcv_keeps_a_label_that_ends_where_test_begins() -> None:
    """It takes a label's end as outside the label: the price that decides the training label is test's first."""
    ends = HOURS + 3 * HOUR
    ((train, test),) = WalkForwardSplit(1, 60, prediction_times=HOURS, evaluation_times=ends).split(X)
    assert trained_near_test(train, test, HOURS, ends) == [(57, 60)]
    ((train, test),) = WalkForward(HOURS, ends, 1).split(X)
    assert trained_near_test(train, test, HOURS, ends) == []


def test_purgedcv_parts_the_symbols_of_one_time() -> None:
    """Its stretches are counted in rows: of two rows of one hour, known at once, one is trained on, one tested."""
    times = HOURS.repeat(2).reset_index(drop=True).iloc[:90]
    ends = times  # with labels of some length its purge would take the row out
    (train, test), *_ = PurgedCv(2, 1, prediction_times=times, evaluation_times=ends).split(times)
    assert set(times[train]) & set(times[test]) == {HOURS[22]}
    for train, test in CombinatorialPurged(times, ends, 2, 1).split(times):
        assert not set(times[train]) & set(times[test])


@pytest.mark.parametrize("n_test", [2, 3])
def test_skfolio_agrees_on_a_grid_without_gaps_and_labels_of_one_length(n_test: int) -> None:
    """So many rows purged as a label is long are then its intervals."""
    theirs = Skfolio(n_folds=6, n_test_folds=n_test, purged_size=4).split(X)
    assert whole(CombinatorialPurged(HOURS, HOURS + 4 * HOUR, 6, n_test).split(X)) == whole(theirs)


def test_skfolio_counts_rows_and_not_the_time_of_their_labels() -> None:
    """Labels of up to eight hours and a purge of four rows, their mean: every one of its splits leaks, of this seed."""
    ends = HOURS + np.random.default_rng(4).integers(0, 9, N_ROWS) * HOUR
    leaks = [
        trained_near_test(train, np.concatenate(test), HOURS, ends)
        for train, test in Skfolio(n_folds=6, n_test_folds=2, purged_size=4).split(X)
    ]
    assert len(leaks) == 15
    assert all(leaks)
    for train, test in CombinatorialPurged(HOURS, ends, 6, 2).split(X):
        assert trained_near_test(train, test, HOURS, ends) == []
