"""From raw values to foretold ones, and on to the chance that they are above zero; labels (n_rows,), no NaN."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from candlelock.calibrate.calibrator import lead
from candlelock.calibrate.comparison import rank
from candlelock.calibrate.logistic import sigmoid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.calibrate.calibrator import Array, Blocks
    from candlelock.contracts.documents import Compared

LEAST_SPREAD = 1e-12  # of values that are foretold without an error
PER_SPREAD = math.pi / math.sqrt(3)  # scale of a logistic distribution: its standard deviation over this


@dataclass(frozen=True)
class ValueLine:
    """The foretold value is slope · raw + intercept; `spread`: root mean square of its errors."""

    slope: float
    intercept: float
    spread: float

    def foretell(self, raw: Array) -> Array:
        """The foretold value. Same shape."""
        return np.asarray(self.slope * raw + self.intercept)

    def chance_up(self, foretold: Array) -> Array:
        """Chance that the value turns out above zero, errors taken for logistically distributed. Same shape."""
        return sigmoid(PER_SPREAD / self.spread * foretold)


def fit_line(raw: Array, y: Array, block: Blocks) -> ValueLine:
    """Least squares with a slope from 0 up, where that beats the raw value by more than noise.

    As with calibrators: by more than one standard error over the blocks of time, each predicted by the others.
    """
    crossed = np.empty_like(raw)
    for held_out in np.unique(block):
        own = block == held_out
        slope, intercept = _least_squares(raw[~own], y[~own])
        crossed[own] = slope * raw[own] + intercept
    gain, error = lead((y - raw) ** 2, (y - crossed) ** 2, block)
    slope, intercept = _least_squares(raw, y) if gain > error else (1.0, 0.0)
    spread = float(np.sqrt(np.mean((y - slope * raw - intercept) ** 2)))
    return ValueLine(slope, intercept, max(spread, LEAST_SPREAD))


def compare_values(raw: Mapping[str, Array], y: Array, block: Blocks) -> tuple[str, list[Compared]]:
    """Who is used, and the squared error of everyone, in the order of `raw`, whose last is the ensemble.

    The ensemble where it loses less than every member; otherwise the best member alone. The weights were fitted on
    other rows, so nothing is crossed here.
    """
    return rank({name: ("identity", (y - value) ** 2) for name, value in raw.items()}, block)


def _least_squares(raw: Array, y: Array) -> tuple[float, float]:
    """Slope, 0 or more, and intercept."""
    apart = raw - raw.mean()
    square = float(apart @ apart)
    slope = max(float(apart @ y) / square, 0.0) if square > 0 else 0.0
    return slope, float(y.mean() - slope * raw.mean())
