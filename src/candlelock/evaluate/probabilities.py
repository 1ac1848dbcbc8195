"""What there is to know of probabilities beyond their scores: parts of the Brier score, the noise in an ECE, coverage.

`y` holds 1.0 and 0.0, `p` probabilities, both of shape (n_rows,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.documents import BrierParts, Coverage

if TYPE_CHECKING:
    import pandas as pd

    from candlelock.evaluate.bootstrap import Blocks
    from candlelock.evaluate.scores import Bins

Array = npt.NDArray[np.float64]


def split_brier(y: Array, p: Array, bins: Bins) -> BrierParts:
    """Murphy's 1973 decomposition over bins of p, with the two terms within bins of Stephenson et al. 2008.

    brier = reliability - resolution + uncertainty + within_bin_variance - within_bin_covariance, to the last digits.
    """
    n = np.bincount(bins)
    n = np.maximum(n, 1)
    p_mean, up_share = np.bincount(bins, p) / n, np.bincount(bins, y) / n
    weight = np.bincount(bins) / len(y)
    return BrierParts(
        reliability=float(weight @ (p_mean - up_share) ** 2),
        resolution=float(weight @ (up_share - y.mean()) ** 2),
        uncertainty=float(y.mean() * (1 - y.mean())),
        within_bin_variance=float(np.mean((p - p_mean[bins]) ** 2)),
        within_bin_covariance=float(2 * np.mean((y - up_share[bins]) * (p - p_mean[bins]))),
    )


def expect_ece(y: Array, p: Array, bins: Bins, blocks: Blocks) -> float:
    """The ECE that a perfectly calibrated model would be expected to show on these rows: it is never 0.

    Σ over bins of √(2/π) · standard deviation of the bin's sum of errors, over the rows: the mean of half-normals. The
    deviation comes from the sums of whole blocks of time, around the bin's own mean error, as labels overlap and
    symbols move together; with independent rows it is √Σ p(1 - p) (Roelofs et al. 2022 on the bias of ECE).
    """
    error = p - y
    mean = np.bincount(bins, error) / np.maximum(np.bincount(bins), 1)
    per_block = np.zeros((blocks.n_blocks, len(mean)))
    np.add.at(per_block, (blocks.index, bins), error - mean[bins])
    deviation = np.sqrt((per_block**2).sum(axis=0))
    return float(np.sqrt(2 / np.pi) * deviation.sum() / len(y))


def cover(rows: pd.DataFrame) -> Coverage:
    """How often the conformal set held what happened, and how large it was.

    `rows`: is_up (1.0 or 0.0), may_be_up and may_be_down.
    """
    up, down = (rows[name].to_numpy(dtype=bool) for name in ("may_be_up", "may_be_down"))
    return Coverage(
        coverage_frac=float(np.where(rows["is_up"].to_numpy() > 0, up, down).mean()),
        one_direction_frac=float((up != down).mean()),
        empty_frac=float((~up & ~down).mean()),
    )
