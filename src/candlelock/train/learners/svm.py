"""Support vector machine with an RBF kernel, made for many rows by Nyström's approximation.

An exact kernel machine takes time with the square of the rows and, on labels as noisy as these, keeps nearly all of
them to answer with. Here rows are seen through their kernel with some hundred landmarks among them, and the machine is
linear in that: time and memory grow with rows times landmarks, and all rows count. Scores become probabilities by a
sigmoid (Platt 1999) that is fitted on the latest rows with a machine trained on what comes before them; the machine
that stays is trained on all. Source: Williams and Seeger 2001, Using the Nyström method to speed up kernel machines.

Of values it is a least-squares machine: the same penalty, the squared error in place of the squared hinge, which makes
it a ridge regression on the same view, and no sigmoid. A tube in which errors are free would ask for a width in the
unit of the labels, and would not lead to their mean. Source: Suykens and Vandewalle 1999, Least squares support vector
machine classifiers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from candlelock.train.learners import ridge, standardiser

if TYPE_CHECKING:
    import numpy.typing as npt

    from candlelock.contracts.train_params import SvmParams
    from candlelock.train.learner import Array, Sample

HELD_FRAC, GAP_FRAC = 0.2, 0.01  # of the rows: the latest, for the sigmoid; before them, left out as labels overlap
LEAST_EIGENVALUE = 1e-6  # of the largest: smaller ones would only carry rounding


@dataclass(frozen=True)
class SvmModel:
    """Standardiser, landmarks (n_landmarks, n_features), their weights (n_landmarks,) and the sigmoid, if there is one.

    score = intercept + Σ weight · exp(-gamma · |x - landmark|²); p = 1 / (1 + exp(-(slope · score + offset))), and the
    value is the score.
    """

    inputs: standardiser.Standardiser
    landmarks: Array
    weights: Array
    gamma: float
    intercept: float
    sigmoid: tuple[float, float] | None
    n_rounds: int = 1

    @property
    def is_value(self) -> bool:
        """Whether it answers values."""
        return self.sigmoid is None

    def predict(self, x: Array) -> Array:
        """Probability of up, or value, shape (n_rows,)."""
        kernel = _kernel(self.inputs.apply(x), self.landmarks, self.gamma)
        score = np.einsum("ij,j->i", kernel, self.weights) + self.intercept
        if self.sigmoid is None:
            return np.asarray(score)
        slope, offset = self.sigmoid
        return np.asarray(1.0 / (1.0 + np.exp(-(slope * score + offset))))

    def gains(self) -> Array:
        """Mean size of the score's slope along each standardised feature, at the landmarks."""
        shares = _kernel(self.landmarks, self.landmarks, self.gamma) * self.weights
        slopes = shares @ self.landmarks - shares.sum(axis=1)[:, None] * self.landmarks
        return np.asarray(2.0 * self.gamma * np.abs(slopes).mean(axis=0))

    def to_bytes(self) -> bytes:
        """Everything as safetensors."""
        numbers = np.array([self.gamma, self.intercept, *(self.sigmoid or ())])
        inputs = {"input.mean": self.inputs.mean, "input.scale": self.inputs.scale}
        return bytes(save_tensors(inputs | {"landmarks": self.landmarks, "weights": self.weights, "numbers": numbers}))


def fit(sample: Sample, stop: Sample | None, settings: SvmParams, seed: int, threads: int) -> SvmModel:
    """Train on `sample`, in the order of time; there is nothing to stop early, and `threads` does not apply.

    An unknown value counts as the mean. Where the latest rows or those before them are all of one class, the sigmoid is
    fitted on all rows.
    """
    sample = sample.as_classes()
    inputs = standardiser.fit(sample.x, sample.weights)
    z, gamma = inputs.apply(sample.x), settings.gamma / sample.x.shape[1]
    landmarks = z[_spread(len(z), settings.n_landmarks, seed)]
    values, vectors = np.linalg.eigh(_kernel(landmarks, landmarks, gamma))
    kept = values > LEAST_EIGENVALUE * values[-1]
    project = vectors[:, kept] / np.sqrt(values[kept])
    seen = _kernel(z, landmarks, gamma) @ project
    if sample.is_value:
        coefficients, intercept = ridge.fit(seen, sample.y, sample.weights, 1.0 / (2.0 * settings.c))
        return SvmModel(inputs, landmarks, project @ coefficients, gamma, intercept, None)
    earlier, latest = _held_out(sample.y)
    coefficients, intercept = _fit_linear(seen[earlier], sample, earlier, settings.c)
    sigmoid = _fit_sigmoid(seen[latest] @ coefficients + intercept, sample, latest)
    coefficients, intercept = _fit_linear(seen, sample, slice(None), settings.c)
    return SvmModel(inputs, landmarks, project @ coefficients, gamma, intercept, sigmoid)


def load(content: bytes) -> SvmModel:
    """The model that `to_bytes` wrote."""
    saved = load_tensors(content)
    inputs = standardiser.Standardiser(saved["input.mean"], saved["input.scale"])
    gamma, intercept, *sigmoid = saved["numbers"].tolist()
    return SvmModel(inputs, saved["landmarks"], saved["weights"], gamma, intercept, tuple(sigmoid) or None)


def _kernel(z: Array, landmarks: Array, gamma: float) -> Array:
    """exp(-gamma · squared distance), shape (n_rows, n_landmarks).

    A row's values do not depend on the rows beside it, as in a library's product.
    """
    products = np.einsum("ij,kj->ik", z, landmarks)
    squares = (z**2).sum(axis=1)[:, None] + (landmarks**2).sum(axis=1) - 2.0 * products
    return np.asarray(np.exp(-gamma * np.maximum(squares, 0.0)))


def _spread(n_rows: int, n_landmarks: int, seed: int) -> npt.NDArray[np.intp]:
    """One row from each of so many equal stretches of time; all rows where there are no more."""
    if n_rows <= n_landmarks:
        return np.arange(n_rows)
    places = np.arange(n_landmarks) + np.random.default_rng(seed).random(n_landmarks)
    return (places * (n_rows / n_landmarks)).astype(np.intp)


def _held_out(y: Array) -> tuple[slice, slice]:
    """The rows that train, and those that the sigmoid is fitted on."""
    n_held, n_gap = int(HELD_FRAC * len(y)), int(GAP_FRAC * len(y))
    parts = slice(0, len(y) - n_held - n_gap), slice(len(y) - n_held, None)
    return parts if all(np.unique(y[part]).size == 2 for part in parts) else (slice(None), slice(None))


def _fit_linear(seen: Array, sample: Sample, part: slice, c: float) -> tuple[Array, float]:
    from sklearn.svm import LinearSVC

    weights = None if sample.weights is None else sample.weights[part]
    machine = LinearSVC(C=c, dual=False).fit(seen, sample.y[part], weights)
    return machine.coef_[0], float(machine.intercept_[0])


def _fit_sigmoid(scores: Array, sample: Sample, part: slice) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    weights = None if sample.weights is None else sample.weights[part]
    fitted = LogisticRegression(C=1e6).fit(scores[:, None], sample.y[part], weights)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
