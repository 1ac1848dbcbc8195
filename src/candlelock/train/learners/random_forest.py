"""Random forest of scikit-learn: trees on draws of the rows, each split on a draw of the features.

Saved as arrays (`trees`). Every tree has a seed of its own, drawn before any is grown, and the answers are summed in
the order of the trees: the bytes do not depend on the threads, as those of `predict_proba(n_jobs=2)` do. Values are
learned in standard units, as a node whose values hardly differ is not split, and leaves hold them in their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from candlelock.train.learners import label_unit, trees

if TYPE_CHECKING:
    import numpy.typing as npt

    from candlelock.contracts.train_params import RandomForestParams
    from candlelock.train.learner import Array, Sample


@dataclass(frozen=True)
class RandomForestModel:
    """Trees whose leaves hold the share of ups or the mean value, and the impurity that splits on each feature took."""

    trees: trees.Trees
    impurity: Array
    is_value: bool = False

    @property
    def n_rounds(self) -> int:
        """Trees."""
        return len(self.trees.roots)

    def predict(self, x: Array) -> Array:
        """Mean share of ups, or value, shape (n_rows,); features in float32, as the trees were grown on."""
        return self.trees.sums(x.astype(np.float32).astype(np.float64)) / self.n_rounds

    def gains(self) -> Array:
        """Total decrease of impurity by the splits on each feature."""
        return self.impurity

    def to_bytes(self) -> bytes:
        """Everything as safetensors."""
        kind = {trees.IS_VALUE: np.ones(1, np.uint8)} if self.is_value else {}
        return bytes(save_tensors(self.trees.tensors() | {"impurity": self.impurity} | kind))


def fit(
    sample: Sample, stop: Sample | None, settings: RandomForestParams, seed: int, threads: int
) -> RandomForestModel:
    """Train on `sample`; more trees never hurt, so there is nothing to stop early.

    An unknown value goes to the side of a split where it did better in training; where none was seen, to the larger.
    """
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    sample = sample.as_classes()
    unit = label_unit.fit(sample.y, sample.weights) if sample.is_value else None
    kind = RandomForestClassifier if unit is None else RandomForestRegressor
    forest = kind(**settings.model_dump(), random_state=seed, n_jobs=threads)
    forest.fit(sample.x, sample.y if unit is None else unit.apply(sample.y), sample.weights)
    grown = [tree.tree_ for tree in forest.estimators_]
    impurity = np.sum([tree.compute_feature_importances(normalize=False) for tree in grown], axis=0)
    joined = trees.join([_arrays(tree, _leaves(tree, unit)) for tree in grown])
    return RandomForestModel(joined, impurity, sample.is_value)


def _leaves(tree: Any, unit: label_unit.LabelUnit | None) -> Array:  # noqa: ANN401
    """The share of ups, or the mean value, in each node."""
    return np.asarray(tree.value[:, 0, 1] if unit is None else unit.restore(tree.value[:, 0, 0]))


def _arrays(tree: Any, value: Array) -> dict[str, npt.NDArray[Any]]:  # noqa: ANN401
    return {
        "feature": np.where(tree.children_left < 0, trees.LEAF, tree.feature),
        "threshold": tree.threshold,
        "left": tree.children_left,
        "right": tree.children_right,
        "unknown_left": tree.missing_go_to_left,
        "value": value,
    }


def load(content: bytes) -> RandomForestModel:
    """The model that `to_bytes` wrote."""
    tensors = load_tensors(content)
    return RandomForestModel(trees.read(tensors), tensors["impurity"], trees.IS_VALUE in tensors)
