"""Histogram gradient boosting of scikit-learn, saved as arrays (`trees`).

Its histograms are summed by as many threads as OpenMP gives, which is one in the locked numeric environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from candlelock.train.learners import trees

if TYPE_CHECKING:
    import numpy.typing as npt

    from candlelock.contracts.train_params import HistGradientBoostingParams
    from candlelock.train.learner import Array, Sample


@dataclass(frozen=True)
class HistGradientBoostingModel:
    """Trees that add to a log odds or a value which starts at `base`, and the gain of the splits on each feature."""

    trees: trees.Trees
    base: float
    gain: Array
    is_value: bool = False

    @property
    def n_rounds(self) -> int:
        """Trees."""
        return len(self.trees.roots)

    def predict(self, x: Array) -> Array:
        """Probability of up, or value, shape (n_rows,)."""
        score = self.base + self.trees.sums(x)
        return score if self.is_value else np.asarray(1.0 / (1.0 + np.exp(-score)))

    def gains(self) -> Array:
        """Total gain of the splits on each feature."""
        return self.gain

    def to_bytes(self) -> bytes:
        """Everything as safetensors."""
        kind = {trees.IS_VALUE: np.ones(1, np.uint8)} if self.is_value else {}
        numbers = {"base": np.asarray([self.base]), "gain": self.gain}
        return bytes(save_tensors(self.trees.tensors() | numbers | kind))


def fit(
    sample: Sample, stop: Sample | None, settings: HistGradientBoostingParams, seed: int, threads: int
) -> HistGradientBoostingModel:
    """Train on `sample`; with `stop`, keep the trees up to the lowest log loss or squared error on it.

    An unknown value goes to the side of a split where it gains more; where none was seen, to the larger one.
    `threads` does not apply.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    sample, stop = sample.as_classes(), stop and stop.as_classes()
    own = settings.model_dump(exclude={"max_rounds", "patience_rounds"})
    rounds = {"max_iter": settings.max_rounds, "n_iter_no_change": settings.patience_rounds, "tol": 0.0}
    kind = HistGradientBoostingRegressor if sample.is_value else HistGradientBoostingClassifier
    model = kind(**own, **rounds, early_stopping=stop is not None, scoring="loss", random_state=seed)
    watch = {} if stop is None else {"X_val": stop.x, "y_val": stop.y, "sample_weight_val": stop.weights}
    model.fit(_with_values(sample.x), sample.y, sample.weights, **watch)
    n_kept = len(model._predictors) if stop is None else max(int(np.argmax(model.validation_score_)), 1)
    nodes = [grown.nodes for (grown,) in model._predictors[:n_kept]]
    base, grown_trees = float(model._baseline_prediction[0, 0]), trees.join([_arrays(each) for each in nodes])
    return HistGradientBoostingModel(grown_trees, base, _gain(nodes, sample), sample.is_value)


def _with_values(x: Array) -> Array:
    """`x` with 0 in columns without any value, which scikit-learn cannot sort into bins; nothing splits on them."""
    unknown = np.isnan(x).all(axis=0)
    return np.where(unknown, 0.0, x) if unknown.any() else x


def _arrays(nodes: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    is_leaf = nodes["is_leaf"].astype(bool)
    return {
        "feature": np.where(is_leaf, trees.LEAF, nodes["feature_idx"]),
        "threshold": nodes["num_threshold"],
        "left": nodes["left"].astype(np.int64),
        "right": nodes["right"].astype(np.int64),
        "unknown_left": nodes["missing_go_to_left"],
        "value": nodes["value"],
    }


def _gain(trees_nodes: list[npt.NDArray[Any]], sample: Sample) -> Array:
    whole = np.concatenate(trees_nodes)
    splits = whole[whole["is_leaf"] == 0]
    gain = np.bincount(splits["feature_idx"], weights=splits["gain"], minlength=sample.x.shape[1])
    return np.asarray(gain, dtype=np.float64)


def load(content: bytes) -> HistGradientBoostingModel:
    """The model that `to_bytes` wrote."""
    tensors = load_tensors(content)
    is_value = trees.IS_VALUE in tensors
    return HistGradientBoostingModel(trees.read(tensors), float(tensors["base"][0]), tensors["gain"], is_value)
