"""What selection and scaling leave behind: plain numbers that give a model's matrix, and which rows they come from.

A `Selection` leads from all features in registry order to what a model is shown, step by step. Names of features are in
the order of their columns.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from candlelock.contracts.documents import Document, Sha256, UtcTime
from candlelock.contracts.select_params import DropName, ScaleName  # noqa: TC001  (pydantic reads annotations)


class RowsSeen(Document):
    """The rows a transform was fitted on.

    `keys_sha256`: of their symbols and open times. `values_sha256`: of their labels and of the features it was given.
    """

    n_rows: int
    n_rows_by_symbol: dict[str, int]
    first_open_utc: UtcTime
    last_open_utc: UtcTime
    last_label_end_utc: UtcTime
    keys_sha256: Sha256
    values_sha256: Sha256


class Dropped(Document):
    """A feature that was left out: its score, null where there is none, beside the threshold it fell short of.

    `twin` is the kept feature that a correlated one resembles; its score then is the size of their correlation.
    """

    name: str
    reason: Literal["mostly null", "constant", "correlated", "weak", "unstable", "beyond the count"]
    score: float | None
    threshold: float
    twin: str | None


class _Fitted(Document):
    seen: RowsSeen
    inputs: list[str]
    outputs: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        if any(len(set(names)) < len(names) for names in (self.inputs, self.outputs)):
            raise ValueError("each feature once")
        return self


class DropStep(_Fitted):
    """Features left out. `scores`: what the step judged each of its inputs by, null where it could not be computed."""

    kind: Literal["drop"] = "drop"
    step: DropName
    scores: dict[str, float | None]
    dropped: list[Dropped]

    @model_validator(mode="after")
    def _all_are_accounted_for(self) -> Self:
        gone = {feature.name for feature in self.dropped}
        if self.outputs != [name for name in self.inputs if name not in gone] or not gone <= set(self.inputs):
            raise ValueError("outputs that are the inputs without the dropped ones, in the same order")
        return self


class ScaleStep(_Fitted):
    """(x - centre) / scale for each feature. `constant`: features without spread, whose scale is 1."""

    kind: Literal["scale"] = "scale"
    step: Literal["scaling"] = "scaling"
    method: ScaleName
    centre: list[float]
    scale: list[Annotated[float, Field(gt=0)]]
    constant: list[str]

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        if not len(self.inputs) == len(self.centre) == len(self.scale) or self.outputs != self.inputs:
            raise ValueError("a centre and a scale for each input, and the inputs as outputs")
        return self


class PcaStep(_Fitted):
    """Principal components: standardised features, 0 where unknown, times `components` (n_outputs, n_inputs).

    `variance_frac`: the share of the standardised features' variance that each component carries.
    """

    kind: Literal["pca"] = "pca"
    step: Literal["pca"] = "pca"
    centre: list[float]
    scale: list[Annotated[float, Field(gt=0)]]
    components: list[list[float]]
    variance_frac: list[float]

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        if not len(self.inputs) == len(self.centre) == len(self.scale):
            raise ValueError("a centre and a scale for each input")
        widths = {len(row) for row in self.components}
        if widths != {len(self.inputs)} or not len(self.components) == len(self.outputs) == len(self.variance_frac):
            raise ValueError("a loading of every input for each output")
        return self


Step = Annotated[DropStep | ScaleStep | PcaStep, Field(discriminator="kind")]


class Selection(_Fitted):
    """models/<head>/selection.json: from every feature, in registry order, to the columns the models see."""

    steps: list[Step]

    @model_validator(mode="after")
    def _steps_follow_each_other(self) -> Self:
        ends = [self.inputs, *(names for step in self.steps for names in (step.inputs, step.outputs)), self.outputs]
        if any(given != taken for given, taken in list(pairwise(ends))[::2]):
            raise ValueError("steps that take what the one before gives")
        return self


class SelectionReport(Document):
    """reports/<head>/selection.json: one fit per walk-forward fold, on its training rows, and the final one."""

    folds: list[Selection]
    final: Selection
