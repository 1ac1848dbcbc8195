"""Selections fitted: the steps of params.yaml in their order, once for every fold and once for all of train."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from candlelock.artifacts import side_by_side
from candlelock.contracts.select_documents import Selection, SelectionReport
from candlelock.select import drops, scores
from candlelock.select.components import fit_pca
from candlelock.select.scaling import fit_scaling
from candlelock.select.train_rows import KEYS, TrainRows, train_rows
from candlelock.select.transform import arrays_of
from candlelock.split.segments import fold_masks, n_folds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from candlelock.artifacts.fit_ledger import FitLedger
    from candlelock.contracts.select_documents import DropStep, Step
    from candlelock.contracts.select_params import DropName, ScoreName, SelectParams

Array = npt.NDArray[np.float64]
WHOLE = ("sparse", "pca")  # steps that take all rows; the others take a spread of them


class FindGains(Protocol):
    """How much a small model leans on each feature, beyond chance: (n_features,). Learning is another package's."""

    def __call__(self, x: Array, y: Array) -> Array:
        """`x`: (n_rows, n_features), NaN where unknown; `y`: 1.0 and 0.0."""


def fit_selections(
    rows: pd.DataFrame,
    x: Array,
    names: Sequence[str],
    params: SelectParams,
    embargo_ms: int,
    gains: FindGains,
    fits: FitLedger,
) -> SelectionReport:
    """One selection for each walk-forward fold, from its training rows alone, and the final one from all train rows.

    `rows`: the split table, `x` its features (n_rows, n_features). Only labelled rows count. Raises InputError when
    nothing is left.
    """
    is_train = (rows["segment"] == "train").to_numpy(dtype=bool) & rows["is_up"].notna().to_numpy()
    masks = [*(fold_masks(rows, fold, embargo_ms)[0] for fold in range(1, n_folds(rows) + 1)), is_train]
    y, parts = rows["is_up"].to_numpy(), [*(f"fold {number}" for number in range(1, len(masks))), "final"]

    def fit(part: str, mask: npt.NDArray[np.bool_]) -> Selection:
        seen = train_rows(x[mask], y[mask], names, rows.loc[mask, KEYS])
        return fit_selection(seen, params, gains, fits, part)

    pairs = zip(parts, masks, strict=True)
    *folds, final = side_by_side.run_all([functools.partial(fit, part, mask) for part, mask in pairs])
    return SelectionReport(folds=folds, final=final)


def fit_selection(rows: TrainRows, params: SelectParams, gains: FindGains, fits: FitLedger, part: str) -> Selection:
    """The steps in the order of `params`, each on what the one before leaves, and the scaling last.

    Scores and correlations are taken from at most `max_rows` of the rows, everything else from all of them. Raises
    InputError when a step leaves nothing.
    """
    given, some = rows, rows.spread(params.max_rows)
    fits.note(part, "fit", given.numbers(), given.x, given.y)
    steps: list[Step] = []
    for name in params.steps:
        fits.note(f"{part}/{name}", "fit", (rows if name in WHOLE else some).numbers())
        if name == "pca":
            pca = fit_pca(rows, params.min_variance_frac)
            rows = rows.replace(arrays_of(pca).apply(rows.x), pca.outputs)
            steps.append(pca)
        else:
            step = _DROPS[name](rows, some, params, gains)
            rows, some = rows.keep(step.outputs), some.keep(step.outputs)
            steps.append(step)
    if params.scaling != "none":
        fits.note(f"{part}/scaling", "fit", rows.numbers())
        steps.append(fit_scaling(rows, params.scaling))
    return Selection(seen=given.seen(), inputs=list(given.names), outputs=list(rows.names), steps=steps)


def score(rows: TrainRows, by: ScoreName, params: SelectParams, gains: FindGains) -> Array:
    """What features are ranked by, (n_features,), more is better, NaN where it cannot be computed.

    `auc`: distance from 0.5. `mutual_information`: nats, less what chance gives. `f_test`: the F-statistic.
    `importance`: share of the total gain, which counts only what is above zero.
    """
    if by == "auc":
        return np.abs(scores.auc_edges(rows.x, rows.y))
    if by == "mutual_information":
        return scores.mutual_information(rows.x, rows.y, params.n_bins)
    if by == "f_test":
        return scores.f_test(rows.x, rows.y)[0]
    found = gains(rows.x, rows.y)
    total = float(np.maximum(found, 0.0).sum())
    return found / total if total > 0 else np.zeros(len(found))


def period_edges(rows: TrainRows, n_periods: int) -> Array:
    """AUC - 0.5 of each feature over all rows and in each of `n_periods` consecutive periods of about as many rows,

    (1 + n_periods, n_features); rows of one time are never parted. NaN where it cannot be computed.
    """
    opened = rows.keys["open_time_ms"].to_numpy()
    times = np.sort(opened)
    cuts = times[len(times) * np.arange(1, n_periods) // n_periods]
    period = np.searchsorted(cuts, opened, side="right")
    parts = (period == number for number in range(n_periods))
    return np.stack([scores.auc_edges(rows.x, rows.y), *(scores.auc_edges(rows.x[p], rows.y[p]) for p in parts)])


def _fit_sparse(rows: TrainRows, _: TrainRows, params: SelectParams, gains: FindGains) -> DropStep:
    return drops.fit_sparse(rows, params.max_null_frac)


def _fit_correlation(_: TrainRows, some: TrainRows, params: SelectParams, gains: FindGains) -> DropStep:
    return drops.fit_correlation(some, score(some, params.rank_by, params, gains), params.max_correlation)


def _fit_information(_: TrainRows, some: TrainRows, params: SelectParams, gains: FindGains) -> DropStep:
    found = score(some, "mutual_information", params, gains)
    return drops.fit_threshold("mutual_information", some, found, params.min_mutual_information)


def _fit_f_test(_: TrainRows, some: TrainRows, params: SelectParams, gains: FindGains) -> DropStep:
    return drops.fit_f_test(some, scores.f_test(some.x, some.y)[1], params.max_p_value)


def _fit_importance(_: TrainRows, some: TrainRows, params: SelectParams, gains: FindGains) -> DropStep:
    return drops.fit_threshold("importance", some, score(some, "importance", params, gains), params.min_gain_frac)


def _fit_stability(_: TrainRows, some: TrainRows, params: SelectParams, gains: FindGains) -> DropStep:
    edges = period_edges(some, params.n_periods)
    return drops.fit_stability(some, edges, params.min_auc_edge, params.min_stable_frac)


def _fit_count(_: TrainRows, some: TrainRows, params: SelectParams, gains: FindGains) -> DropStep:
    return drops.fit_count(some, score(some, params.rank_by, params, gains), params.max_features)


_DROPS: dict[DropName, Callable[[TrainRows, TrainRows, SelectParams, FindGains], DropStep]] = {
    "sparse": _fit_sparse,
    "correlation": _fit_correlation,
    "mutual_information": _fit_information,
    "f_test": _fit_f_test,
    "importance": _fit_importance,
    "stability": _fit_stability,
    "count": _fit_count,
}
