"""A fitted selection at work: from every feature, in registry order, to the columns a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.select_documents import DropStep, PcaStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.contracts.select_documents import ScaleStep, Selection, SelectionReport

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Affine:
    """(x - centre) / scale; with `loadings` (n_outputs, n_inputs) their product with it, where unknown counts 0."""

    centre: Array
    scale: Array
    loadings: Array | None = None

    def apply(self, x: Array) -> Array:
        """Shape (n_rows, n_outputs). A row's values do not depend on the rows beside it, as in a library's product."""
        z = (x - self.centre) / self.scale
        return z if self.loadings is None else np.einsum("ij,kj->ik", np.nan_to_num(z, nan=0.0), self.loadings)


@dataclass(frozen=True)
class Transform:
    """`take`: the columns that stay, null for all. `names`: the features a gain goes back to."""

    n_inputs: int
    names: tuple[str, ...]
    outputs: tuple[str, ...]
    take: npt.NDArray[np.intp] | None
    parts: tuple[Affine, ...]

    @property
    def columns(self) -> dict[str, int]:
        """Each of `names` -> its column among all features, in registry order."""
        taken = range(self.n_inputs) if self.take is None else self.take.tolist()
        return dict(zip(self.names, taken, strict=True))

    def apply(self, x: Array) -> Array:
        """Shape (n_rows, n_outputs) for features in registry order (n_rows, n_inputs), NaN where unknown.

        NaN stays NaN, but counts as the mean in principal components. `x` itself where there is nothing to do.
        Raises InputError for another number of columns.
        """
        if x.ndim != 2 or x.shape[1] != self.n_inputs:
            expected = f"{self.n_inputs} columns, the features the selection was fitted on"
            help_line = "build them with the features.yml and the params.yaml that the model was trained with"
            raise InputError(Problem("selection-columns", "features", f"shape {x.shape}", expected, help_line))
        y = x if self.take is None else np.take(x, self.take, axis=1)
        for part in self.parts:
            y = part.apply(y)
        return y

    def attribute(self, gains: Array) -> dict[str, float]:
        """The gains of the model's columns, (n_outputs,), given back to the features behind them.

        A component's gain goes to its features in proportion to their squared loadings, which add up to 1.
        """
        for part in reversed(self.parts):
            if part.loadings is not None:
                gains = gains @ part.loadings**2
        return dict(zip(self.names, gains.tolist(), strict=True))


@dataclass(frozen=True)
class Transforms:
    """The selection of each walk-forward fold, and the final one."""

    folds: tuple[Transform, ...]
    final: Transform


def compile_report(report: SelectionReport, names: Sequence[str], n_folds: int) -> Transforms:
    """Every selection of a report as arrays. Raises InputError for other features or another number of folds."""
    found = [list(each.inputs) for each in (*report.folds, report.final)]
    if found != [list(names)] * (n_folds + 1):
        what = f"{len(names)} features and {n_folds} folds, the selection is of {len(found[-1])} and {len(found) - 1}"
        expected = "the features and folds that the selection was fitted on"
        raise InputError(Problem("selection-stale", "reports selection.json", what, expected, "run `dvc repro`"))
    return Transforms(tuple(compile_selection(fold) for fold in report.folds), compile_selection(report.final))


def compile_selection(selection: Selection) -> Transform:
    """The selection as arrays."""
    names: Sequence[str] = selection.inputs
    parts = []
    for step in selection.steps:
        if isinstance(step, DropStep):
            names = step.outputs
        else:
            parts.append(arrays_of(step))
    column = {name: i for i, name in enumerate(selection.inputs)}
    take = None if names == selection.inputs else np.asarray([column[name] for name in names])
    return Transform(len(selection.inputs), tuple(names), tuple(selection.outputs), take, tuple(parts))


def arrays_of(step: ScaleStep | PcaStep) -> Affine:
    """A scaling or the components as arrays."""
    loadings = np.asarray(step.components) if isinstance(step, PcaStep) else None
    return Affine(np.asarray(step.centre), np.asarray(step.scale), loadings)
