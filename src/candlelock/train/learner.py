"""The contract of a learner and the table of those there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from candlelock.train.learners import lightgbm, logistic, mlp, xgboost

if TYPE_CHECKING:
    from collections.abc import Callable

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Features (n_rows, n_features), NaN where unknown, and labels (n_rows,) of 1.0 and 0.0, in order of time.

    `rows`: their numbers in the split table, which go with them wherever they go.
    """

    x: Array
    y: Array
    rows: npt.NDArray[np.intp]

    def take(self, mask: npt.NDArray[Any]) -> Sample:
        """The rows of a mask or an index."""
        return Sample(self.x[mask], self.y[mask], self.rows[mask])


class Model(Protocol):
    """A fitted learner."""

    @property
    def n_rounds(self) -> int:
        """Trees or epochs it was trained for."""

    def predict(self, x: Array) -> Array:
        """Probability of up, shape (n_rows,), for features of shape (n_rows, n_features)."""

    def gains(self) -> Array:
        """How much the model leans on each feature, shape (n_features,), not normalised."""

    def files(self) -> dict[str, bytes]:
        """The model in its native format: file name -> bytes."""


@dataclass(frozen=True)
class Binned:
    """Bins that are built once for many fits: `build(sample, stop, settings, seed, threads)`, then `fit(bins, …)`.

    `keys`: the settings that the bins depend on.
    """

    build: Callable[..., Any]
    fit: Callable[..., Model]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Learner:
    """`fit(sample, stop, settings, seed, threads)`: with `stop` rows it ends early, else after all rounds."""

    fit: Callable[..., Model]
    rounds_key: str | None
    binned: Binned | None = None


LEARNERS = {
    "lightgbm": Learner(lightgbm.fit, "max_rounds", Binned(lightgbm.bin_rows, lightgbm.fit_binned, ("max_bin",))),
    "xgboost": Learner(xgboost.fit, "max_rounds", Binned(xgboost.bin_rows, xgboost.fit_binned, ("max_bin",))),
    "mlp": Learner(mlp.fit, "max_epochs"),
    "logistic": Learner(logistic.fit, None),
}
