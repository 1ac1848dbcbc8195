"""Trials on fewer rows: which rows, and what becomes of settings that count rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.train.weights import with_mean_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.contracts.stage_params import Frozen
    from candlelock.train.learner import Sample
    from candlelock.train.members import FoldSamples

N_BLOCKS = 240  # of equal length in time, of a fold's training rows
ROW_KEYS = (  # weighed against sums over rows
    "min_data_in_leaf",
    "lambda_l2",
    "min_child_weight",
    "reg_lambda",
    "min_samples_leaf",
    "l2_regularization",
    "l2_leaf_reg",
)
INVERSE_KEYS = ("c",)  # sums over rows are multiplied by it


def screen_folds(folds: Sequence[FoldSamples], opened_ms: npt.NDArray[np.int64], frac: float) -> list[FoldSamples]:
    """The folds with that share of their training rows; they are judged on the same rows as before.

    `opened_ms`: open time of every row of the split table, by its number. Weights keep their ratios, and the mean 1.
    """
    return [replace(fold, trains=screen_rows(fold.trains, opened_ms, frac)) for fold in folds]


def screen_rows(sample: Sample, opened_ms: npt.NDArray[np.int64], frac: float) -> Sample:
    """That share of the rows of a sample, as `screen_folds` takes them; 1: all."""
    if frac == 1:
        return sample
    seen = sample.take(spread_blocks(opened_ms[sample.rows], frac))
    return seen if seen.weights is None else replace(seen, weights=with_mean_one(seen.weights))


def spread_blocks(times_ms: npt.NDArray[np.int64], frac: float) -> npt.NDArray[np.bool_]:
    """Mask of the rows in every so manieth block of time, so that a share `frac` of the blocks is taken, evenly.

    All symbols of a bar lie in the same block. No chance is involved. `times_ms`: (n_rows,), in any order.
    """
    start = times_ms.min()
    block = (times_ms - start) * N_BLOCKS // (times_ms.max() - start + 1)
    is_taken = np.diff(np.floor(np.arange(N_BLOCKS + 1) * frac)) > 0
    taken: npt.NDArray[np.bool_] = is_taken[block]
    return taken


def scale_rows(settings: Frozen, frac: float) -> Frozen:
    """Settings that mean on a share of the rows what the given ones mean on all of them.

    Leaves hold that share of the rows, and sums over rows, against which penalties stand, are as much smaller.
    """
    found = {key: getattr(settings, key) for key in ROW_KEYS if hasattr(settings, key)}
    scaled = {key: max(1, round(frac * v)) if isinstance(v, int) else frac * v for key, v in found.items()}
    inverse = {key: getattr(settings, key) / frac for key in INVERSE_KEYS if hasattr(settings, key)}
    return settings.model_copy(update=scaled | inverse)
