"""Values in standard units, for learners to which their size matters: how far they lie from their mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from candlelock.train.learners import standardiser

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LabelUnit:
    """Mean and standard deviation of the labels that a model was trained on."""

    mean: float
    scale: float

    def apply(self, y: Array) -> Array:
        """Labels as deviations from the mean, not cut. Same shape."""
        return np.asarray((y - self.mean) / self.scale)

    def restore(self, answer: Array) -> Array:
        """Answers in the unit of the labels. Same shape."""
        return np.asarray(self.mean + self.scale * answer)

    def restore_parts(self, parts: Array) -> Array:
        """Parts of answers, base last, (n_rows, n_parts), in the unit of the labels: the mean goes to the base."""
        restored = self.scale * parts
        restored[:, -1] += self.mean
        return np.asarray(restored)


def fit(y: Array, weights: Array | None = None) -> LabelUnit:
    """Fit on labels (n_rows,), none unknown, as often as weights (n_rows,) say; None: once each.

    Equal labels get scale 1.
    """
    found = standardiser.fit(y[:, None], weights)
    return LabelUnit(float(found.mean[0]), float(found.scale[0]))
