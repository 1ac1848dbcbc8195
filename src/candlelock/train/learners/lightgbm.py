"""LightGBM. Its text model is byte-identical at any thread count once the line that records the count is fixed.

It holds labels in float32.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np

if TYPE_CHECKING:
    from candlelock.contracts.train_params import LightgbmParams
    from candlelock.train.learner import Array, Sample

FIXED = {
    "objective": "binary",
    "metric": "binary_logloss",
    "bagging_freq": 1,
    "max_bin": 255,
    "feature_pre_filter": False,  # it binds the bins to min_data_in_leaf
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
OF_VALUES = {"objective": "regression", "metric": "l2"}
OF_SHARES = {"objective": "cross_entropy", "metric": "cross_entropy"}  # the log loss of labels between down and up


@dataclass(frozen=True)
class LightgbmModel:
    """A booster that predicts on one thread, as it is served."""

    booster: lightgbm.Booster
    is_value: bool = False

    @property
    def n_rounds(self) -> int:
        """Trees."""
        return int(self.booster.current_iteration())

    def predict(self, x: Array) -> Array:
        """Probability of up, or value, shape (n_rows,)."""
        return np.asarray(self.booster.predict(x, num_threads=1), dtype=np.float64)

    def gains(self) -> Array:
        """Total gain of the splits on each feature."""
        return np.asarray(self.booster.feature_importance("gain"), dtype=np.float64)

    def to_bytes(self) -> bytes:
        """The text model."""
        return re.sub(r"\[num_threads: \d+\]", "[num_threads: 1]", self.booster.model_to_string()).encode()


@dataclass(frozen=True)
class LightgbmBins:
    """Rows sorted into bins, to train on and to stop by."""

    data: lightgbm.Dataset
    watch: lightgbm.Dataset | None
    objective: dict[str, str]
    is_value: bool


def fit(sample: Sample, stop: Sample | None, settings: LightgbmParams, seed: int, threads: int) -> LightgbmModel:
    """Train on `sample`; with `stop`, keep the trees up to the lowest log loss or squared error on it."""
    return fit_binned(bin_rows(sample, stop, settings, seed, threads), settings, seed, threads)


def bin_rows(sample: Sample, stop: Sample | None, settings: LightgbmParams, seed: int, threads: int) -> LightgbmBins:
    """The bins of any settings with this `max_bin` and seed."""
    objective = OF_VALUES if sample.is_value else {} if sample.soft is None else OF_SHARES
    options = _options(settings, seed, threads, objective)
    data = lightgbm.Dataset(sample.x, sample.target, weight=sample.weights, params=options).construct()
    if stop is None:
        return LightgbmBins(data, None, objective, sample.is_value)
    watch = lightgbm.Dataset(stop.x, stop.target, reference=data, weight=stop.weights, params=options)
    return LightgbmBins(data, watch.construct(), objective, sample.is_value)


def fit_binned(bins: LightgbmBins, settings: LightgbmParams, seed: int, threads: int) -> LightgbmModel:
    """As `fit` on the rows of the bins, byte for byte; bins serve for many fits."""
    options = _options(settings, seed, threads, bins.objective)
    if bins.watch is None:
        return LightgbmModel(lightgbm.train(options, bins.data, settings.max_rounds), bins.is_value)
    early = lightgbm.early_stopping(settings.patience_rounds, verbose=False)
    booster = lightgbm.train(options, bins.data, settings.max_rounds, valid_sets=[bins.watch], callbacks=[early])
    best = booster.model_to_string(num_iteration=booster.best_iteration)
    return LightgbmModel(lightgbm.Booster(model_str=best), bins.is_value)


def _options(settings: LightgbmParams, seed: int, threads: int, objective: dict[str, str]) -> dict[str, Any]:
    own = settings.model_dump(exclude={"max_rounds", "patience_rounds"})
    return FIXED | objective | own | {"seed": seed, "num_threads": threads}


def contributions(model: LightgbmModel, x: Array) -> Array:
    """Log-odds or value that each feature adds to each row's answer, then their base, (n_rows, n_features + 1).

    Source: Lundberg et al. 2020, From local explanations to global understanding (SHAP values of trees).
    """
    return np.asarray(model.booster.predict(x, pred_contrib=True, num_threads=1), dtype=np.float64)


def load(content: bytes) -> LightgbmModel:
    """The model that `to_bytes` wrote; a mutated text may end the process."""
    is_value = b"\nobjective=regression\n" in content.partition(b"\nTree=")[0]
    return LightgbmModel(lightgbm.Booster(model_str=content.decode()), is_value)
