"""Splitters in time for scikit-learn that look at when each label is known, not at how many rows lie between.

A label is an interval from its decision to the time at which it became known, both included; rows may belong to several
symbols, come in any order, lie across gaps and have labels of any length. No label interval of train comes within
`embargo` of one of test, on either side: one that ends exactly where test begins is out. Rows of one time are never
parted. A row whose label is unknown is in neither.

    folds = WalkForward(rows["decision_time"], rows["label_end"], n_splits=5, embargo="4h")
    cross_val_score(model, x, y, cv=folds)

Source: López de Prado, Advances in Financial Machine Learning (2018), chapters 7 and 12.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from numbers import Integral, Number
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import BaseCrossValidator

from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

Times = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
NUMBERS, ZONED = "whole numbers", "datetimes with a time zone"
FIRST, LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
TimeColumn: TypeAlias = Union["pd.Series", "pd.Index", "npt.NDArray[np.generic]", "Sequence[datetime | int]"]
Span: TypeAlias = Union[str, int, "timedelta", "np.timedelta64"]


def apart(starts: Times, ends: Times, other_starts: Times, other_ends: Times, margin: int = 0) -> Mask:
    """Which closed intervals [start, end] lie more than `margin` away from every one of the others."""
    if not len(other_starts):
        return np.ones(len(starts), dtype=bool)
    low = np.where(starts < FIRST + margin, FIRST, starts - margin)  # never beyond what an int64 holds
    high = np.where(ends > LAST - margin, LAST, ends + margin)
    order = np.argsort(other_starts, kind="stable")
    reach = np.append(FIRST, np.maximum.accumulate(other_ends[order]))
    n_begun = np.searchsorted(other_starts[order], high, side="right")
    is_apart: Mask = (n_begun == 0) | (reach[n_begun] < low)
    return is_apart


class _TimeSplitter(BaseCrossValidator):  # type: ignore[misc]
    """What both have in common: intervals, shares of time, and the protocol of scikit-learn."""

    def __init__(self, decision_time: TimeColumn, label_end: TimeColumn, n_shares: int, embargo: Span) -> None:
        self.decision_time, self.label_end, self.embargo = decision_time, label_end, embargo
        self._starts, self._ends, self._is_known, self._kind = _intervals(decision_time, label_end)
        self._margin = _span(embargo, self._kind, "embargo", 0)
        self._shares = _cut(self._starts, self._is_known, n_shares)

    def split(self, X: object, y: object = None, groups: object = None) -> Iterator[tuple[Rows, Rows]]:  # noqa: N803
        """Row numbers of train and of test for each split. `X`: rows as handed over at the beginning; only counted.

        Raises InputError for another number of rows, and when nothing is left to train on.
        """
        n_rows = _n_rows(X)
        if n_rows != len(self._starts):
            raise _refusal("rows", f"{n_rows} rows", f"{len(self._starts)}, as many as there are decision times")
        for number, (train, test) in enumerate(self._masks(), start=1):
            if not train.any():
                help_line = "fewer splits, a smaller embargo or a longer training span"
                raise _refusal(f"split {number}", "no row left to train on", "some", help_line)
            yield np.flatnonzero(train), np.flatnonzero(test)

    def _masks(self) -> Iterator[tuple[Mask, Mask]]:
        raise NotImplementedError

    def _pair(self, candidates: Mask, test: Mask) -> tuple[Mask, Mask]:
        starts, ends = self._starts, self._ends
        return candidates & apart(starts, ends, starts[test], ends[test], self._margin), test


class WalkForward(_TimeSplitter):
    """Train on what was known before each of `n_splits` successive stretches of time, and test on that stretch.

    The labelled rows are cut, by time, into `n_splits` + 1 shares of about equal size; all but the first are tested.
    `train_span`: None trains on everything before (anchored), a length of time on its last so much (rolling).
    `decision_time` and `label_end`: a value per row, both datetimes, or both whole numbers of one unit; spans are then
    timedeltas (or "4h"), or whole numbers of that unit. A missing `label_end` is an unknown label.

    Raises InputError for times that are none, a label that ends before its decision, and too few times to cut.
    """

    def __init__(
        self,
        decision_time: TimeColumn,
        label_end: TimeColumn,
        n_splits: int = 5,
        *,
        train_span: Span | None = None,
        embargo: Span = 0,
    ) -> None:
        n_splits = _whole("n_splits", n_splits, 1, None)
        super().__init__(decision_time, label_end, n_splits + 1, embargo)
        self.n_splits, self.train_span = n_splits, train_span
        self._span = None if train_span is None else _span(train_span, self._kind, "train_span", 1)

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:  # noqa: N803
        """How many there are."""
        return self.n_splits

    def _masks(self) -> Iterator[tuple[Mask, Mask]]:
        for share in range(1, self.n_splits + 1):
            test = self._shares == share
            begin = self._starts[test].min()
            earlier = self._is_known & (self._starts < begin)
            if self._span is not None:
                earlier &= self._starts >= max(int(begin) - self._span, FIRST)
            yield self._pair(earlier, test)


class CombinatorialPurged(_TimeSplitter):
    """Every choice of `n_test_groups` out of `n_groups` stretches of time as test, and train on the rest of it.

    One group tested at a time is purged k-fold. Times and errors as in `WalkForward`.
    """

    def __init__(
        self,
        decision_time: TimeColumn,
        label_end: TimeColumn,
        n_groups: int = 6,
        n_test_groups: int = 2,
        *,
        embargo: Span = 0,
    ) -> None:
        n_groups = _whole("n_groups", n_groups, 2, None)
        n_test_groups = _whole("n_test_groups", n_test_groups, 1, n_groups - 1)
        super().__init__(decision_time, label_end, n_groups, embargo)
        self.n_groups, self.n_test_groups = n_groups, n_test_groups

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:  # noqa: N803
        """How many choices there are."""
        return comb(self.n_groups, self.n_test_groups)

    def group_of_rows(self) -> npt.NDArray[np.int64]:
        """Number of the stretch that each row lies in, from 0; -1 where its label is unknown."""
        return self._shares.copy()

    def paths(self) -> npt.NDArray[np.int64]:
        """Which split tells each group's answers on each back-test path: (n_paths, n_groups), splits from 0.

        Each path has every group once, each answer of a split about a group is on exactly one path.
        """
        tested: list[list[int]] = [[] for _ in range(self.n_groups)]
        for number, groups in enumerate(self._choices()):
            for group in groups:
                tested[group].append(number)
        return np.array(tested, np.int64).T

    def _choices(self) -> Iterator[tuple[int, ...]]:
        return combinations(range(self.n_groups), self.n_test_groups)

    def _masks(self) -> Iterator[tuple[Mask, Mask]]:
        for groups in self._choices():
            test = np.isin(self._shares, groups)
            yield self._pair(self._is_known & ~test, test)


def _cut(starts: Times, is_known: Mask, n_shares: int) -> npt.NDArray[np.int64]:
    """Number of the share of time that each row falls in, equal in labelled rows as far as times allow; -1: unknown."""
    times, n_at = np.unique(starts[is_known], return_counts=True)
    if len(times) < n_shares:
        found = f"{int(n_at.sum())} rows with a label at {len(times)} times"
        raise _refusal("decision_time", found, f"enough to cut into {n_shares} stretches", "fewer splits, or more rows")
    n_before, n_rows, at, cuts = np.cumsum(n_at) - n_at, int(n_at.sum()), 0, []
    for share in range(1, n_shares):
        wanted = int(np.searchsorted(n_before, n_rows * share // n_shares, side="right")) - 1
        at = min(max(wanted, at + 1), len(times) - n_shares + share)  # each share has a time of its own
        cuts.append(times[at])
    return np.where(is_known, np.searchsorted(np.array(cuts, np.int64), starts, side="right"), -1)


def _intervals(decision_time: TimeColumn, label_end: TimeColumn) -> tuple[Times, Times, Mask, str]:
    """Decisions and label ends as whole numbers, which labels are known, and what kind of times they are."""
    starts, is_there, kind = _read(decision_time, "decision_time")
    ends, is_known, other_kind = _read(label_end, "label_end")
    if len(starts) != len(ends):
        raise _refusal("label_end", f"{len(ends)} values", f"{len(starts)}, one for each decision")
    if kind != other_kind:
        found, expected = f"{kind} and {other_kind}", "both datetimes of one kind, or both whole numbers"
        raise _refusal("decision_time and label_end", found, expected)
    if not is_there.all():
        raise _refusal("decision_time", f"none in row {int(is_there.argmin())}", "a time in every row")
    ends = np.where(is_known, ends, starts)
    if (ends < starts).any():
        row = int((ends < starts).argmax())
        raise _refusal("label_end", f"one before the decision, in row {row}", "no label before its decision")
    return starts, ends, is_known, kind


def _read(column: TimeColumn, name: str) -> tuple[Times, Mask, str]:
    """Whole numbers, nanoseconds since 1970 of datetimes; which are there; the kind."""
    try:
        times = pd.Series(column).reset_index(drop=True)
        kind = _kind(times, name)
        is_there = times.notna().to_numpy()
        if kind == NUMBERS:
            numbers = np.zeros(len(times), np.int64)
            if (times[is_there] > LAST).any():
                raise OverflowError("a number of 2**63 or more")
            numbers[is_there] = times[is_there].to_numpy(np.int64)
            return numbers, is_there, kind
        if kind == ZONED:
            times = times.dt.tz_convert(None)
        return times.dt.as_unit("ns").to_numpy().astype(np.int64), is_there, kind
    except (TypeError, ValueError, OverflowError, NotImplementedError) as error:
        expected = "a column of datetimes from 1678 to 2261, or of whole numbers below 2**63"
        raise _refusal(name, str(error), expected, "an unknown label is missing (NaT), not far away") from None


def _kind(times: pd.Series, name: str) -> str:
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        return ZONED
    if pd.api.types.is_datetime64_dtype(times.dtype):
        return "datetimes without a time zone"
    if pd.api.types.is_integer_dtype(times.dtype):
        return NUMBERS
    help_line = "convert them first; whole numbers with missing ones are of type Int64"
    raise _refusal(name, f"values of type {times.dtype}", "datetimes or whole numbers", help_line)


def _span(span: Span, kind: str, name: str, least: int) -> int:
    """A length of time in the unit of the numbers; what no int64 holds is as good as forever."""
    expected = "a whole number, in the unit of the times" if kind == NUMBERS else "a length of time, such as '4h'"
    is_whole = isinstance(span, Integral) and not isinstance(span, bool)
    has_unit = not isinstance(span, Number) and (not isinstance(span, str) or any(map(str.isalpha, span)))
    if isinstance(span, np.timedelta64):
        has_unit = np.datetime_data(span)[0] != "generic"
    try:
        if is_whole and (kind == NUMBERS or span == 0):
            length = int(span)  # type: ignore[arg-type]
        elif kind != NUMBERS and has_unit:
            length = int(pd.Timedelta(span).as_unit("ns").value)
        else:
            raise ValueError
    except (TypeError, ValueError):
        raise _refusal(name, repr(span), expected) from None
    if length < least:
        raise _refusal(name, repr(span), f"{expected}, {'above 0' if least else 'not negative'}")
    return min(length, LAST)


def _n_rows(x: object) -> int:
    shape = getattr(x, "shape", None)  # sparse matrices have no length
    if shape:
        return int(shape[0])
    if not hasattr(x, "__len__") or shape == ():
        raise _refusal("rows", f"a {type(x).__name__}", "rows")
    return len(x)


def _whole(name: str, value: int, least: int, most: int | None) -> int:
    if (
        not isinstance(value, Integral)
        or isinstance(value, bool)
        or value < least
        or (most is not None and value > most)
    ):
        expected = f"a whole number of at least {least}{'' if most is None else f' and at most {most}'}"
        raise _refusal(name, repr(value), expected)
    return int(value)


def _refusal(place: str, found: str, expected: str, help_line: str = "mend the argument") -> InputError:
    return InputError(Problem("splitter", place, found, expected, help_line))
