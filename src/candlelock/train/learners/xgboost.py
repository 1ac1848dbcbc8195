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
    "device": "cpu",
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


def fit(sample: Sample, stop: Sample | None, settings: XgboostParams, seed: int, threads: int) -> XgboostModel:
    """Train on `sample`; with `stop`, keep the trees up to the lowest log loss on it."""
    options: dict[str, Any] = (
        FIXED | settings.model_dump(exclude={"max_rounds", "patience_rounds"}) | {"seed": seed, "nthread": threads}
    )
    data = xgboost.QuantileDMatrix(sample.x, sample.y, max_bin=settings.max_bin, nthread=threads)
    if stop is None:
        return _single_threaded(xgboost.train(options, data, settings.max_rounds))
    watch = [(xgboost.QuantileDMatrix(stop.x, stop.y, ref=data, max_bin=settings.max_bin, nthread=threads), "stop")]
    booster = xgboost.train(
        options,
        data,
        settings.max_rounds,
        evals=watch,
        early_stopping_rounds=settings.patience_rounds,
        verbose_eval=False,
    )
    return _single_threaded(booster[: booster.best_iteration + 1])


def load(content: bytes) -> XgboostModel:
    """The model that `to_bytes` wrote."""
    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    return _single_threaded(booster)


def _single_threaded(booster: xgboost.Booster) -> XgboostModel:
    booster.set_param({"nthread": 1})
    return XgboostModel(booster)
