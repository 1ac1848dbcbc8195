"""The contract of a learner and the table of those there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
        return replace(self, x=self.x[mask], y=self.y[mask], rows=self.rows[mask])


class Model(Protocol):
    """A fitted learner."""

    @property
    def n_rounds(self) -> int:
        """Trees or epochs it was trained for."""

    def predict(self, x: Array) -> Array:
        """Probability of up, shape (n_rows,), for features of shape (n_rows, n_features)."""

    def gains(self) -> Array:
        """How much the model leans on each feature, shape (n_features,), not normalised."""

    def to_bytes(self) -> bytes:
        """The model in its native format, which `load` of its learner reads: the same predictions to the last bit."""


@dataclass(frozen=True)
class Learner:
    """One entry of LEARNERS; its settings are the section of its name in `train`.

    `fit(sample, stop, settings, seed, threads)`: with `stop` rows it ends early, else after all rounds. `rounds_key`:
    the setting that holds the most rounds; None for a learner that has nothing to stop. `load(content)` trusts its
    input: verify the hash first. `suffix`: of the file. `what`: in one line.
    """

    fit: Callable[..., Model]
    rounds_key: str | None
    load: Callable[[bytes], Model]
    suffix: str
    what: str


LEARNERS = {
    "lightgbm": Learner(lightgbm.fit, "max_rounds", lightgbm.load, "txt", "LightGBM: trees that grow leaf by leaf"),
    "xgboost": Learner(xgboost.fit, "max_rounds", xgboost.load, "ubj", "XGBoost: trees that grow level by level"),
    "mlp": Learner(mlp.fit, "max_epochs", mlp.load, "safetensors", "feed-forward torch network"),
    "logistic": Learner(logistic.fit, None, logistic.load, "json", "logistic regression: the baseline"),
}
