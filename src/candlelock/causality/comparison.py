"""Two builds against each other: bit for bit, or within a small part of a feature's spread for plug-ins.

A plug-in may use running sums, as pandas does, whose last digits depend on where the series started. Its values count
as equal within PLUGIN_RTOL standard deviations of the feature; features of the library have no such room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from candlelock.features.market import Array

PLUGIN_RTOL = 1e-9
Mask = npt.NDArray[np.bool_]


def spread(values: Array) -> float:
    """Standard deviation of a feature's known, finite values; 0 where there are none."""
    finite = values[np.isfinite(values)]
    return float(finite.std()) if len(finite) else 0.0


def differences(now: Array, before: Array, tolerance: Array) -> Mask | None:
    """Where two builds differ; None where they do not. Shape (n_features, n_symbols, n_bars); NaN equals NaN.

    `tolerance`: largest difference that still counts as none, for each feature; 0 asks for the same bits.
    """
    is_other: Mask = now.view(np.int64) != before.view(np.int64)
    if not is_other.any():
        return None
    is_other &= ~(np.isnan(now) & np.isnan(before))
    if tolerance.any():
        room = tolerance[:, None, None]
        with np.errstate(invalid="ignore"):
            is_other &= ~((room > 0) & (np.abs(now - before) <= room))
    return is_other if is_other.any() else None
