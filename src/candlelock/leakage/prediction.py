"""How well each feature alone tells the label: better than any market allows, it holds the label or what comes of it.

A feature is cut into quantile bins, missing values in a bin of their own, so that any function of it counts, whether it
rises, falls or turns. What a bin says is learned on one half of the time and scored on the other, both ways: a feature
that only drifts names a time, not a label, and scores nothing there.

The bounds. Single features of liquid markets reach an AUC of 0.55, of illiquid and very short ones 0.62; 0.9 for the
direction leaves room for any honest one. One class of several, such as a barrier that is not reached in time, can
follow from volatility alone: 0.97. Ranks of a continuous label, where it is volatility, follow from the past up to an
R² of 0.7: 0.8. Five standard errors are asked for besides, by how much
ten stretches of the time differ, since labels overlap. A lead of train over all later parts is one from 0.65 on.

Two more signs need no strength. A feature that has the label of another row knows it too early: of the row before while
three quarters of what its label looks at are still to come, or of a later row; 0.95, since a quarter is honestly known.
And where rows with one value of a feature have a mean label nearer to it than the noise of so few labels allows, it was
made of these labels: a mean by category that counts the row's own.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc

from candlelock.artifacts import side_by_side
from candlelock.contracts.leakage_documents import Leak
from candlelock.leakage.rows import LEFT_OUT, leak_check, when

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from candlelock.contracts.leakage_documents import LeakCheck
    from candlelock.leakage.rows import LabelledRows

    Floats = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.intp]
    Codes = npt.NDArray[np.int64]

WHAT = "how well each feature alone tells the label, learned on one half of the time and scored on the other"
HELP = "take the feature out, or build it from what was known at the decision; encode a label without the row's own"
ALL = "all parts"
N_BINS = 32
N_CODES = N_BINS + 3  # with the two ends, and none
SAMPLE = 100_000
MAX_OTHERS = 200_000  # rows that are asked for the labels of others
MAX_CLASSES = 10
N_BLOCKS = 10  # stretches of a set's time; the first five are one half
MIN_BLOCKS = 6  # that have both classes
MIN_ROWS = 100
MIN_INDEPENDENT = 20  # labels, overlaps within and between symbols taken off
BOUNDS = {"direction": 0.9, "class": 0.97, "rank": 0.8}
ERRORS = 5.0
OTHERS_BOUNDS = {"direction": 0.95, "class": 0.98, "rank": 0.95}
AHEAD_SHARE = 0.75  # of what a label looks at
MIN_GROUPS, MIN_IN_GROUP = 5, 5  # values that stand in so many rows, not all of one label
MAX_CHANCE = 1e-7  # of mean labels so near a line
LEAST_TOTAL = 0.7  # of what chance makes such means differ
TRAIN_BOUND = {"direction": 0.65, "rank": 0.3}  # of a feature that tells so much less of every later part
LEAD = 0.15


@dataclass(frozen=True)
class _Question:
    """What is to be told of some rows: `target` is 0 or 1, or the label's rank from 0 to 1 where `kind` is rank."""

    kind: str
    name: str
    which: Rows
    target: Floats
    bound: float


@dataclass(frozen=True)
class _Set:
    """Rows of a question in one part or in all: their places in it, and their stretch of the time."""

    name: str
    at: Rows
    block: Codes


@dataclass(frozen=True)
class _Score:
    """AUC, or R² of ranks, and its standard error."""

    value: float
    error: float


def check_prediction(rows: LabelledRows, label: Floats, names: Sequence[str], values: Floats) -> LeakCheck:
    """A finding per feature that tells the label too well; `label` (n_rows,), `values` (n_rows, n_features), NaN none.

    Also for one that tells the label of the row before while it is not known, of the row after, or of the first whose
    label begins where its own ends, and for what a label's mean by category
    does that counts the row's own label: it tells it in train and much less in every later part, or lies too near it.
    """
    used = np.flatnonzero(rows.is_known & (rows.part != LEFT_OUT) & ~np.isnan(label))
    used = used[np.argsort(rows.decision_ms[used], kind="stable")]
    questions = list(_questions(label, used))
    step = max(-(-len(used) // MAX_OTHERS), 1)
    for whose, others in _labels_of_others(rows, label):
        questions += _questions(others, used[~np.isnan(others[used])][::step], f" of {whose}")
    asked = [(question, list(_sets(rows, question))) for question in questions]
    ranks = np.searchsorted(np.sort(label[used]), label[used]) / max(len(used), 1)  # outliers weigh no more

    def judge(at: int) -> tuple[list[Leak], float | None]:
        column = values[used, at]
        codes = np.zeros(len(values), np.int64)
        codes[used] = _bins(column)
        leaks, best = list[Leak](), None
        for question, sets in asked:
            scores = {each.name: _score(codes[question.which], question, each) for each in sets}
            if question is questions[0] and scores:
                best = max(score.value for score in scores.values())
            leaks += _judge(rows, names[at], question, sets, scores)
        leaks += _encoded(rows, names[at], used, ranks, column)
        return leaks[:1], best

    told = side_by_side.run_all([functools.partial(judge, at) for at in range(len(names))])
    findings = [leak for leaks, _ in told for leak in leaks]
    best = {name: score for name, (_, score) in zip(names, told, strict=True) if score is not None}
    top = dict(sorted(best.items(), key=lambda item: -item[1])[:5])
    kinds = {question.name: [each.name for each in sets] for question, sets in asked}
    n_compared = len(names) * sum(len(sets) for _, sets in asked)
    return leak_check("prediction", WHAT, n_compared, findings, {"strongest": top, "asked": kinds})


def _labels_of_others(rows: LabelledRows, label: Floats) -> Iterator[tuple[str, Floats]]:
    """Whose label, and each row's label of that other row of its symbol, NaN where there is none; shape (n_rows,).

    Of the row before where AHEAD_SHARE of its label is not known yet; of the row after; and of the first row that is
    decided when the row's own label has ended.
    """
    usable = rows.is_known & ~np.isnan(label)
    order = np.lexsort((rows.decision_ms, rows.symbol))
    symbol, decided, ends = rows.symbol[order], rows.decision_ms[order], rows.label_end_ms[order]

    def of(at: Rows, other: Rows, is_asked: npt.NDArray[np.bool_]) -> Floats:
        is_asked = is_asked & (symbol[at] == symbol[other]) & usable[order[other]]
        found = np.full(len(label), np.nan)
        found[order[at[is_asked]]] = label[order[other[is_asked]]]
        return found

    at = np.arange(1, len(order))
    begin, end, now = decided[at - 1], ends[at - 1], decided[at]
    yield "the row before", of(at, at - 1, (end - now >= AHEAD_SHARE * (end - begin)) & (now > begin))
    yield "the row after", of(at - 1, at, decided[at - 1] < decided[at])
    later = np.concatenate([*_places_after(symbol, decided, ends), np.zeros(0, np.intp)])
    own = np.flatnonzero(usable[order] & (later < len(order)))
    yield "the row after its label", of(own, later[own], np.ones(len(own), bool))


def _places_after(symbol: Codes, decided: Codes, ends: Codes) -> Iterator[Rows]:
    """Of each row the place of the first row of its symbol that is decided at its label's end or later.

    Rows by symbol, then time. Where a symbol has none the place is that behind its last row.
    """
    bounds = np.flatnonzero(np.diff(symbol, prepend=-1, append=-1))
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield begin + np.searchsorted(decided[begin:end], ends[begin:end])


def _questions(label: Floats, used: Rows, whose: str = "") -> Iterator[_Question]:
    """`whose`: words for labels that are not the rows' own."""
    classes = np.unique(label[used])
    bounds = OTHERS_BOUNDS if whose else BOUNDS
    if len(classes) > MAX_CLASSES:
        ranks = np.empty(len(used))
        ranks[np.argsort(label[used], kind="stable")] = (np.arange(len(used)) + 0.5) / len(used)
        yield _Question("rank", f"R² of {'the' if whose else 'its'} rank{whose}", used, ranks, bounds["rank"])
    elif len(classes) > 1:
        ends = used[np.isin(label[used], classes[[0, -1]])]
        name = f"AUC of {classes[-1]:g} against {classes[0]:g}{whose}"
        yield _Question("direction", name, ends, _flags(label[ends], classes[-1]), bounds["direction"])
        for value in classes if len(classes) > 2 else ():
            name = f"AUC of {value:g} against the rest{whose}"
            yield _Question("class", name, used, _flags(label[used], value), bounds["class"])


def _flags(label: Floats, value: float) -> Floats:
    flags: Floats = (label == value).astype(np.float64)
    return flags


def _sets(rows: LabelledRows, question: _Question) -> Iterator[_Set]:
    """Sets of enough rows, by part and all together; rows of a question come in the order of time."""
    part = rows.part[question.which]
    names = [(rows.parts[number], np.flatnonzero(part == number)) for number in range(len(rows.parts))]
    for name, at in [*names, (ALL, np.arange(len(part)))]:
        times = rows.decision_ms[question.which[at]]
        block = np.searchsorted(times, times) * N_BLOCKS // max(len(at), 1)  # rows of one time stay together
        ones = np.bincount(block, weights=question.target[at], minlength=N_BLOCKS)
        n_mixed = int(np.sum((ones > 0) & (ones < np.bincount(block, minlength=N_BLOCKS))))
        n_begun = np.searchsorted(times, rows.label_end_ms[question.which[at]]) - np.searchsorted(times, times)
        n_independent = np.sum(1 / np.maximum(n_begun, 1))
        if len(at) >= MIN_ROWS and n_mixed >= MIN_BLOCKS and n_independent >= MIN_INDEPENDENT:
            yield _Set(name, at, block)


def _bins(column: Floats) -> Codes:
    """Number of each value's quantile bin, from 1; 0 where there is none."""
    there = column[~np.isnan(column)]
    if not len(there):
        return np.zeros(len(column), np.int64)
    step = -(-len(there) // SAMPLE)
    edges = np.unique(np.append(np.quantile(there[::step], np.linspace(0, 1, N_BINS + 1), method="lower"), there.min()))
    return np.where(np.isnan(column), 0, np.maximum(np.searchsorted(edges, column, side="right"), 1))


def _score(codes: Codes, question: _Question, rows: _Set) -> _Score:
    """The mean of both ways from one half of the time to the other, its error by how the stretches differ."""
    cells, target = codes[rows.at] + N_CODES * rows.block, question.target[rows.at]
    has_flags = question.kind != "rank"
    counts, sums = _cells(cells, None), _cells(cells, target)
    squares = sums if has_flags else _cells(cells, target**2)
    judge = _ranked if has_flags else _explained
    halves = slice(0, N_BLOCKS // 2), slice(N_BLOCKS // 2, N_BLOCKS)
    scores = []
    for learn, test in (halves, halves[::-1]):
        n_learned, learned = counts[learn].sum(axis=0), sums[learn].sum(axis=0)
        told = (learned + learned.sum() / max(n_learned.sum(), 1)) / (n_learned + 1)
        scores.append(judge(told, counts[test], sums[test], squares[test]))
    one, other = scores
    return _Score((one.value + other.value) / 2, float(np.hypot(one.error, other.error)) / 2)


def _cells(cells: Codes, weights: Floats | None) -> Floats:
    """Sums by stretch and bin; of no weights, how many there are."""
    sums = np.bincount(cells, weights=weights, minlength=N_BLOCKS * N_CODES)
    return np.asarray(sums, dtype=np.float64).reshape(N_BLOCKS, N_CODES)


def _ranked(told: Floats, counts: Floats, ones: Floats, _: Floats) -> _Score:
    """AUC; arrays of (stretches, bins)."""
    levels, level = np.unique(told, return_inverse=True)
    is_level = (level[:, None] == np.arange(len(levels))).astype(np.float64)
    high, low = ones @ is_level, (counts - ones) @ is_level
    parts = _auc(high, low)[high.any(axis=1) & low.any(axis=1)]
    if len(parts) < 2:
        return _Score(0.5, 1.0)
    error = float(parts.std(ddof=1) / np.sqrt(len(parts)))
    return _Score(float(_auc(high.sum(axis=0, keepdims=True), low.sum(axis=0, keepdims=True))[0]), error)


def _explained(told: Floats, counts: Floats, sums: Floats, squares: Floats) -> _Score:
    """R²; arrays of (stretches, bins)."""
    mean = sums.sum() / max(counts.sum(), 1)
    wrong = np.sum(squares - 2 * told * sums + told**2 * counts, axis=1)
    spread = np.sum(squares - 2 * mean * sums + mean**2 * counts, axis=1)
    if not spread.sum() > 0:
        return _Score(0.0, 1.0)
    share = float(wrong.sum() / spread.sum())
    return _Score(1 - share, float(np.sqrt(np.sum((wrong - share * spread) ** 2)) / spread.sum()))


def _auc(high: Floats, low: Floats) -> Floats:
    """Chance that a one is told higher than a zero, ties by half; counts of ones and zeros, (n, levels, rising)."""
    below = np.cumsum(low, axis=1) - low
    n_pairs = high.sum(axis=1) * low.sum(axis=1)
    n_right = np.sum(high * (below + low / 2), axis=1)
    chances: Floats = np.divide(n_right, n_pairs, out=np.full(len(high), np.nan), where=n_pairs > 0)
    return chances


def _judge(
    rows: LabelledRows, name: str, question: _Question, sets: list[_Set], scores: dict[str, _Score]
) -> Iterator[Leak]:
    chance = 0.0 if question.kind == "rank" else 0.5
    for each in sets:
        score = scores[each.name]
        if score.value >= max(question.bound, chance + ERRORS * score.error):
            detail = f"{question.name} is {score.value:.3f} in {each.name}; at most {question.bound:g} can be earned"
            yield _leak(rows, name, int(question.which[each.at[0]]), detail)
    train = next((each for each in sets if each.name == "train"), None)
    later = [scores[each.name] for each in sets if each.name not in ("train", ALL)]
    is_own = question.kind in TRAIN_BOUND and question.bound == BOUNDS[question.kind]
    if train is not None and later and is_own and _leads(question.kind, scores["train"], later):
        detail = f"{question.name} is {scores['train'].value:.3f} in train and at most "
        detail += (
            f"{max(score.value for score in later):.3f} in later parts: it holds train's labels, each row's own too"
        )
        yield _leak(rows, name, int(question.which[train.at[0]]), detail)


def _leads(kind: str, train: _Score, later: list[_Score]) -> bool:
    """Whether train's score is high, and above that of every later part by more than noise."""
    if kind == "rank" and max(score.value for score in later) > 0.1 * train.value:
        return False  # volatility is told by less in one year than in another
    leads = [train.value - each.value - max(LEAD, ERRORS * float(np.hypot(train.error, each.error))) for each in later]
    return train.value > TRAIN_BOUND[kind] and min(leads) > 0


def _encoded(rows: LabelledRows, name: str, used: Rows, ranks: Floats, column: Floats) -> Iterator[Leak]:
    """A finding when the mean labels of rows with one value lie nearer to that value than chance lets them.

    In train, and in all rows; `column` and `ranks`, from 0 to 1, of labels are those of `used`.
    """
    values, counts = np.unique(column, return_counts=True)
    is_shared = (counts >= MIN_IN_GROUP) & ~np.isnan(values)
    if counts[is_shared].sum() < MIN_ROWS:
        return
    group = np.searchsorted(values, column)
    shared = is_shared[group]
    is_train = np.array([part == "train" for part in rows.parts])[rows.part[used]]
    for where, chosen in (("train", shared & is_train), (ALL, shared)):
        if _chance(values, group[chosen], ranks[chosen]) < MAX_CHANCE:
            detail = f"the mean label of each value's rows in {where} lies nearer to the value than chance lets it"
            yield _leak(rows, name, int(used[np.flatnonzero(chosen)[0]]), detail)
            return


def _chance(values: Floats, group: Codes, target: Floats) -> float:
    """Of means by value so near a line in it, were labels drawn anew; 1 where the means do not differ as chance does.

    Labels that overlap make means differ more than this, and ones that take turns less.
    """
    n, sums, squares = (np.bincount(group, each, len(values)) for each in (np.ones(len(target)), target, target**2))
    is_mixed = squares * n - sums**2 > 1e-9 * n**2  # in a market that stands still all labels are one
    several = (n >= MIN_IN_GROUP) & is_mixed
    if several.sum() < MIN_GROUPS:
        return 1.0
    x, n, means = values[several], n[several], sums[several] / n[several]
    x = x / max(float(np.abs(x).max()), np.finfo(float).tiny)
    x, means = x - np.average(x, weights=n), means - np.average(means, weights=n)
    told = np.sum(n * x * means) / max(float(np.sum(n * x**2)), np.finfo(float).tiny) * x
    spread, freedom = float(target.var()), len(x) - 2
    total, rest = np.sum(n * means**2) / spread, np.sum(n * (means - told) ** 2) / spread
    if total < LEAST_TOTAL * freedom or rest > total / 2:
        return 1.0
    return float(gammainc(freedom / 2, rest / 2))  # of a chi-square so low


def _leak(rows: LabelledRows, name: str, row: int, detail: str) -> Leak:
    return Leak(
        code="label-in-feature",
        subject=name,
        symbol=rows.symbol_at(row),
        row=row,
        known_utc=when(rows.label_end_ms[row]),
        used_utc=when(rows.decision_ms[row]),
        detail=detail,
        help=HELP,
    )
