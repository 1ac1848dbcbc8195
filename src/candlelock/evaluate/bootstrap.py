"""Block bootstrap: whole blocks of time, all symbols together, drawn with replacement.

Labels overlap and symbols move together, so rows are far from independent; blocks keep both (Carlstein 1986).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.documents import Interval

if TYPE_CHECKING:
    from candlelock.contracts.stage_params import EvaluateParams

Array = npt.NDArray[np.float64]
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Blocks:
    """Block of every row (n_rows,) and how often each replicate drew each block (n_bootstrap, n_blocks)."""

    index: npt.NDArray[np.int64]
    draws: Array
    confidence: float

    @property
    def n_blocks(self) -> int:
        """Blocks with at least one row."""
        return int(self.draws.shape[1])

    def sums(self, values: Array) -> tuple[Array, Array]:
        """Sum of row values (n_rows,) or (n_rows, k) over all rows, and per replicate: (k,) and (n_bootstrap, k)."""
        columns = values[:, None] if values.ndim == 1 else values
        per_block = np.column_stack([np.bincount(self.index, column, self.n_blocks) for column in columns.T])
        return per_block.sum(axis=0), self.draws @ per_block

    def interval(self, value: float, replicates: Array) -> Interval:
        """As `percentile_interval`."""
        return percentile_interval(value, replicates, self.confidence)


def percentile_interval(value: float, replicates: Array, confidence: float) -> Interval:
    """Percentiles of the replicates; those that are NaN (an empty class) are left out."""
    tail = 50 * (1 - confidence)
    known = replicates[~np.isnan(replicates)]
    low, high = np.percentile(known, [tail, 100 - tail]) if len(known) else (value, value)
    return Interval(value=float(value), low=float(low), high=float(high))


def draw_blocks(open_time_ms: npt.NDArray[np.int64], params: EvaluateParams, seed: int) -> Blocks:
    """Blocks of `block_hours` since 1970 UTC, and their multinomial draws."""
    index = np.unique(open_time_ms // (params.block_hours * HOUR_MS), return_inverse=True)[1]
    n_blocks = int(index.max()) + 1
    draws = np.random.default_rng(seed).multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=params.n_bootstrap)
    return Blocks(index, draws.astype(np.float64), params.confidence)
