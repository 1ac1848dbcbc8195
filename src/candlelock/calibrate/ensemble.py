"""Members as one probability: a logistic stack, a weighted average or a vote; and how far they are apart.

The average is a linear opinion pool (Stone 1961); its fitted weights maximise the likelihood of out-of-fold labels
(Hall & Mitchell 2007). The vote is the share of members that say up, by Laplace's rule of succession. Values are
combined linearly, by the same two ways to find weights: on their own, or on the simplex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from candlelock.calibrate.stack import apply_stack, fit_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Array = npt.NDArray[np.float64]
Kind = Literal["stack", "average", "vote", "linear"]
UP_FROM = 0.5
EDGE = 1e-7


@dataclass(frozen=True)
class Ensemble:
    """How members become one answer. Weights of an average sum to 1; a vote weighs every member the same.

    `linear` is of values, all others of probabilities.
    """

    kind: Kind
    weights: Mapping[str, float]

    def apply(self, members: Mapping[str, Array]) -> Array:
        """The ensemble's answer, shape (n_rows,), of each member's, by name; others than its own are ignored."""
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


def make_linear(
    kind: Kind, given: Mapping[str, float] | None, members: Mapping[str, Array], y: Array, l2: float
) -> Ensemble:
    """As `make_ensemble`, of out-of-fold values and labels (n_rows,): a stack or an average, by squared error.

    The stack's weights are never negative (Breiman 1996). `l2` penalises half the sum of their squared distances from
    the even average, against the squared error over twice the error's variance: as with the logistic stack, more rows
    weigh less on it.
    """
    if given is not None:
        return Ensemble("linear", make_ensemble("average", given, members, y, l2).weights)
    values = np.column_stack(list(members.values()))
    if kind == "average":
        gram, cross = values.T @ values / len(y), values.T @ y / len(y)
        weights = _fit_on_simplex(lambda w: (float(w @ gram @ w - 2 * cross @ w), 2 * (gram @ w - cross)), len(members))
    else:
        weights = _fit_linear(values, y, l2)
    return Ensemble("linear", dict(zip(members, weights, strict=True)))


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
    p = np.column_stack(list(members.values()))
    likelihood = np.clip(np.where(y[:, None] > 0, p, 1 - p), EDGE, 1)

    def loss(weights: Array) -> tuple[float, Array]:
        mixed = np.maximum(likelihood @ weights, EDGE)
        return -float(np.log(mixed).mean()), -(likelihood / mixed[:, None]).mean(axis=0)

    return dict(zip(members, _fit_on_simplex(loss, len(members)), strict=True))


def _fit_on_simplex(loss: Callable[[Array], tuple[float, Array]], n_members: int) -> list[float]:
    """Weights from 0 up of sum 1 with the lowest loss, which gives its gradient too."""
    from scipy.optimize import minimize

    start = np.full(n_members, 1 / n_members)
    on_simplex = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones_like(w)}
    options = {"ftol": 1e-13, "maxiter": 500}
    bounds = [(0.0, 1.0)] * n_members
    found = minimize(loss, start, jac=True, bounds=bounds, constraints=[on_simplex], method="SLSQP", options=options)
    weights: list[float] = np.clip(found.x, 0, None).tolist()
    return weights


def _fit_linear(values: Array, y: Array, l2: float) -> list[float]:
    """Weights from 0 up of the columns of `values`, (n_rows, n_members), drawn to the even average."""
    from scipy.optimize import nnls

    n_members = values.shape[1]
    even = np.full(n_members, 1 / n_members)
    variance = float(np.mean((y - values @ even) ** 2)) or 1.0
    gram = values.T @ values / variance + l2 * np.eye(n_members)
    root = np.linalg.cholesky(gram)  # |rootᵀ w - root⁻¹ c|² is the loss but for a constant
    weights: list[float] = nnls(root.T, np.linalg.solve(root, values.T @ y / variance + l2 * even))[0].tolist()
    return weights
