"""Platt scaling and isotonic regression, chosen by cross-fitted log loss.

Sources: Platt 1999; Zadrozny & Elkan 2002. Cross-fitting uses contiguous blocks of time, so that a block's overlapping
labels do not choose the method that judges them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from candlelock.calibrate.stack import fit_stack, logit, sigmoid

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = npt.NDArray[np.float64]
Method = Literal["platt", "isotonic"]
N_BLOCKS = 5
EDGE = 1e-3  # isotonic steps reach 0 and 1; a probability of exactly 0 or 1 is never claimed


@dataclass(frozen=True)
class Calibration:
    """A monotone map of probabilities: a line on the logit, or linear interpolation between knots."""

    method: Method
    slope: float | None = None
    intercept: float | None = None
    knots_x: Sequence[float] | None = None
    knots_y: Sequence[float] | None = None

    def apply(self, p: Array) -> Array:
        """Calibrated probability. Same shape."""
        if self.slope is not None and self.intercept is not None:
            return sigmoid(self.slope * logit(p) + self.intercept)
        return np.asarray(np.interp(p, np.asarray(self.knots_x), np.asarray(self.knots_y)))


def fit_calibration(method: Method, p: Array, y: Array) -> Calibration:
    """Fit one method on raw probabilities and labels, both of shape (n_rows,); the map never falls."""
    if method == "platt":
        line = fit_stack({"raw": p}, y, l2=0.0)
        return Calibration("platt", slope=line.weights["raw"], intercept=line.intercept)
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=EDGE, y_max=1 - EDGE, out_of_bounds="clip").fit(p, y)
    return Calibration("isotonic", knots_x=fitted.X_thresholds_.tolist(), knots_y=fitted.y_thresholds_.tolist())


def choose_calibration(
    methods: Sequence[Method], p: Array, y: Array, open_time_ms: npt.NDArray[np.int64]
) -> tuple[Calibration, dict[str, float]]:
    """The first method that no later one beats by more than noise, fitted on all rows, and every method's loss.

    `methods` are listed simplest first. A later one is taken when its cross-fitted log loss is lower by more than one
    standard error over the blocks (Breiman et al. 1984): isotonic steps cost ranks, so they have to earn their place.
    """
    cuts = np.quantile(open_time_ms, np.linspace(0, 1, N_BLOCKS + 1)[1:-1])
    block = np.searchsorted(cuts, open_time_ms, side="right")
    losses = {method: _cross_fitted_losses(method, p, y, block) for method in methods}
    best = methods[0]
    for method in methods[1:]:
        gain = np.bincount(block, losses[best] - losses[method]) / np.bincount(block)
        if gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)):
            best = method
    return fit_calibration(best, p, y), {method: float(loss.mean()) for method, loss in losses.items()}


def _cross_fitted_losses(method: Method, p: Array, y: Array, block: npt.NDArray[np.int64]) -> Array:
    """Log loss of each row under the method fitted on the other blocks; shape (n_rows,)."""
    q = np.empty_like(p)
    for held_out in np.unique(block):
        own = block == held_out
        q[own] = fit_calibration(method, p[~own], y[~own]).apply(p[own])
    q = np.clip(q, 1e-7, 1 - 1e-7)
    return -(y * np.log(q) + (1 - y) * np.log(1 - q))
