"""The steps that leave features out: each takes training rows and gives the record of what stays, what goes and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.select_documents import Dropped, DropStep
from candlelock.select.correlation import correlations, find_twins, ranking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from candlelock.contracts.select_params import DropName
    from candlelock.select.train_rows import TrainRows

    Array = npt.NDArray[np.float64]


def fit_sparse(rows: TrainRows, max_null_frac: float) -> DropStep:
    """Drop what is unknown in a larger share of the rows, and what has one value throughout or none."""
    nulls = np.isnan(rows.x).mean(axis=0)
    dropped = []
    for name, column, null in zip(rows.names, rows.x.T, nulls.tolist(), strict=True):
        known = column[~np.isnan(column)]
        if null > max_null_frac:
            dropped.append(Dropped(name=name, reason="mostly null", score=null, threshold=max_null_frac, twin=None))
        elif not len(known) or known.min() == known.max():
            dropped.append(Dropped(name=name, reason="constant", score=0.0, threshold=0.0, twin=None))
    return _record("sparse", rows, nulls, dropped)


def fit_correlation(rows: TrainRows, score: Array, max_correlation: float) -> DropStep:
    """Of two features that correlate more than that, drop the one with the lower score; of equal ones, the later.

    `score`: (n_features,), NaN last. `correlation.find_twins` has the rule.
    """
    dropped = [
        Dropped(
            name=rows.names[twin.column],
            reason="correlated",
            score=twin.correlation,
            threshold=max_correlation,
            twin=rows.names[twin.kept],
        )
        for twin in find_twins(correlations(rows.x), score, max_correlation)
    ]
    return _record("correlation", rows, score, dropped)


def fit_threshold(
    step: Literal["mutual_information", "importance"], rows: TrainRows, score: Array, least: float
) -> DropStep:
    """Drop features whose score, (n_features,), is below `least` or does not exist (NaN)."""
    dropped = [
        Dropped(name=name, reason="weak", score=_plain(value), threshold=least, twin=None)
        for name, value in zip(rows.names, score, strict=True)
        if not value >= least
    ]
    return _record(step, rows, score, dropped)


def fit_f_test(rows: TrainRows, p_value: Array, max_p_value: float) -> DropStep:
    """Drop features whose p-value, (n_features,), is above `max_p_value` or does not exist (NaN)."""
    dropped = [
        Dropped(name=name, reason="weak", score=_plain(value), threshold=max_p_value, twin=None)
        for name, value in zip(rows.names, p_value, strict=True)
        if not value <= max_p_value
    ]
    return _record("f_test", rows, p_value, dropped)


def fit_stability(rows: TrainRows, edges: Array, min_auc_edge: float, min_stable_frac: float) -> DropStep:
    """Drop features that keep to their side of an AUC of 0.5 in fewer than that share of the periods.

    `edges`: AUC - 0.5, (1 + n_periods, n_features): first over all rows, which says the side, then in each period. A
    period counts when the edge in it is on that side and at least `min_auc_edge` from 0.5; an unknown one does not.
    """
    side = np.sign(edges[0])
    own = edges[1:] * side
    shares = ((own > 0) & (own >= min_auc_edge)).mean(axis=0)
    dropped = [
        Dropped(name=name, reason="unstable", score=share, threshold=min_stable_frac, twin=None)
        for name, share in zip(rows.names, shares.tolist(), strict=True)
        if share < min_stable_frac
    ]
    return _record("stability", rows, shares, dropped)


def fit_count(rows: TrainRows, score: Array, max_features: int) -> DropStep:
    """Keep the `max_features` of the highest score, (n_features,): of equal ones the earlier, NaN last.

    The threshold on record is the score of the last that stays.
    """
    order = ranking(score)
    gone = np.sort(order[max_features:])
    last = float(np.nan_to_num(score[order[max_features - 1]])) if len(gone) else 0.0
    dropped = [
        Dropped(name=rows.names[i], reason="beyond the count", score=_plain(score[i]), threshold=last, twin=None)
        for i in gone
    ]
    return _record("count", rows, score, dropped)


def _record(step: DropName, rows: TrainRows, scores: Array, dropped: Sequence[Dropped]) -> DropStep:
    gone = {feature.name for feature in dropped}
    kept = [name for name in rows.names if name not in gone]
    if not kept:
        found, help_line = (
            f"the step {step} drops all {len(gone)} features",
            "loosen its threshold, or take the step out",
        )
        raise InputError(Problem("select-empty", "params.yaml select", found, "features to train on", help_line))
    return DropStep(
        step=step,
        seen=rows.seen(),
        inputs=list(rows.names),
        outputs=kept,
        scores={name: _plain(score) for name, score in zip(rows.names, scores, strict=True)},
        dropped=list(dropped),
    )


def _plain(score: float) -> float | None:
    return None if np.isnan(score) else float(score)
