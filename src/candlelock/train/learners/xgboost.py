"""XGBoost, saved as UBJSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost

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


@dataclass(frozen=True)
class XgboostModel:
    """A booster that predicts on one thread, as it is served."""

    booster: xgboost.Booster

    @property
    def n_rounds(self) -> int:
        """Trees."""
        return int(self.booster.num_boosted_rounds())

    def predict(self, x: Array) -> Array:
        """Probability of up, shape (n_rows,)."""
        return np.asarray(self.booster.inplace_predict(x), dtype=np.float64)

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


def fit(
    sample: Sample, stop: Sample | None, settings: XgboostParams, seed: int, threads: int, device: str = "cpu"
) -> XgboostModel:
    """Train on `sample`; with `stop`, keep the trees up to the lowest log loss on it."""
    return fit_binned(bin_rows(sample, stop, settings, seed, threads), settings, seed, threads, device)


def bin_rows(sample: Sample, stop: Sample | None, settings: XgboostParams, seed: int, threads: int) -> XgboostBins:
    """The bins of any settings with this `max_bin`, on any device; the seed does not matter."""
    data = xgboost.QuantileDMatrix(sample.x, sample.y, weight=sample.weights, max_bin=settings.max_bin, nthread=threads)
    if stop is None:
        return XgboostBins(data, None)
    return XgboostBins(data, xgboost.DMatrix(stop.x, stop.y, weight=stop.weights, nthread=threads))


def fit_binned(
    bins: XgboostBins, settings: XgboostParams, seed: int, threads: int, device: str = "cpu"
) -> XgboostModel:
    """As `fit` on the rows of the bins, byte for byte; bins serve for many fits."""
    own = {"seed": seed, "nthread": threads, "device": device}
    options: dict[str, Any] = FIXED | settings.model_dump(exclude={"max_rounds", "patience_rounds"}) | own
    if bins.watch is None:
        return _as_served(xgboost.train(options, bins.data, settings.max_rounds))
    booster = xgboost.train(
        options,
        bins.data,
        settings.max_rounds,
        evals=[(bins.watch, "stop")],
        early_stopping_rounds=settings.patience_rounds,
        verbose_eval=False,
    )
    return _as_served(booster[: booster.best_iteration + 1])


def has_cuda() -> bool:
    """Whether this build of XGBoost and a GPU are there."""
    import torch

    return bool(xgboost.build_info().get("USE_CUDA")) and torch.cuda.is_available()


def contributions(model: XgboostModel, x: Array) -> Array:
    """Log-odds that each feature adds to each row's answer, then their base, shape (n_rows, n_features + 1); float32.

    Source: Lundberg et al. 2020, From local explanations to global understanding (SHAP values of trees).
    """
    found = model.booster.predict(xgboost.DMatrix(x, nthread=1), pred_contribs=True)
    return np.asarray(found, dtype=np.float64)


def load(content: bytes) -> XgboostModel:
    """The model that `to_bytes` wrote."""
    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    return _as_served(booster)


def _as_served(booster: xgboost.Booster) -> XgboostModel:
    booster.set_param({"nthread": 1, "device": "cpu"})
    return XgboostModel(booster)
