"""Rows that stand in two parts: the same key twice, or the same features, to the bit or nearly, at another key.

Copies are looked for among columns that tell rows apart. They are hashed on a grid, twice, half a cell apart, so that a
pair which one grid parts lies together in the other; rows of one cell, in the order of their first column, are compared
with the next few. That is a sort and some passes over the rows, whatever their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.leakage_documents import Leak
from candlelock.leakage.rows import LEFT_OUT, leak_check, when

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from candlelock.contracts.leakage_documents import LeakCheck
    from candlelock.leakage.rows import LabelledRows

    Floats = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.intp]

WHAT = "rows of two parts: the same symbol and time, or the same values, to the bit or within some noise"
HELP = "draw, fill up or add noise within the training part only, after the split; a row belongs to one part"
MIN_COLUMNS = 3  # that tell a row apart
MIN_DISTINCT, DISTINCT_SHARE = 100, 0.05  # different values of a column that tells rows apart
COMMON_SHARE, COMMON = 1e-3, 20  # a value that more of the rows have, tells nothing
ALIKE = 0.95  # rank correlation from which two columns tell the same
N_HASHED = 6
INNER = 5e-3  # of a column's spread: as near as a copy with noise of a thousandth is in all of many columns
OUTER = 8 * INNER
CELL = 16 * INNER
N_NEXT = 8
MIN_NEAR, MARGIN = 3, 2  # rows with a near partner; how many to each with one farther off
SAMPLE = 2000


@dataclass(frozen=True)
class _Column:
    """A column that tells rows apart: its place, its spread, how far it goes from row to row, its common values."""

    at: int
    spread: float
    step: float
    common: Floats


def check_copies(rows: LabelledRows, names: Sequence[str], values: Floats) -> LeakCheck:
    """A finding for keys that stand twice, exact copies and near ones; `values`: (n_rows, n_features), NaN for none.

    A column counts when it has many different values, moves both ways, and ranks rows unlike the others; a row counts
    by at least three such columns in which its value is no common one. Rows of a symbol that follow each other without
    any change, as in a market that stands still, are no copies of each other. Near copies are found when far more rows
    have a partner within INNER than one between INNER and OUTER: what is near by chance, or since it moves slowly, gets
    more with distance, copies do not.
    """
    used = np.flatnonzero((rows.part != LEFT_OUT) & rows.is_known)
    findings = list(_same_keys(rows, used))
    order = used[np.lexsort((rows.decision_ms[used], rows.symbol[used]))]
    columns = _telling(values, order, rows.symbol[order])
    apart = _unlike(values, order, columns)
    evidence: dict[str, object] = {"columns": [names[column.at] for column in columns], "n_unlike": len(apart)}
    if len(apart) >= MIN_COLUMNS:
        pairs, distance = _pairs(rows, values, order, columns, apart)
        is_exact = distance == 0
        is_near = ~is_exact & (distance <= INNER)
        n_near, n_far = len(np.unique(pairs[is_near, 1])), len(np.unique(pairs[~is_exact & ~is_near, 1]))
        evidence |= {"n_exact": len(np.unique(pairs[is_exact, 1])), "n_near": n_near, "n_farther": n_far}
        if is_exact.any():
            findings.append(_copied(rows, pairs[is_exact], "the same values in every column that tells rows apart"))
        if n_near >= MIN_NEAR and n_near > MARGIN * n_far:
            findings.append(_copied(rows, pairs[is_near], f"values within {INNER:g} of each column's spread"))
    n_compared = len(used) if len(apart) >= MIN_COLUMNS else 0  # rows are not told apart by fewer
    return leak_check("copies", WHAT, n_compared, findings, evidence)


def _same_keys(rows: LabelledRows, used: Rows) -> Iterator[Leak]:
    order = used[np.lexsort((rows.decision_ms[used], rows.symbol[used]))]
    one, other = order[:-1], order[1:]
    is_same = (rows.symbol[one] == rows.symbol[other]) & (rows.decision_ms[one] == rows.decision_ms[other])
    if is_same.any():
        pairs = np.column_stack([one[is_same], other[is_same]])
        yield _leak(rows, pairs[0], f"{len(pairs):,} keys of symbol and time stand twice; this one also in row")


def _copied(rows: LabelledRows, pairs: Rows, how: str) -> Leak:
    n_rows = len(np.unique(pairs[:, 1]))
    first = pairs[np.lexsort((rows.decision_ms[pairs[:, 0]], rows.decision_ms[pairs[:, 1]]))[0]]
    return _leak(rows, first, f"{n_rows:,} rows stand in an earlier part too, with {how}; this one in row")


def _leak(rows: LabelledRows, pair: Rows, detail: str) -> Leak:
    known, used = int(pair[0]), int(pair[1])
    return Leak(
        code="row-twice",
        subject=f"{rows.parts[rows.part[known]]} and {rows.parts[rows.part[used]]}",
        symbol=rows.symbol_at(used),
        row=used,
        known_utc=when(rows.decision_ms[known]),
        used_utc=when(rows.decision_ms[used]),
        detail=f"{detail} {known} of {rows.symbol_at(known)}",
        help=HELP,
    )


def _telling(values: Floats, order: Rows, symbol: npt.NDArray[np.int64]) -> list[_Column]:
    """Columns with many different values that are no clock or counter; `order`: rows by symbol, then time."""
    found = []
    is_next = symbol[1:] == symbol[:-1]
    for at in range(values.shape[1]):
        column = values[order, at]
        ranked = np.sort(column[~np.isnan(column)])
        starts = np.flatnonzero(np.append(True, np.diff(ranked) != 0)) if len(ranked) else np.zeros(0, np.intp)
        if len(starts) < max(MIN_DISTINCT, DISTINCT_SHARE * len(ranked)):
            continue
        steps = np.diff(column)[is_next]
        steps = steps[~np.isnan(steps)]
        spread = float(np.std(ranked))
        if not spread > 0 or not (steps > 0).any() or not (steps < 0).any():
            continue
        counts = np.diff(np.append(starts, len(ranked)))
        common = ranked[starts[counts > max(COMMON, COMMON_SHARE * len(ranked))]]
        found.append(_Column(at, spread, float(np.median(np.abs(steps))) / spread, common))
    return found


def _unlike(values: Floats, order: Rows, columns: list[_Column]) -> list[_Column]:
    """Columns none of which ranks rows nearly as another does, those that move fastest first."""
    sample = order[np.linspace(0, len(order) - 1, min(SAMPLE, len(order))).astype(np.intp)] if len(order) else order
    chosen: list[tuple[_Column, Floats]] = []
    for column in sorted(columns, key=lambda each: (-each.step, each.at)):
        ranks = np.argsort(np.argsort(values[sample, column.at], kind="stable"), kind="stable").astype(float)
        ranks = (ranks - ranks.mean()) / ranks.std()
        if all(abs(float(np.mean(ranks * other))) < ALIKE for _, other in chosen):
            chosen.append((column, ranks))
    return [column for column, _ in chosen]


def _pairs(
    rows: LabelledRows, values: Floats, order: Rows, columns: list[_Column], apart: list[_Column]
) -> tuple[Rows, Floats]:
    """Pairs of rows of two parts within OUTER, (n, 2), that of the earlier part first, and their largest distance."""
    hashed = np.column_stack([values[order, column.at] / column.spread for column in apart[:N_HASHED]])
    run = _standing(hashed, rows.symbol[order])
    found = [np.zeros((0, 2), np.intp)]
    for grid in range(2):
        for one, other in _neighbours(hashed, rows.part[order], grid):
            is_close = run[one] != run[other]
            for values_of in hashed.T:
                is_close[is_close] = _distance(values_of[one[is_close]], values_of[other[is_close]]) <= OUTER
            found.append(np.column_stack([order[one[is_close]], order[other[is_close]]]))
    pairs = np.unique(np.concatenate(found), axis=0)
    distance, n_telling = np.zeros(len(pairs)), np.zeros(len(pairs), np.int64)
    told = {column.at for column in apart}
    for column in columns:
        mine, others = values[pairs[:, 0], column.at], values[pairs[:, 1], column.at]
        distance = np.maximum(distance, _distance(mine / column.spread, others / column.spread))
        if column.at in told:
            n_telling += ~np.isnan(mine) & ~np.isin(mine, column.common)
    kept = (distance <= OUTER) & (n_telling >= MIN_COLUMNS)
    return pairs[kept], distance[kept]


def _neighbours(hashed: Floats, part: npt.NDArray[np.int64], grid: int) -> Iterator[tuple[Rows, Rows]]:
    """Positions of rows in one cell of a grid that belong to two parts, that of the earlier part first."""
    key = np.zeros(len(hashed), np.int64)
    for column in range(hashed.shape[1]):
        shift = 0.5 * grid + 0.37 * column
        cells = np.floor(np.clip(hashed[:, column] / CELL, -1e15, 1e15) + shift)
        key = key * np.int64(6364136223846793005) + np.where(np.isnan(cells), -1e16, cells).astype(np.int64)
        key ^= (key >> np.int64(29)) & np.int64(0x7FFFFFFFF)
    order = np.lexsort((hashed[:, 0], key))
    key, part = key[order], part[order]
    for step in range(1, min(N_NEXT, len(order) - 1) + 1):
        met = np.flatnonzero((key[:-step] == key[step:]) & (part[:-step] != part[step:]))
        one, other = order[met], order[met + step]
        is_first = part[met] < part[met + step]
        yield np.where(is_first, one, other), np.where(is_first, other, one)


def _standing(hashed: Floats, symbol: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number of the run of rows without any change that each row belongs to; rows by symbol, then time."""
    is_new = symbol[1:] != symbol[:-1]
    for column in range(hashed.shape[1]):
        is_new |= _distance(hashed[1:, column], hashed[:-1, column]) > 0
    return np.append(0, np.cumsum(is_new))


def _distance(one: Floats, other: Floats) -> Floats:
    """How far apart; 0 where both are NaN, infinity where one is."""
    distance = np.abs(one - other)
    lost = np.isnan(distance)
    if lost.any():
        distance[lost] = np.where(np.isnan(one[lost]) & np.isnan(other[lost]), 0.0, np.inf)
    return distance
