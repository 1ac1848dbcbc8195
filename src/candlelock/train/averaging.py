"""A member as the mean of models that differ in their seed alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from candlelock.artifacts import seeds

if TYPE_CHECKING:
    from candlelock.train.learner import Array, Model


@dataclass(frozen=True)
class Averaged:
    """One model per seed.

    Probabilities are averaged, not logits: log loss is convex in them, so the mean is never worse than its parts are on
    average, and a forest's 0 or 1 does no harm. Of values it is the mean, for which squared error says the same. One
    model alone answers as it does by itself, to the last bit.
    """

    models: tuple[Model, ...]

    @property
    def is_value(self) -> bool:
        """Whether they answer values: the same for all."""
        return self.models[0].is_value

    @property
    def n_rounds(self) -> int:
        """Trees or epochs of each: the same for all."""
        return self.models[0].n_rounds

    def predict(self, x: Array) -> Array:
        """Mean probability of up, or mean value, shape (n_rows,)."""
        return np.asarray(sum(model.predict(x) for model in self.models) / len(self.models))

    def gains(self) -> Array:
        """Mean gain of each feature, shape (n_features,)."""
        return np.asarray(sum(model.gains() for model in self.models) / len(self.models))


def seeds_of(seed: int, n_seeds: int) -> list[int]:
    """The seed itself, then others derived from it."""
    return [seed, *(seeds.derive(seed, f"model {number}") for number in range(2, n_seeds + 1))]
