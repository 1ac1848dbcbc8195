"""Symbols that are one series under two names, at the same times or some bars apart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.leakage_documents import Leak
from candlelock.leakage.rows import leak_check, when

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from candlelock.contracts.leakage_documents import LeakCheck
    from candlelock.leakage.rows import LabelledRows, Times

    Floats = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.intp]

WHAT = "labels and features of every two symbols on their common times, and at the shift that fits best"
HELP = "keep one of the two: where they fall into two parts, one tells the other's labels"
MAX_SYMBOLS = 50
MIN_COMMON = 100
SAMPLE = 2000  # common rows compared
SAME = 0.9999  # correlation of a column
SAME_LABEL = 0.98
MIN_COLUMNS = 3
MAX_SHIFT = 5000  # bars
MAX_GRID = 1 << 22


@dataclass(frozen=True)
class _Series:
    """Rows of a symbol in the order of time; times stand once."""

    name: str
    rows: Rows
    times: Times


@dataclass(frozen=True)
class _Meeting:
    """Two symbols' common rows at a shift: correlations of their columns and of their labels; NaN for none."""

    one: _Series
    other: _Series
    shift_ms: int
    first: tuple[int, int]
    columns: Floats
    label: float


def check_series(rows: LabelledRows, label: Floats, names: Sequence[str], values: Floats) -> LeakCheck:
    """A finding per pair of symbols whose labels and most of whose own columns agree on at least MIN_COMMON rows.

    A column that agrees between most pairs whose labels do not is one of the market, such as the hour or an index, and
    tells no two symbols alike. `label` (n_rows,), `values` (n_rows, n_features), NaN none.
    """
    series = list(_series(rows))[:MAX_SYMBOLS]
    steps = np.concatenate([np.diff(each.times) for each in series]) if series else np.zeros(0, np.int64)
    bar_ms = int(np.median(steps)) if len(steps) else 0
    aligned = [found for pair in combinations(series, 2) if (found := _meet(*pair, 0, label, values))]
    is_market = _market(aligned, values.shape[1])
    meetings = aligned + _shifted(series, aligned, is_market, bar_ms, label, values)
    findings: list[Leak] = []
    for each in meetings:
        own = each.columns[~is_market]
        n_same = int(np.sum(own > SAME))
        if each.label > SAME_LABEL and n_same >= MIN_COLUMNS and 2 * n_same > np.sum(~np.isnan(own)):
            findings.append(_leak(rows, each, n_same, int(np.sum(~np.isnan(own))), bar_ms))
    market = [name for name, is_one in zip(names, is_market, strict=True) if is_one]
    evidence = {"n_symbols": len(series), "n_symbols_left_out": len(rows.symbols) - len(series), "of_market": market}
    return leak_check("series", WHAT, len(aligned), findings, evidence)


def _series(rows: LabelledRows) -> Iterator[_Series]:
    order = np.lexsort((rows.decision_ms, rows.symbol))
    for which in np.split(order, np.flatnonzero(np.diff(rows.symbol[order])) + 1):
        times, at = np.unique(rows.decision_ms[which], return_index=True)
        if len(times) >= MIN_COMMON:
            yield _Series(rows.symbol_at(int(which[0])), which[at], times)


def _meet(one: _Series, other: _Series, shift_ms: int, label: Floats, values: Floats) -> _Meeting | None:
    """Compare one, so much later, with the other; None when they have few times in common."""
    _, mine, its = np.intersect1d(one.times + shift_ms, other.times, assume_unique=True, return_indices=True)
    if len(mine) < max(MIN_COMMON, min(len(one.times), len(other.times)) // 4):
        return None
    sample = np.linspace(0, len(mine) - 1, min(SAMPLE, len(mine))).astype(np.intp)
    left, right = one.rows[mine[sample]], other.rows[its[sample]]
    columns = _correlation(values[left], values[right])
    agreed = _correlation(label[left, None], label[right, None])[0]
    return _Meeting(one, other, shift_ms, (int(left[0]), int(right[0])), columns, float(agreed))


def _correlation(one: Floats, other: Floats) -> Floats:
    """Of each column, over rows where both are there; NaN where one stands still or most rows lack it."""
    there = ~np.isnan(one) & ~np.isnan(other)
    n_there = np.maximum(there.sum(axis=0), 1)
    spans = []
    for values in (one, other):
        filled = np.where(there, values, 0)
        largest = np.maximum(np.abs(filled).max(axis=0), np.finfo(float).tiny)
        filled = filled / largest  # so that no square overflows
        spans.append(np.where(there, filled - filled.sum(axis=0) / n_there, 0))
    norms = [np.sqrt(np.sum(span**2, axis=0)) for span in spans]
    exists = (norms[0] > 1e-12 * np.sqrt(n_there)) & (norms[1] > 1e-12 * np.sqrt(n_there)) & (n_there >= len(one) // 2)
    product = norms[0] * norms[1]
    return np.where(exists, np.sum(spans[0] * spans[1], axis=0) / np.where(exists, product, 1), np.nan)


def _market(meetings: list[_Meeting], n_columns: int) -> npt.NDArray[np.bool_]:
    """Columns that agree between most pairs of symbols whose labels do not."""
    columns = [each.columns > SAME for each in meetings if not each.label > SAME_LABEL]
    return np.mean(columns, axis=0) > 0.5 if columns else np.zeros(n_columns, dtype=bool)


def _shifted(
    series: list[_Series],
    aligned: list[_Meeting],
    is_market: npt.NDArray[np.bool_],
    bar_ms: int,
    label: Floats,
    values: Floats,
) -> list[_Meeting]:
    """Pairs at the shift, other than none, at which their most different column fits best."""
    if not aligned or is_market.all() or bar_ms <= 0:
        return []
    alike = np.nan_to_num(np.abs([each.columns for each in aligned]), nan=1.0).mean(axis=0)
    driver = int(np.argmin(np.where(is_market, np.inf, alike)))
    begin = min(int(each.times[0]) for each in series)
    n_bars = (max(int(each.times[-1]) for each in series) - begin) // bar_ms + 1
    if n_bars > MAX_GRID:
        return []
    size = 1 << int(n_bars + MAX_SHIFT).bit_length()
    waves = {each.name: _wave(each, values[each.rows, driver], begin, bar_ms, size) for each in series}
    found = []
    for each in aligned:
        fit = np.fft.irfft(waves[each.other.name] * np.conj(waves[each.one.name]), size)
        shifts = np.append(np.arange(1, MAX_SHIFT + 1), -np.arange(1, MAX_SHIFT + 1))
        shift = int(shifts[np.argmax(fit[shifts])])
        meeting = _meet(each.one, each.other, shift * bar_ms, label, values)
        if meeting:
            found.append(meeting)
    return found


def _wave(series: _Series, column: Floats, begin: int, bar_ms: int, size: int) -> npt.NDArray[np.complex128]:
    grid = np.zeros(size)
    ranks = np.argsort(np.argsort(column, kind="stable"), kind="stable") / len(column) - 0.5  # outliers weigh no more
    grid[(series.times - begin) // bar_ms] = np.where(np.isnan(column), 0, ranks)
    return np.fft.rfft(grid)


def _leak(rows: LabelledRows, each: _Meeting, n_same: int, n_own: int, bar_ms: int) -> Leak:
    n_bars = each.shift_ms // bar_ms if bar_ms else 0
    how = f"{abs(n_bars):,} bars {'later' if n_bars > 0 else 'earlier'}" if n_bars else "at the same times"
    left, right = each.first
    return Leak(
        code="series-twice",
        subject=f"{each.one.name} and {each.other.name}",
        symbol=each.other.name,
        row=right,
        known_utc=when(rows.decision_ms[left]),
        used_utc=when(rows.decision_ms[right]),
        detail=f"the label and {n_same} of {n_own} columns of {each.other.name} are those of {each.one.name}, {how}",
        help=HELP,
    )
