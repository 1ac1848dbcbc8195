"""Time cut into train, calibrate, decide and test, with walk-forward folds inside train.

Cuts are times, the same for every symbol. A row of an earlier part stays only if its label ends, embargo included,
before the first decision of the next part: what the later part is judged on was not yet known to the earlier one.
Labels end when they are settled. Where the cuts lie does not hang on that, nor on which labels are known: candles of a
later part have no say in what an earlier one is.
(López de Prado, Advances in Financial Machine Learning, chapter 7: purging and embargo.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from candlelock.contracts.card_document import CardRange
from candlelock.contracts.documents import SEGMENTS, utc_text
from candlelock.contracts.errors import InputError, Problem, raise_if

if TYPE_CHECKING:
    from candlelock.contracts.documents import Segment
    from candlelock.contracts.stage_params import SplitParams

Mask = npt.NDArray[np.bool_]
MIN_LABELS = 50


def assign(rows: pd.DataFrame, params: SplitParams, bar_ms: int) -> pd.DataFrame:
    """`rows` of `label` with `segment` (null where purged) and `fold` (train only: 0 before the first fold).

    Shares are of the rows with a move: those whose return over the horizon is known and not zero.
    Raises InputError when a segment, a fold or what a fold trains on would have too few labels or only one class.
    """
    embargo_ms = params.embargo_bars * bar_ms
    has_move = rows["future_return"].notna() & (rows["future_return"] != 0)
    times = np.sort(rows.loc[has_move, "open_time_ms"].to_numpy())
    if not len(times):
        raise InputError(_empty("train", 0))
    later = np.cumsum([params.test_frac, params.decide_frac, params.calibrate_frac])  # from the end: test is exact
    part = _cut(rows, [int(times[int(len(times) * f)]) for f in 1 - later[::-1]], embargo_ms)
    segment = pd.Series(SEGMENTS, dtype="str").reindex(part).set_axis(rows.index)
    out = rows.assign(segment=segment, fold=_folds(rows, (segment == "train").to_numpy(), params.n_folds))
    _refuse_thin(out, embargo_ms)
    return out


def _cut(rows: pd.DataFrame, cuts: list[int], embargo_ms: int) -> npt.NDArray[np.int64]:
    """Number of the part each row falls in; -1 where its label reaches, embargo included, into the next part."""
    opened = rows["open_time_ms"].to_numpy()
    part = np.searchsorted(np.asarray(cuts), opened, side="right")
    bar_ms = rows["decision_time_ms"].to_numpy() - opened
    next_decision = np.append(cuts, np.iinfo(np.int64).max // 2)[part] + bar_ms
    return np.where(rows["label_end_ms"].to_numpy() + embargo_ms < next_decision, part, -1)


def _folds(rows: pd.DataFrame, is_train: Mask, n_folds: int) -> pd.Series:
    """Equal shares of the train rows in order of time: share 0 is never validated, shares 1… are the folds."""
    opened = rows["open_time_ms"].to_numpy()
    times = np.sort(opened[is_train & rows["is_up"].notna().to_numpy()])
    cuts = [times[len(times) * share // (n_folds + 1)] for share in range(1, n_folds + 1)] if len(times) else []
    fold = np.searchsorted(np.asarray(cuts), opened, side="right")
    return pd.Series(np.where(is_train, fold, -1), index=rows.index).astype("Int32").where(is_train)


def fold_masks(rows: pd.DataFrame, fold: int, embargo_ms: int) -> tuple[Mask, Mask]:
    """Labelled training rows and labelled validation rows of a walk-forward fold, purged and embargoed."""
    is_labelled = rows["is_up"].notna().to_numpy() & (rows["segment"] == "train").to_numpy(dtype=bool)
    validates = is_labelled & (rows["fold"] == fold).to_numpy(dtype=bool, na_value=False)
    first_decision = rows["decision_time_ms"].to_numpy()[validates].min()
    trains = is_labelled & (rows["label_end_ms"].to_numpy() + embargo_ms < first_decision)
    return trains, validates


def before_test(rows: pd.DataFrame) -> Mask:
    """Labelled rows of all segments before test; every one of their labels ends, embargo included, before it."""
    return rows["is_up"].notna().to_numpy(dtype=bool) & rows["segment"].isin(SEGMENTS[:-1]).to_numpy(dtype=bool)


def n_folds(rows: pd.DataFrame) -> int:
    """Number of walk-forward folds in a split table."""
    return int(rows["fold"].max())


def _refuse_thin(rows: pd.DataFrame, embargo_ms: int) -> None:
    labelled = rows[rows["is_up"].notna()]
    _refuse({name: labelled.loc[labelled["segment"] == name, "is_up"] for name in SEGMENTS})
    folds = range(1, n_folds(rows) + 1)
    _refuse({f"fold {fold}": labelled.loc[labelled["fold"] == fold, "is_up"] for fold in folds})
    _refuse({f"train rows of fold {fold}": rows["is_up"][fold_masks(rows, fold, embargo_ms)[0]] for fold in folds})


def _refuse(parts: dict[str, pd.Series]) -> None:
    thin = {name: len(is_up) for name, is_up in parts.items() if len(is_up) < MIN_LABELS or is_up.nunique() < 2}
    raise_if([_empty(name, n_labels) for name, n_labels in thin.items()])


def _empty(name: str, n_labels: int) -> Problem:
    return Problem(
        "split-empty",
        f"params.yaml split, {name}",
        f"{n_labels} labelled rows",
        f"at least {MIN_LABELS} with both classes",
        "take more candles, a smaller embargo_bars, horizon_bars or n_folds, narrower barriers, or other fractions",
    )


def segment_ranges(rows: pd.DataFrame) -> dict[Segment, CardRange]:
    """First decision and last label end of each segment's labelled rows."""
    labelled = rows[rows["is_up"].notna()]
    parts = {name: labelled[labelled["segment"] == name] for name in SEGMENTS}
    return {
        name: CardRange(start=utc_text(own["decision_time_ms"].min()), end=utc_text(own["label_end_ms"].max()))
        for name, own in parts.items()
    }
