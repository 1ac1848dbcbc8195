"""The section `select` of params.yaml: which features reach the models, and on what scale.

A value whose step is not among `steps` waits there unused.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from candlelock.contracts.stage_params import Fraction, Frozen, RuleError, field

DropName = Literal["sparse", "correlation", "mutual_information", "f_test", "importance", "stability", "count"]
StepName = Literal[DropName, "pca"]
ScaleName = Literal["standard", "minmax", "robust"]
Scaling = Literal["none", ScaleName]
ScoreName = Literal["auc", "mutual_information", "f_test", "importance"]


class SelectParams(Frozen):
    """Selection and scaling, fitted on training rows alone: of each fold for the fold, of all of train in the end."""

    steps: list[StepName] = field(
        "steps of the selection, in this order; none: every feature is kept",
        "sparse | correlation | mutual_information | f_test | importance | stability | count | pca",
    )
    scaling: Scaling = field("scale of what is left, after all steps", "none | standard | minmax | robust")
    rank_by: ScoreName = field(
        "score that decides which of two correlated features stays, and which ones the count keeps",
        "auc | mutual_information | f_test | importance",
    )
    max_rows: int = field(
        "most rows that scores and correlations are taken from, spread evenly by a hash of symbol and time",
        "rows",
        ge=100,
    )
    max_null_frac: float = field(
        "step `sparse`: share of unknown values; a feature with more is dropped, a constant one in any case",
        "fraction of rows",
        ge=0,
        lt=1,
    )
    max_correlation: Fraction = field(
        "step `correlation`: size of Pearson's correlation; of two features with more one is dropped", "1"
    )
    n_bins: int = field("bins of equal count for mutual information with the label", "bins", ge=2, le=256)
    min_mutual_information: float = field(
        "step `mutual_information`: information about the label, less what chance gives; with less it is dropped",
        "nats",
        ge=0,
    )
    max_p_value: Fraction = field("step `f_test`: p-value of the F-test; a feature with more is dropped", "probability")
    min_gain_frac: float = field(
        "step `importance`: share of a small LightGBM model's gain beyond chance; a feature with less is dropped",
        "fraction",
        ge=0,
        lt=1,
    )
    n_periods: int = field("step `stability`: consecutive periods of as many rows each", "periods", ge=2, le=100)
    min_auc_edge: float = field(
        "step `stability`: least distance of the feature's AUC from 0.5, on its usual side, in a period that counts",
        "1",
        ge=0,
        lt=0.5,
    )
    min_stable_frac: float = field(
        "step `stability`: share of the periods that have to count; a feature with less is dropped",
        "fraction of periods",
        gt=0,
        le=1,
    )
    max_features: int = field("step `count`: features kept, the best by `rank_by`", "features", ge=1)
    min_variance_frac: float = field(
        "step `pca`: share of the standardised features' variance that the components keep", "fraction", gt=0, le=1
    )

    @model_validator(mode="after")
    def _steps_can_follow_each_other(self) -> Self:
        twice = sorted({step for step in self.steps if self.steps.count(step) > 1})
        if twice:
            raise RuleError(("steps",), f"each step once; {', '.join(twice)} stands twice")
        if "pca" in self.steps[:-1]:
            raise RuleError(("steps",), "pca as the last step: after it there are no features to drop")
        return self
