"""Standard scaling fitted on training rows: what the MLP and the logistic regression see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
LIMIT = 5.0  # standard deviations beyond which a value says no more
FLAT = 1e-12  # of the mean's size: a smaller spread is rounding


@dataclass(frozen=True)
class Standardiser:
    """Mean and standard deviation of each feature, shape (n_features,)."""

    mean: Array
    scale: Array

    def apply(self, x: Array) -> Array:
        """Centred, scaled, cut at ±5; an unknown value becomes 0, the mean. Same shape."""
        return np.nan_to_num(np.clip((x - self.mean) / self.scale, -LIMIT, LIMIT), nan=0.0)


def fit(x: Array, weights: Array | None = None) -> Standardiser:
    """Fit on the known values of each column, as often as weights (n_rows,) say; None: once each.

    A constant or wholly unknown column gets scale 1.
    """
    known = ~np.isnan(x)
    count = _total(known, weights)
    count = np.where(count > 0, count, 1)
    mean = _total(np.where(known, x, 0.0), weights) / count
    variance = _total(np.where(known, (x - mean) ** 2, 0.0), weights) / count
    scale = np.sqrt(variance)
    is_flat = scale <= FLAT * np.abs(mean)  # the mean of equal values may round
    return Standardiser(mean, np.where(is_flat, 1.0, scale))


def _total(values: npt.NDArray[Any], weights: Array | None) -> npt.NDArray[Any]:
    return np.asarray((values if weights is None else values * weights[:, None]).sum(axis=0))
