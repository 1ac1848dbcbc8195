"""Maps from a raw to a calibrated probability, chosen by cross-fitted log loss.

Sources: temperature, Guo et al. 2017; Platt 1999; beta, Kull et al. 2017; isotonic, Zadrozny & Elkan 2002;
Venn-Abers, Vovk et al. 2015.
Cross-fitting uses contiguous blocks of time, so that a block's overlapping labels do not choose the method that judges
them.
`identity` is a candidate too: what fits ten weeks, an intercept above all, is often wrong in the next ten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from candlelock.calibrate.logistic import EDGE, fit_logistic, logit, sigmoid
from candlelock.calibrate.venn_abers import fit_knots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Array = npt.NDArray[np.float64]
Blocks = npt.NDArray[np.int64]
Method = Literal["identity", "temperature", "platt", "beta", "isotonic", "venn_abers"]
N_BLOCKS = 5
STEP_EDGE = 1e-3  # isotonic steps reach 0 and 1; a probability of exactly 0 or 1 is never claimed
LOSS_EDGE = 1e-7


@dataclass(frozen=True)
class Calibration:
    """A map of probabilities that never falls: `identity`, linear between knots, or

    logit(q) = slope · ln p - slope_down · ln(1 - p) + intercept, where `slope_down` is None if it equals `slope`.
    """

    method: Method
    slope: float | None = None
    slope_down: float | None = None
    intercept: float | None = None
    knots_x: Sequence[float] | None = None
    knots_y: Sequence[float] | None = None

    def apply(self, p: Array) -> Array:
        """Calibrated probability. Same shape."""
        if self.slope is not None and self.intercept is not None:
            if self.slope_down is None:
                return sigmoid(self.slope * logit(p) + self.intercept)
            up, down = _log_odds_parts(p)
            return sigmoid(self.slope * up + self.slope_down * down + self.intercept)
        if self.knots_x is not None and self.knots_y is not None:
            return np.asarray(np.interp(p, np.asarray(self.knots_x), np.asarray(self.knots_y)))
        return p


@dataclass(frozen=True)
class Choice:
    """A calibration fitted on all rows, every method's mean cross-fitted log loss, and the chosen one's row by row."""

    calibration: Calibration
    losses: Mapping[Method, float]
    row_losses: Array


def fit_calibration(method: Method, p: Array, y: Array) -> Calibration:
    """Fit one method on raw probabilities and labels, both of shape (n_rows,); the map never falls."""
    if method == "identity":
        return Calibration("identity")
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        fitted = IsotonicRegression(y_min=STEP_EDGE, y_max=1 - STEP_EDGE, out_of_bounds="clip").fit(p, y)
        return Calibration("isotonic", knots_x=fitted.X_thresholds_.tolist(), knots_y=fitted.y_thresholds_.tolist())
    if method == "venn_abers":
        x, values = fit_knots(p, y)
        return Calibration("venn_abers", knots_x=x.tolist(), knots_y=values.tolist())
    parts = _log_odds_parts(p) if method == "beta" else (logit(p),)
    (slope, *more), intercept = fit_logistic(np.column_stack(parts), y, 0.0, has_intercept=method != "temperature")
    return Calibration(method, slope, more[0] if more else None, intercept)


def choose_calibration(methods: Sequence[Method], p: Array, y: Array, block: Blocks) -> Choice:
    """The first method that no later one beats by more than noise, fitted on all rows.

    `methods` are listed simplest first; `block` numbers each row's block of time. A later method is taken when its
    cross-fitted log loss is lower by more than one standard error over the blocks (Breiman et al. 1984): what is
    fitted to one quarter's weather has to earn its place.
    """
    losses = {method: _cross_fitted_losses(method, p, y, block) for method in methods}
    best = methods[0]
    for method in methods[1:]:
        gain, error = lead(losses[best], losses[method], block)
        if gain > error:
            best = method
    means = {method: float(loss.mean()) for method, loss in losses.items()}
    return Choice(fit_calibration(best, p, y), means, losses[best])


def time_blocks(open_time_ms: npt.NDArray[np.int64]) -> Blocks:
    """Number of the contiguous block of time of each row, of five with equal shares of the rows."""
    cuts = np.quantile(open_time_ms, np.linspace(0, 1, N_BLOCKS + 1)[1:-1])
    return np.unique(np.searchsorted(cuts, open_time_ms, side="right"), return_inverse=True)[1]


def lead(loss: Array, other: Array, block: Blocks) -> tuple[float, float]:
    """By how much `other` loses less in the mean over the blocks, and the standard error of that."""
    gain = np.bincount(block, loss - other) / np.bincount(block)
    return float(gain.mean()), float(gain.std(ddof=1) / np.sqrt(len(gain)))


def _log_odds_parts(p: Array) -> tuple[Array, Array]:
    """ln p and -ln(1 - p), whose sum is the logit."""
    q = np.clip(p, EDGE, 1 - EDGE)
    return np.log(q), -np.log1p(-q)


def _cross_fitted_losses(method: Method, p: Array, y: Array, block: Blocks) -> Array:
    """Log loss of each row under the method fitted on the other blocks; shape (n_rows,)."""
    q = np.empty_like(p)
    for held_out in np.unique(block):
        own = block == held_out
        q[own] = fit_calibration(method, p[~own], y[~own]).apply(p[own])
    q = np.clip(q, LOSS_EDGE, 1 - LOSS_EDGE)
    return -(y * np.log(q) + (1 - y) * np.log(1 - q))
