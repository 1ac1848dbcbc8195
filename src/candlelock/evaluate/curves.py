"""Curves for the plots: ROC and reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from candlelock.evaluate.bootstrap import draw_blocks
from candlelock.evaluate.scores import bin_of

if TYPE_CHECKING:
    from candlelock.contracts.stage_params import EvaluateParams
    from candlelock.evaluate.bootstrap import Blocks

Array = npt.NDArray[np.float64]
N_POINTS = 200


def evaluation_curves(rows: pd.DataFrame, params: EvaluateParams, seed: int) -> dict[str, pd.DataFrame]:
    """The plots `roc` and `reliability` of labelled rows with `is_up`, `p_up` and `open_time_ms`."""
    y, p = rows["is_up"].to_numpy(), rows["p_up"].to_numpy()
    blocks = draw_blocks(rows["open_time_ms"].to_numpy(), params, seed)
    return {"roc": roc_curve(y, p), "reliability": reliability_curve(y, p, blocks, params.n_calibration_bins)}


def roc_curve(y: Array, p: Array) -> pd.DataFrame:
    """False and true positive rates at about 200 thresholds, from (0, 0) to (1, 1)."""
    order = np.argsort(-p, kind="stable")
    last_of_tie = np.flatnonzero(np.r_[np.diff(p[order]) != 0, True])
    hits, misses = np.cumsum(y[order])[last_of_tie], np.cumsum(1 - y[order])[last_of_tie]
    frame = pd.DataFrame({"fpr": np.r_[0, misses / misses[-1]], "tpr": np.r_[0, hits / hits[-1]]})
    keep = np.unique(np.linspace(0, len(frame) - 1, N_POINTS).astype(int))
    return frame.iloc[keep].reset_index(drop=True)


def reliability_curve(y: Array, p: Array, blocks: Blocks, n_bins: int) -> pd.DataFrame:
    """Per occupied bin: mean p_up, share of ups with its bootstrap interval, rows."""
    points = []
    for number in np.unique(bin_of(p, n_bins)):
        own = bin_of(p, n_bins) == number
        total, replicates = blocks.sums(np.column_stack([own * y, own]).astype(np.float64))
        share = np.divide(
            replicates[:, 0], replicates[:, 1], out=np.full(len(replicates), np.nan), where=replicates[:, 1] > 0
        )
        interval = blocks.interval(total[0] / total[1], share)
        points.append(
            {
                "p_mean": float(p[own].mean()),
                "up_share": interval.value,
                "low": interval.low,
                "high": interval.high,
                "n_rows": int(own.sum()),
            }
        )
    return pd.DataFrame(points)
