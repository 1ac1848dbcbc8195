"""Laws of the splitters: no label interval of train comes near one of test, and nothing is lost that need not be."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score

from candlelock.contracts.errors import InputError
from candlelock.split.splitters import CombinatorialPurged, WalkForward, apart

if TYPE_CHECKING:
    from candlelock.split.splitters import Times


@st.composite
def labels(draw: st.DrawFn, min_rows: int = 1) -> tuple[Times, Times, np.ndarray]:
    """Decisions of several symbols with gaps, in any order, labels of any length, some of them unknown."""
    starts = np.array(draw(st.lists(st.integers(0, 60), min_size=min_rows, max_size=40)), np.int64)
    lengths = np.array(draw(st.lists(st.integers(0, 12), min_size=len(starts), max_size=len(starts))), np.int64)
    is_known = np.array(draw(st.lists(st.integers(0, 9), min_size=len(starts), max_size=len(starts)))) > 0
    return starts, starts + lengths, is_known


def distance(a: tuple[int, int], b: tuple[int, int]) -> int:
    """Between two closed intervals; 0 where they touch or meet."""
    return max(0, b[0] - a[1], a[0] - b[1])


def nullable(ends: Times, is_known: np.ndarray) -> pd.Series:
    return pd.Series(ends).astype("Int64").where(is_known)


@given(labels(0), labels(0), st.integers(0, 5))
def test_apart_is_what_every_pair_says(
    mine: tuple[Times, Times, np.ndarray], others: tuple[Times, Times, np.ndarray], margin: int
) -> None:
    found = apart(mine[0], mine[1], others[0], others[1], margin)
    pairs = list(zip(others[0].tolist(), others[1].tolist(), strict=True))
    for i, row in enumerate(zip(mine[0].tolist(), mine[1].tolist(), strict=True)):
        assert found[i] == all(distance(row, other) > margin for other in pairs)


@given(labels(8), st.integers(1, 4), st.none() | st.integers(1, 30), st.integers(0, 6))
@settings(max_examples=300)
def test_walk_forward_trains_on_all_that_was_known_before_and_on_nothing_else(
    drawn: tuple[Times, Times, np.ndarray], n_splits: int, train_span: int | None, embargo: int
) -> None:
    starts, ends, is_known = drawn
    splitter = build(
        lambda: WalkForward(starts, nullable(ends, is_known), n_splits, train_span=train_span, embargo=embargo)
    )
    tested: list[int] = []
    for train, test in splits(splitter, len(starts)):
        begin = starts[test].min()
        for row in range(len(starts)):
            is_early = starts[row] < begin and (train_span is None or starts[row] >= begin - train_span)
            clear = all(distance((starts[row], ends[row]), (starts[i], ends[i])) > embargo for i in test)
            assert (row in train) == bool(is_known[row] and is_early and clear), row
        assert not tested or begin > starts[tested].max(), "stretches follow each other; rows of one time stay together"
        tested += test.tolist()
    assert len(set(tested)) == len(tested)
    first = starts[tested].min()
    assert sorted(tested) == np.flatnonzero(is_known & (starts >= first)).tolist()


@given(labels(8), st.data())
@settings(max_examples=300)
def test_combinatorial_splits_are_apart_complete_and_lose_nothing_needlessly(
    drawn: tuple[Times, Times, np.ndarray], data: st.DataObject
) -> None:
    starts, ends, is_known = drawn
    n_groups = data.draw(st.integers(2, 5))
    n_test, embargo = data.draw(st.integers(1, n_groups - 1)), data.draw(st.integers(0, 6))
    splitter = build(lambda: CombinatorialPurged(starts, nullable(ends, is_known), n_groups, n_test, embargo=embargo))
    found = splits(splitter, len(starts))
    assert len(found) == splitter.get_n_splits() == comb(n_groups, n_test)
    for train, test in found:
        for row in set(range(len(starts))) - set(test.tolist()):
            clear = all(distance((starts[row], ends[row]), (starts[i], ends[i])) > embargo for i in test)
            assert (row in train) == bool(is_known[row] and clear), row
    times = np.bincount(np.concatenate([test for _, test in found]), minlength=len(starts))
    assert times.tolist() == np.where(is_known, comb(n_groups - 1, n_test - 1), 0).tolist()


def build(make: Any) -> Any:
    """The splitter, or none of these where there are too few times to cut."""
    try:
        return make()
    except InputError as error:
        assume("enough to cut" not in str(error))
        raise


def splits(splitter: Any, n_rows: int) -> list[tuple[np.ndarray, np.ndarray]]:
    try:
        return list(splitter.split(np.zeros((n_rows, 1))))
    except InputError as error:
        assume("no row left to train on" not in str(error))
        raise


@given(st.integers(2, 7), st.data())
def test_every_path_has_every_group_once_and_every_answer_is_on_one_path(n_groups: int, data: st.DataObject) -> None:
    n_test = data.draw(st.integers(1, n_groups - 1))
    time = np.arange(4 * n_groups)
    splitter = CombinatorialPurged(time, time, n_groups, n_test)
    paths, choices = splitter.paths(), list(combinations(range(n_groups), n_test))
    assert paths.shape == (comb(n_groups - 1, n_test - 1), n_groups)
    told = [(int(split), group) for path in paths for group, split in enumerate(path)]
    assert sorted(told) == sorted((number, group) for number, groups in enumerate(choices) for group in groups)


def test_a_label_that_ends_where_test_begins_is_out() -> None:
    """Ten rows an hour apart, labels of two hours: row 4 ends at 6, after test began, and is out."""
    times = pd.date_range("2024-01-01", periods=10, freq="h", tz="UTC")
    ((train, test),) = WalkForward(times, times + pd.Timedelta("2h"), 1).split(times)
    assert (train.tolist(), test.tolist()) == ([0, 1, 2], [5, 6, 7, 8, 9])
    ((train, _),) = WalkForward(times, times + pd.Timedelta("2h"), 1, embargo="1h").split(times)
    assert train.tolist() == [0, 1]
    ((train, _),) = WalkForward(times, times + pd.Timedelta("2h"), 1, train_span="4h").split(times)
    assert train.tolist() == [1, 2]


def test_the_unit_of_datetimes_makes_no_difference() -> None:
    times = pd.Series(pd.date_range("2024-01-01", periods=40, freq="30min", tz="Europe/Berlin"))
    ends = times + pd.Timedelta("90min")
    numbers = times.astype("datetime64[ns, UTC]").astype("int64").to_numpy()
    wanted = splits(CombinatorialPurged(numbers, numbers + 90 * 60 * 10**9, 4, 2, embargo=60 * 10**9), 40)
    for unit in ("s", "ms", "us", "ns"):
        found = splits(CombinatorialPurged(times.dt.as_unit(unit), ends.dt.as_unit(unit), 4, 2, embargo="1min"), 40)
        for mine, theirs in zip(found, wanted, strict=True):
            assert [each.tolist() for each in mine] == [each.tolist() for each in theirs]


def test_scikit_learn_takes_them() -> None:
    times = np.arange(60)
    x, y = np.zeros((60, 1)), np.tile([0, 1], 30)
    for splitter in (WalkForward(times, times + 2, 4), CombinatorialPurged(times, times + 2, 5, 2)):
        scores = cross_val_score(DummyClassifier(), x, y, cv=splitter)
        assert len(scores) == splitter.get_n_splits()
        assert np.isfinite(scores).all()


HOURS = pd.date_range("2024-01-01", periods=12, freq="h")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: WalkForward(HOURS, HOURS[:-1]), "11 values"),
        (lambda: WalkForward(HOURS, HOURS - pd.Timedelta("1h")), "no label before its decision"),
        (lambda: WalkForward(HOURS, HOURS.tz_localize("UTC")), "both datetimes of one kind"),
        (lambda: WalkForward(HOURS.astype(str), HOURS), "values of type"),
        (lambda: WalkForward(np.arange(12.0), np.arange(12.0)), "values of type float64"),
        (lambda: WalkForward([pd.NaT, *HOURS[1:]], HOURS), "none in row 0"),
        (lambda: WalkForward(HOURS, HOURS, embargo=5), "a length of time"),
        (lambda: WalkForward(HOURS, HOURS, embargo="-1h"), "not negative"),
        (lambda: WalkForward(HOURS, HOURS, embargo="soon"), "a length of time"),
        (lambda: WalkForward(range(12), range(12), embargo="1h"), "a whole number"),
        (lambda: WalkForward(HOURS, HOURS, 0), "at least 1"),
        (lambda: WalkForward(HOURS, HOURS, 12), "enough to cut into 13"),
        (lambda: WalkForward(HOURS, [pd.NaT] * 12), "0 rows with a label"),
        (lambda: CombinatorialPurged(HOURS, HOURS, 4, 4), "at most 3"),
        (lambda: list(WalkForward(HOURS, HOURS).split(range(9))), "9 rows"),
        (lambda: list(WalkForward(HOURS, HOURS, embargo="9h").split(range(12))), "no row left to train on"),
    ],
)
def test_wrong_arguments_are_refused_with_what_is_expected(make: Any, said: str) -> None:
    with pytest.raises(InputError, match="splitter") as caught:
        make()
    assert said in str(caught.value)
