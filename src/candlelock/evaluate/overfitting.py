"""Probability of back-test overfitting: how often the winner of one half of time is no better than the median after.

Combinatorially symmetric cross-validation: time is cut into groups, every choice of half of them is "inside", the rest
"outside"; the trial that is best inside is looked up outside. Of an odd number of groups both halves are tried as the
larger one. Source: Bailey, Borwein, López de Prado and Zhu 2017, The Probability of Backtest Overfitting.

Two kinds of input: figures of every period (`halve_periods`), and scores that each trial reached on each group by
models that were trained on others (`halve_groups`; `halve_paths` along the paths of a combinatorial purged splitter).
In both, higher is better. Scores of a model on the rows it was trained on do not belong here: they would call every
flexible learner overfitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.significance_documents import Overfitting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Array = npt.NDArray[np.float64]
MIN_GROUPS, MIN_TRIALS = 2, 2
AT_ONCE = 1000  # splits


@dataclass(frozen=True)
class Halves:
    """Of each split the winner inside: its score inside, its score outside, the logit of its relative rank outside."""

    n_trials: int
    n_groups: int
    inside: Array
    outside: Array
    logits: Array


def halve_periods(figures: Array, n_groups: int = 16, statistic: Literal["mean", "sharpe"] = "sharpe") -> Halves:
    """Split returns or scores of every period, (n_periods, n_trials) without NaN, into groups of equal length.

    A half's score is the mean over its periods, or that over their standard deviation (0 where they do not vary).
    Raises InputError for fewer than 2 trials, 2 groups, or periods than groups.
    """
    _refuse_few(figures.shape[1], n_groups, len(figures))
    parts = np.array_split(figures, n_groups)
    n_periods = np.array([len(part) for part in parts], dtype=np.float64)
    moments = [np.stack([(part**power).sum(axis=0) for part in parts]) for power in (1, 2)]

    def score(chosen: Array) -> Array:
        count = (chosen @ n_periods)[:, None]
        mean, square = (np.asarray(chosen @ moment / count, dtype=np.float64) for moment in moments)
        deviation = np.sqrt(np.maximum(square - mean**2, 0)) if statistic == "sharpe" else np.ones_like(mean)
        out: Array = np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 1e-12 * np.sqrt(square))
        return out

    return _halve(score, n_groups, figures.shape[1])


def halve_groups(scores: Array) -> Halves:
    """Split scores of trials on groups of time, (n_trials, n_groups) without NaN; a half's score is their mean.

    Errors as in `halve_periods`.
    """
    n_trials, n_groups = scores.shape
    _refuse_few(n_trials, n_groups, n_groups)
    return _halve(lambda chosen: chosen @ scores.T / chosen.sum(axis=1)[:, None], n_groups, n_trials)


def halve_paths(scores: Array) -> Halves:
    """Split each back-test path of a combinatorial purged splitter, and pool the splits of all paths.

    `scores`: (n_trials, n_paths, n_groups), each of a model that was trained apart from the group. Errors as in
    `halve_periods`.
    """
    each = [halve_groups(scores[:, path]) for path in range(scores.shape[1])]
    pooled = [np.concatenate([getattr(halves, name) for halves in each]) for name in ("inside", "outside", "logits")]
    return Halves(each[0].n_trials, each[0].n_groups, *pooled)


def describe_overfitting(halves: Halves, *, has_zero: bool = True) -> Overfitting:
    """The figures of all splits; `has_zero`: whether a score below 0 is a loss, as of returns and not of log losses."""
    spread = np.ptp(halves.inside) > 1e-12 * np.abs(halves.inside).max()
    slope = float(np.polyfit(halves.inside, halves.outside, 1)[0]) if spread else None
    return Overfitting(
        n_trials=halves.n_trials,
        n_groups=halves.n_groups,
        n_splits=len(halves.logits),
        probability=float((halves.logits <= 0).mean()),
        median_logit=float(np.median(halves.logits)),
        degradation_slope=slope,
        loss_frac=float((halves.outside < 0).mean()) if has_zero else None,
    )


def _halve(score: Callable[[Array], Array], n_groups: int, n_trials: int) -> Halves:
    found = []
    for chosen in _choices(n_groups):
        inside, outside = score(chosen), score(1 - chosen)
        winner = inside.argmax(axis=1)[:, None]
        rank = np.take_along_axis(rankdata(outside, axis=1), winner, axis=1)[:, 0] / (n_trials + 1)
        mine = (np.take_along_axis(half, winner, axis=1)[:, 0] for half in (inside, outside))
        found.append((*mine, np.log(rank / (1 - rank))))
    return Halves(n_trials, n_groups, *(np.concatenate(each) for each in zip(*found, strict=True)))


def _choices(n_groups: int) -> Iterator[Array]:
    """1 for the groups inside and 0 for the others, (up to 1,000 splits, n_groups) at a time."""
    sizes = sorted({n_groups // 2, n_groups - n_groups // 2})
    splits = [groups for size in sizes for groups in combinations(range(n_groups), size)]
    for start in range(0, len(splits), AT_ONCE):
        batch = splits[start : start + AT_ONCE]
        chosen = np.zeros((len(batch), n_groups))
        for row, groups in enumerate(batch):
            chosen[row, list(groups)] = 1
        yield chosen


def _refuse_few(n_trials: int, n_groups: int, n_periods: int) -> None:
    if n_trials < MIN_TRIALS or not MIN_GROUPS <= n_groups <= n_periods:
        found = f"{n_trials} trials, {n_groups} groups, {n_periods} periods"
        expected = "at least 2 trials and 2 groups, and a period in each group"
        raise InputError(Problem("overfitting-size", "figures of the trials", found, expected, "give more of them"))
