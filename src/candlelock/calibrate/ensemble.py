"""Members as one probability: a logistic stack, a weighted average or a vote; and how far they are apart.

The average is a linear opinion pool (Stone 1961); its fitted weights maximise the likelihood of out-of-fold labels
(Hall & Mitchell 2007). The vote is the share of members that say up, by Laplace's rule of succession.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from candlelock.calibrate.stack import apply_stack, fit_stack

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = npt.NDArray[np.float64]
Kind = Literal["stack", "average", "vote"]
UP_FROM = 0.5
EDGE = 1e-7


@dataclass(frozen=True)
class Ensemble:
    """How members become one probability. Weights of an average sum to 1; a vote weighs every member the same."""

    kind: Kind
    weights: Mapping[str, float]

    def apply(self, members: Mapping[str, Array]) -> Array:
        """The ensemble's probability, shape (n_rows,), of each member's, by name; others than its own are ignored."""
        if self.kind == "stack":
            return apply_stack(self.weights, members)
        names = sorted(self.weights)  # one order: an ensemble read from JSON gives the same bits
        if self.kind == "vote":
            return (n_votes_up({name: members[name] for name in names}) + 1) / (len(names) + 2)
        total = np.zeros_like(members[names[0]])
        for name in names:
            total = total + self.weights[name] * members[name]
        return total


def is_fitted(kind: Kind, given: Mapping[str, float] | None) -> bool:
    """Whether labels have a say in the weights."""
    return kind == "stack" or (kind == "average" and given is None)


def make_ensemble(
    kind: Kind, given: Mapping[str, float] | None, members: Mapping[str, Array], y: Array, l2: float
) -> Ensemble:
    """Fit on out-of-fold probabilities (n_rows,) and labels 1.0 or 0.0, or take an average's `given` weights."""
    if kind == "stack":
        return Ensemble(kind, fit_stack(members, y, l2))
    if kind == "vote":
        return Ensemble(kind, dict.fromkeys(members, 1 / len(members)))
    weights = _fit_average(members, y) if given is None else given
    total = sum(weights.values())
    return Ensemble(kind, {name: weights[name] / total for name in members})


def n_votes_up(members: Mapping[str, Array]) -> Array:
    """How many members say up, at p >= 0.5; shape (n_rows,)."""
    return np.asarray(np.sum([p >= UP_FROM for p in members.values()], axis=0), dtype=np.float64)


def spread(members: Mapping[str, Array]) -> Array:
    """Standard deviation over the members' probabilities, of all of them (ddof 0); shape (n_rows,)."""
    return np.asarray(np.std(list(members.values()), axis=0))


def disagreement(members: Mapping[str, Array]) -> Array:
    """Share of members on the side of the fewer, in [0, 0.5]; shape (n_rows,)."""
    up = n_votes_up(members) / len(members)
    return np.minimum(up, 1 - up)


def _fit_average(members: Mapping[str, Array], y: Array) -> dict[str, float]:
    """Weights on the simplex with the lowest log loss of the average; the problem is convex."""
    from scipy.optimize import minimize

    p = np.column_stack(list(members.values()))
    likelihood = np.clip(np.where(y[:, None] > 0, p, 1 - p), EDGE, 1)

    def loss(weights: Array) -> tuple[float, Array]:
        mixed = np.maximum(likelihood @ weights, EDGE)
        return -float(np.log(mixed).mean()), -(likelihood / mixed[:, None]).mean(axis=0)

    start = np.full(len(members), 1 / len(members))
    on_simplex = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones_like(w)}
    options = {"ftol": 1e-13, "maxiter": 500}
    bounds = [(0.0, 1.0)] * len(members)
    found = minimize(loss, start, jac=True, bounds=bounds, constraints=[on_simplex], method="SLSQP", options=options)
    return dict(zip(members, np.clip(found.x, 0, None).tolist(), strict=True))
