"""XGBoost, saved as UBJSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost

if TYPE_CHECKING:
    from pathlib import Path

    from candlelock.contracts.stage_params import XgboostParams
    from candlelock.train.learner import Array, Sample

FILE = "xgboost.ubj"
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

    def files(self) -> dict[str, bytes]:
        """The UBJSON model."""
        return {FILE: bytes(self.booster.save_raw("ubj"))}


@dataclass(frozen=True)
class XgboostBins:
    """Rows sorted into bins, to train on and to stop by."""

    data: xgboost.QuantileDMatrix
    watch: xgboost.QuantileDMatrix | None


def fit(sample: Sample, stop: Sample | None, settings: XgboostParams, seed: int, threads: int) -> XgboostModel:
    """Train on `sample`; with `stop`, keep the trees up to the lowest log loss on it."""
    return fit_binned(bin_rows(sample, stop, settings, seed, threads), settings, seed, threads)


def bin_rows(sample: Sample, stop: Sample | None, settings: XgboostParams, seed: int, threads: int) -> XgboostBins:
    """The bins of any settings with this `max_bin`; the seed does not matter."""
    data = xgboost.QuantileDMatrix(sample.x, sample.y, max_bin=settings.max_bin, nthread=threads)
    if stop is None:
        return XgboostBins(data, None)
    watch = xgboost.QuantileDMatrix(stop.x, stop.y, ref=data, max_bin=settings.max_bin, nthread=threads)
    return XgboostBins(data, watch)


def fit_binned(bins: XgboostBins, settings: XgboostParams, seed: int, threads: int) -> XgboostModel:
    """As `fit` on the rows of the bins, byte for byte; bins serve for many fits."""
    own = settings.model_dump(exclude={"max_rounds", "patience_rounds"})
    options: dict[str, Any] = FIXED | own | {"seed": seed, "nthread": threads}
    if bins.watch is None:
        return _single_threaded(xgboost.train(options, bins.data, settings.max_rounds))
    booster = xgboost.train(
        options,
        bins.data,
        settings.max_rounds,
        evals=[(bins.watch, "stop")],
        early_stopping_rounds=settings.patience_rounds,
        verbose_eval=False,
    )
    return _single_threaded(booster[: booster.best_iteration + 1])


def load(folder: Path) -> XgboostModel:
    """The model that `files` wrote; verify the file's hash first: the parser trusts its input."""
    booster = xgboost.Booster()
    booster.load_model(bytearray((folder / FILE).read_bytes()))
    return _single_threaded(booster)


def _single_threaded(booster: xgboost.Booster) -> XgboostModel:
    booster.set_param({"nthread": 1})
    return XgboostModel(booster)
