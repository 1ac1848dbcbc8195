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
from scipy.sparse import csr_matrix
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
        assume("enough to cut" not in str(error))  # fewer times than stretches: see below
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
    for splitter in (WalkForward(times, times + 2, np.int64(4)), CombinatorialPurged(times, times + 2, 5, 2)):
        for table in (x, x.tolist(), pd.DataFrame(x), csr_matrix(x)):
            scores = cross_val_score(DummyClassifier(), table, y, cv=splitter)
            assert len(scores) == splitter.get_n_splits()
            assert np.isfinite(scores).all()


HOURS = pd.date_range("2024-01-01", periods=12, freq="h")


def test_lengths_and_times_at_the_ends_of_what_a_number_holds_still_purge() -> None:
    far, least = 2**63 - 1, -(2**63)
    starts, ends = np.arange(12), np.array([far, *range(3, 14)])
    ((train, _),) = WalkForward(starts, ends, 1, embargo=1).split(starts)
    assert train.tolist() == [1, 2], "a label that is never settled is never known"
    for embargo in (far, 10**30):
        with pytest.raises(InputError, match="no row left to train on"):
            list(WalkForward(starts, starts + 2, 1, embargo=embargo).split(starts))
    ((train, _),) = WalkForward(starts, starts, 1, train_span=10**30).split(starts)
    assert train.tolist() == [0, 1, 2, 3, 4, 5]
    early = np.array([least, least + 9, 0, 9])
    assert apart(early, early, np.array([least + 4]), np.array([least + 4]), 5).tolist() == [False, False, True, True]


def test_ties_are_cut_wherever_they_can_be() -> None:
    times = [0] * 10 + [1, 2, 3]
    ((train, test),) = WalkForward(times, times, 1).split(times)
    assert (len(train), test.tolist()) == (10, [10, 11, 12])
    shares = CombinatorialPurged([*[0] * 9, 1, 2], [*[0] * 9, 1, 2], 3, 1).group_of_rows()
    assert shares.tolist() == [0] * 9 + [1, 2]
    shares = CombinatorialPurged([0, 1, *[2] * 9], [0, 1, *[2] * 9], 3, 1).group_of_rows()
    assert shares.tolist() == [0, 1] + [2] * 9


def test_time_zones_meet_at_the_same_moment() -> None:
    """Across the hour that Berlin has twice, ends in another zone and unit, one of them unknown."""
    times = pd.Series(pd.date_range("2024-10-27", periods=8, freq="h", tz="Europe/Berlin"))
    ends = (times + pd.Timedelta("2h")).dt.tz_convert("America/New_York").dt.as_unit("s")
    ends[1] = pd.NaT
    ((train, test),) = WalkForward(times, ends, 1, embargo=0).split(times)
    assert (train.tolist(), test.tolist()) == ([0], [4, 5, 6, 7])


def test_missing_ends_of_whole_numbers_are_unknown_whatever_their_type() -> None:
    times = np.arange(12) + 2**40
    for dtype in ("Int64", "UInt64"):
        ends = pd.Series(times + 1, dtype=dtype)
        ends[2] = pd.NA
        ((train, _),) = WalkForward(times, ends, 1).split(times)
        assert train.tolist() == [0, 1, 3, 4], dtype


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
        (lambda: WalkForward(HOURS, HOURS, embargo=4.0), "a length of time"),  # of what?
        (lambda: WalkForward(HOURS, HOURS, embargo="4"), "a length of time"),
        (lambda: WalkForward(HOURS, HOURS, embargo=np.timedelta64(4)), "a length of time"),
        (lambda: WalkForward(HOURS, HOURS, embargo=True), "a length of time"),
        (lambda: WalkForward(HOURS, HOURS, train_span="0h"), "above 0"),
        (lambda: WalkForward(HOURS, HOURS, True), "at least 1"),
        (lambda: WalkForward(HOURS, HOURS, 20_000_000), "enough to cut"),
        (lambda: WalkForward(["9999-12-31"] * 12, HOURS), "values of type"),
        (lambda: WalkForward(np.array(["9999-12-31"] * 12, "M8[s]"), HOURS), "from 1678 to 2261"),
        (lambda: WalkForward(np.zeros((12, 2), int), range(12)), "a column of datetimes"),
        (lambda: WalkForward(np.full(12, 2**63, np.uint64), range(12)), "2**63"),
        (lambda: list(WalkForward(HOURS, HOURS).split(None)), "a NoneType"),
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
