"""Fitted trees as plain arrays: scikit-learn has no file format of its own but pickle.

Thresholds and values are the float64 of the fit, so that a forest read from its file answers as the one in memory.
Trees are walked in their order by a compiled kernel, on one thread, and need no scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from candlelock.artifacts.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Array = npt.NDArray[np.float64]
LEAF = -1
IS_VALUE = "is_value"  # the tensor that marks a file of trees that answer values


@dataclass(frozen=True)
class Trees:
    """Nodes of all trees, one after the other, shape (n_nodes,) each; `roots`: where each tree begins, (n_trees,).

    `feature`: the column a node asks for, or LEAF. A value up to `threshold` goes to the node `left`, another one to
    `right`, an unknown one to the left where `unknown_left` is 1. `value`: what a leaf adds to the sum.
    """

    feature: npt.NDArray[np.int32]
    threshold: Array
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    unknown_left: npt.NDArray[np.uint8]
    value: Array
    roots: npt.NDArray[np.int32]

    def sums(self, x: Array) -> Array:
        """Sum of the leaves that each row (n_rows, n_features) falls in, one per tree, in their order; (n_rows,)."""
        out = np.zeros(len(x))
        _walk(np.ascontiguousarray(x), *(getattr(self, field.name) for field in fields(self)), out)
        return out

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name, for a file."""
        return {f"trees.{field.name}": getattr(self, field.name) for field in fields(self)}


def join(trees: Sequence[Mapping[str, npt.NDArray[Any]]]) -> Trees:
    """Trees one after the other, each as arrays of its own nodes, named as those of Trees; children count from 0."""
    sizes = np.array([len(tree["feature"]) for tree in trees])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    whole = {name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]}
    shift = np.repeat(roots, sizes)
    return Trees(
        feature=whole["feature"].astype(np.int32),
        threshold=whole["threshold"].astype(np.float64),
        left=(whole["left"] + shift).astype(np.int32),
        right=(whole["right"] + shift).astype(np.int32),
        unknown_left=whole["unknown_left"].astype(np.uint8),
        value=whole["value"].astype(np.float64),
        roots=roots.astype(np.int32),
    )


def read(tensors: Mapping[str, npt.NDArray[Any]]) -> Trees:
    """What `tensors` gave."""
    return Trees(*(tensors[f"trees.{field.name}"] for field in fields(Trees)))


def _walk_all(
    x: Array,
    feature: npt.NDArray[np.int32],
    threshold: Array,
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    unknown_left: npt.NDArray[np.uint8],
    value: Array,
    roots: npt.NDArray[np.int32],
    out: Array,
) -> None:
    for row in range(x.shape[0]):
        for root in roots:
            node = root
            while feature[node] != -1:
                asked = x[row, feature[node]]
                if asked <= threshold[node] or (np.isnan(asked) and unknown_left[node] == 1):
                    node = left[node]
                else:
                    node = right[node]
            out[row] += value[node]


_walk: Callable[..., None] = compiled(_walk_all)
