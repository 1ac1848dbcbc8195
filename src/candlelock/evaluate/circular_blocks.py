"""The circular block bootstrap over time (Politis and Romano 1992): stretches of a chosen length from any start on.

All symbols together; time wraps around at its end, so every hour is drawn equally often. The draws are counts of short
steps of time, so that what is made for `Blocks` works on them as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.evaluate.bootstrap import HOUR_MS, Blocks

if TYPE_CHECKING:
    from candlelock.contracts.stage_params import EvaluateParams

MAX_STEPS = 5000  # so that the draws of any span fit into memory


@dataclass(frozen=True)
class Steps:
    """Step of every row (n_rows,), from 0; steps between them that have no row count, too. `hours`: of one step."""

    index: npt.NDArray[np.int64]
    n_steps: int
    hours: int


def cut_steps(open_time_ms: npt.NDArray[np.int64]) -> Steps:
    """Steps since 1970 UTC of one hour, of more whole hours where the span has more than 5,000."""
    hour = open_time_ms // HOUR_MS
    hours = -(-int(hour.max() - hour.min() + 1) // MAX_STEPS)
    step = hour // hours
    index = step - step.min()
    return Steps(index, int(index.max()) + 1, hours)


def draw_circular(steps: Steps, block_hours: float, params: EvaluateParams, seed: int) -> Blocks:
    """Draws of as many steps as there are, in blocks of `block_hours` rounded up to whole steps, the last one cut.

    `params`: n_bootstrap and confidence.
    """
    n, length = steps.n_steps, min(max(-(-int(np.ceil(block_hours)) // steps.hours), 1), steps.n_steps)
    starts = np.random.default_rng(seed).integers(0, n, size=(params.n_bootstrap, -(-n // length)))
    lengths = np.full(starts.shape[1], length)
    lengths[-1] = n - length * (starts.shape[1] - 1)
    edges = np.zeros((params.n_bootstrap, n + length + 1))
    replicate = np.arange(params.n_bootstrap)[:, None]
    np.add.at(edges, (replicate, starts), 1.0)
    np.add.at(edges, (replicate, starts + lengths), -1.0)
    counts = np.cumsum(edges, axis=1)[:, :-1]
    counts[:, :length] += counts[:, n:]
    return Blocks(steps.index, counts[:, :n].copy(), params.confidence)
