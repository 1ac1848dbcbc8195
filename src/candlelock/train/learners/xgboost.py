"""XGBoost, saved as UBJSON.

It takes no split that gains less than a fixed amount, so that values are learned in standard units. Their mean and
deviation are attributes of the booster, which by itself answers in those units; it holds labels in float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost

from candlelock.train.learners import label_unit

if TYPE_CHECKING:
    from candlelock.contracts.train_params import XgboostParams
    from candlelock.train.learner import Array, Sample

FIXED = {
    "objective": "binary:logistic",
    "eval_metric": "logloss",
    "tree_method": "hist",
    "max_bin": 256,
    "verbosity": 0,
}
OF_VALUES = {"objective": "reg:squarederror", "eval_metric": "rmse", "base_score": 0.0}  # their mean, in such units
MEAN, SCALE = "label_mean", "label_scale"


@dataclass(frozen=True)
class XgboostModel:
    """A booster that predicts on one thread, as it is served; `unit`: of the values it answers, if it does."""

    booster: xgboost.Booster
    unit: label_unit.LabelUnit | None = None

    @property
    def is_value(self) -> bool:
        """Whether it answers values."""
        return self.unit is not None

    @property
    def n_rounds(self) -> int:
        """Trees."""
        return int(self.booster.num_boosted_rounds())

    def predict(self, x: Array) -> Array:
        """Probability of up, or value, shape (n_rows,)."""
        answer = np.asarray(self.booster.inplace_predict(x), dtype=np.float64)
        return answer if self.unit is None else self.unit.restore(answer)

    def gains(self) -> Array:
        """Total gain of the splits on each feature."""
        found = self.booster.get_score(importance_type="total_gain")
        return np.asarray([float(found.get(f"f{i}", 0.0)) for i in range(self.booster.num_features())])

    def to_bytes(self) -> bytes:
        """The UBJSON model."""
        return bytes(self.booster.save_raw("ubj"))


@dataclass(frozen=True)
class XgboostBins:
    """Rows sorted into bins, to train on, and rows to stop by as they are.

    Trees split where bins end, so that either form gives the same answers; of bins with unknown values they take four
    times as long.
    """

    data: xgboost.QuantileDMatrix
    watch: xgboost.DMatrix | None
    unit: label_unit.LabelUnit | None = None


def fit(
    sample: Sample, stop: Sample | None, settings: XgboostParams, seed: int, threads: int, device: str = "cpu"
) -> XgboostModel:
    """Train on `sample`; with `stop`, keep the trees up to the lowest log loss or squared error on it."""
    return fit_binned(bin_rows(sample, stop, settings, seed, threads), settings, seed, threads, device)


def bin_rows(sample: Sample, stop: Sample | None, settings: XgboostParams, seed: int, threads: int) -> XgboostBins:
    """The bins of any settings with this `max_bin`, on any device; the seed does not matter."""
    unit = label_unit.fit(sample.y, sample.weights) if sample.is_value else None
    y = _labels(sample, unit)
    data = xgboost.QuantileDMatrix(sample.x, y, weight=sample.weights, max_bin=settings.max_bin, nthread=threads)
    if stop is None:
        return XgboostBins(data, None, unit)
    watch = xgboost.DMatrix(stop.x, _labels(stop, unit), weight=stop.weights, nthread=threads)
    return XgboostBins(data, watch, unit)


def _labels(sample: Sample, unit: label_unit.LabelUnit | None) -> Array:
    return sample.target if unit is None else unit.apply(sample.y)


def fit_binned(
    bins: XgboostBins, settings: XgboostParams, seed: int, threads: int, device: str = "cpu"
) -> XgboostModel:
    """As `fit` on the rows of the bins, byte for byte; bins serve for many fits."""
    own = {"seed": seed, "nthread": threads, "device": device}
    fixed = FIXED | ({} if bins.unit is None else OF_VALUES)
    options: dict[str, Any] = fixed | settings.model_dump(exclude={"max_rounds", "patience_rounds"}) | own
    if bins.watch is None:
        return _as_served(xgboost.train(options, bins.data, settings.max_rounds), bins.unit)
    booster = xgboost.train(
        options,
        bins.data,
        settings.max_rounds,
        evals=[(bins.watch, "stop")],
        early_stopping_rounds=settings.patience_rounds,
        verbose_eval=False,
    )
    return _as_served(booster[: booster.best_iteration + 1], bins.unit)


def has_cuda() -> bool:
    """Whether this build of XGBoost and a GPU are there."""
    import torch

    return bool(xgboost.build_info().get("USE_CUDA")) and torch.cuda.is_available()


def contributions(model: XgboostModel, x: Array) -> Array:
    """Log-odds or value that each feature adds to each row's answer, then their base, (n_rows, n_features + 1).

    In float32. Source: Lundberg et al. 2020, From local explanations to global understanding (SHAP values of trees).
    """
    found = model.booster.predict(xgboost.DMatrix(x, nthread=1), pred_contribs=True)
    parts = np.asarray(found, dtype=np.float64)
    return parts if model.unit is None else model.unit.restore_parts(parts)


def load(content: bytes) -> XgboostModel:
    """The model that `to_bytes` wrote."""
    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    saved = booster.attributes()
    unit = label_unit.LabelUnit(float(saved[MEAN]), float(saved[SCALE])) if MEAN in saved else None
    return _as_served(booster, unit)


def _as_served(booster: xgboost.Booster, unit: label_unit.LabelUnit | None) -> XgboostModel:
    booster.set_param({"nthread": 1, "device": "cpu"})
    if unit is not None:
        booster.set_attr(**{MEAN: repr(unit.mean), SCALE: repr(unit.scale)})
    return XgboostModel(booster, unit)
