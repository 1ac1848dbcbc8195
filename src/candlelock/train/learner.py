"""The contract of a learner and the table of those there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from candlelock.train.learners import (
    catboost,
    hist_gradient_boosting,
    lightgbm,
    logistic,
    mlp,
    random_forest,
    svm,
    xgboost,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Features (n_rows, n_features), NaN where unknown, and labels (n_rows,) of 1.0 and 0.0, in order of time.

    `rows`: their numbers in the split table, which go with them wherever they go. `weights`: how much each counts,
    (n_rows,), mean 1; None: all the same. `names`: of the features, for messages. `is_value`: whether `y` holds values,
    of any size, and not 1.0 and 0.0. `soft`: what is learned in place of the labels, (n_rows,) from 0, down, to 1, up;
    models are judged by the labels.
    """

    x: Array
    y: Array
    rows: npt.NDArray[np.intp]
    weights: Array | None = None
    names: tuple[str, ...] = ()
    is_value: bool = False
    soft: Array | None = None

    @property
    def target(self) -> Array:
        """What is learned, (n_rows,)."""
        return self.y if self.soft is None else self.soft

    @property
    def labels(self) -> tuple[Array, ...]:
        """All that is told of the rows beside their features."""
        return (self.y,) if self.soft is None else (self.y, self.soft)

    def as_classes(self) -> Sample:
        """For learners that know up and down alone: a row between them becomes two, up and down by their shares.

        Both weigh together what the row did, so that the sum of the weights stays, not their mean.
        """
        if self.soft is None:
            return self
        at = np.repeat(np.arange(len(self.y)), 1 + ((self.soft > 0) & (self.soft < 1)))
        is_second, share, seen = at == np.r_[-1, at[:-1]], self.soft[at], self.take(at)
        is_up = (share > 0) & ~is_second
        parts = np.where(is_up, share, 1.0 - share)
        weights = parts if seen.weights is None else parts * seen.weights
        return replace(seen, y=is_up.astype(np.float64), soft=None, weights=weights)

    def take(self, mask: npt.NDArray[Any]) -> Sample:
        """The rows of a mask or an index."""
        weights, soft = (None if each is None else each[mask] for each in (self.weights, self.soft))
        return replace(self, x=self.x[mask], y=self.y[mask], rows=self.rows[mask], weights=weights, soft=soft)


class Model(Protocol):
    """A fitted learner, of probabilities or, where its sample held values, of these."""

    @property
    def is_value(self) -> bool:
        """Whether it answers values."""

    @property
    def n_rounds(self) -> int:
        """Trees or epochs it was trained for."""

    def predict(self, x: Array) -> Array:
        """Probability of up, or expected value, shape (n_rows,), for features of shape (n_rows, n_features)."""

    def gains(self) -> Array:
        """How much the model leans on each feature, shape (n_features,), not normalised."""

    def to_bytes(self) -> bytes:
        """The model in its native format, which `load` of its learner reads: the same predictions to the last bit.

        The bytes say whether it answers values.
        """


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
    """One entry of LEARNERS; its settings are the section of its name in `train`.

    `fit(sample, stop, settings, seed, threads)`: with `stop` rows it ends early, else after all rounds; both count by
    their weights. Of probabilities the log loss is minimised, of values the squared error. `rounds_key`: the setting
    that holds the most rounds; None for a learner that has nothing to stop. `load(content)` trusts its input: verify
    the hash first. `suffix`: of the file. `what`: in one line. `package`: what does the work. `is_seeded`: whether
    chance plays a part. `has_cuda`: whether there is a GPU, which `fit` then takes as `device="cuda"`; None for a
    learner of the CPU alone. `contributions(model, x)`: what each feature adds to the log-odds or the value of each row
    and, last, what they start from, (n_rows, n_features + 1); None for a learner that has no such parts by its nature.
    `library()`: the package, where that is optional; it raises EnvironmentFaultError where it is not installed.
    """

    fit: Callable[..., Model]
    rounds_key: str | None
    load: Callable[[bytes], Model]
    suffix: str
    what: str
    package: str
    is_seeded: bool = True
    has_cuda: Callable[[], bool] | None = None
    binned: Binned | None = None
    contributions: Callable[..., Array] | None = None
    library: Callable[[], Any] | None = None


LEARNERS = {
    "lightgbm": Learner(
        fit=lightgbm.fit,
        rounds_key="max_rounds",
        load=lightgbm.load,
        suffix="txt",
        what="trees that grow leaf by leaf, one on the errors of the others",
        package="lightgbm",
        binned=Binned(lightgbm.bin_rows, lightgbm.fit_binned, ("max_bin",)),
        contributions=lightgbm.contributions,
    ),
    "xgboost": Learner(
        fit=xgboost.fit,
        rounds_key="max_rounds",
        load=xgboost.load,
        suffix="ubj",
        what="trees that grow level by level, one on the errors of the others",
        package="xgboost",
        has_cuda=xgboost.has_cuda,
        binned=Binned(xgboost.bin_rows, xgboost.fit_binned, ("max_bin",)),
        contributions=xgboost.contributions,
    ),
    "mlp": Learner(
        fit=mlp.fit,
        rounds_key="max_epochs",
        load=mlp.load,
        suffix="safetensors",
        what="feed-forward network on standardised features",
        package="torch",
        has_cuda=mlp.has_cuda,
    ),
    "logistic": Learner(
        fit=logistic.fit,
        rounds_key=None,
        load=logistic.load,
        suffix="json",
        what="logistic regression on standardised features: the baseline",
        package="scikit-learn",
        is_seeded=False,
        contributions=logistic.contributions,
    ),
    "random_forest": Learner(
        fit=random_forest.fit,
        rounds_key=None,
        load=random_forest.load,
        suffix="safetensors",
        what="trees on draws of the rows, averaged",
        package="scikit-learn",
    ),
    "hist_gradient_boosting": Learner(
        fit=hist_gradient_boosting.fit,
        rounds_key="max_rounds",
        load=hist_gradient_boosting.load,
        suffix="safetensors",
        what="scikit-learn's trees, one on the errors of the others",
        package="scikit-learn",
    ),
    "svm": Learner(
        fit=svm.fit,
        rounds_key=None,
        load=svm.load,
        suffix="safetensors",
        what="support vector machine with an RBF kernel, by Nyström's approximation",
        package="scikit-learn",
    ),
    "catboost": Learner(
        fit=catboost.fit,
        rounds_key="max_rounds",
        load=catboost.load,
        suffix="cbm",
        what="symmetric trees, one question per level, one on the errors of the others",
        package="catboost",
        library=catboost.library,
    ),
}
