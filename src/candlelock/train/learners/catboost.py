"""CatBoost, saved as CBM, its native binary format. The package is optional.

A CBM file carries a random identity, the time of training and the number of threads as metadata. Without them the bytes
follow from rows, settings and seed alone; predictions and importance need none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.train.extras import missing_package

if TYPE_CHECKING:
    from candlelock.contracts.train_params import CatboostParams
    from candlelock.train.learner import Array, Sample

FIXED = {
    "loss_function": "Logloss",
    "boosting_type": "Plain",
    "bootstrap_type": "Bernoulli",
    "nan_mode": "Min",
    "task_type": "CPU",
    "logging_level": "Silent",
    "allow_writing_files": False,
}
OF_VALUES = {"loss_function": "RMSE"}
OF_SHARES = {"loss_function": "CrossEntropy"}  # the log loss of labels between down and up
IS_VALUE = "is_value"  # the one key of metadata that is kept, and only where it holds


@dataclass(frozen=True)
class CatboostModel:
    """A CatBoost model without metadata, which predicts on one thread, as it is served."""

    model: Any
    is_value: bool = False

    @property
    def n_rounds(self) -> int:
        """Trees."""
        return int(self.model.tree_count_)

    def predict(self, x: Array) -> Array:
        """Probability of up, shape (n_rows,), from the log odds that the trees add up to; or the value they do."""
        score = np.asarray(self.model.predict(x, prediction_type="RawFormulaVal", thread_count=1))
        return score if self.is_value else np.asarray(1.0 / (1.0 + np.exp(-score)))

    def gains(self) -> Array:
        """How much the answer changes with each feature: the spread of leaf values over the splits on it."""
        found = self.model.get_feature_importance(type="PredictionValuesChange", thread_count=1)
        return np.asarray(found, dtype=np.float64)

    def to_bytes(self) -> bytes:
        """The CBM model."""
        return bytes(self.model._serialize_model())


def library() -> Any:  # noqa: ANN401
    """The package. Raises EnvironmentFaultError where it is not installed."""
    try:
        import catboost
    except ModuleNotFoundError as error:
        raise missing_package("catboost", "learner catboost") from error
    return catboost


def fit(sample: Sample, stop: Sample | None, settings: CatboostParams, seed: int, threads: int) -> CatboostModel:
    """Train on `sample`; with `stop`, keep the trees up to the lowest log loss or squared error on it.

    An unknown value lies below every known one; where none was seen, it goes with the least. Raises
    EnvironmentFaultError without the package.
    """
    catboost = library()
    loss = OF_VALUES if sample.is_value else {} if sample.soft is None else OF_SHARES
    own = loss | settings.model_dump(exclude={"max_rounds", "patience_rounds"})
    rounds: dict[str, Any] = {"iterations": settings.max_rounds}
    if stop is not None:
        rounds |= {"od_type": "Iter", "od_wait": settings.patience_rounds, "use_best_model": True}
    model = catboost.CatBoost(FIXED | own | rounds | {"random_seed": seed, "thread_count": threads})
    data, watch = (each and catboost.Pool(each.x, each.target, weight=each.weights) for each in (sample, stop))
    model.fit(data, eval_set=watch)
    metadata = model.get_metadata()
    for key in list(metadata):
        del metadata[key]
    if sample.is_value:
        metadata[IS_VALUE] = "true"
    return CatboostModel(model, sample.is_value)


def load(content: bytes) -> CatboostModel:
    """The model that `to_bytes` wrote. Raises EnvironmentFaultError without the package."""
    model = library().CatBoost().load_model(blob=content)
    return CatboostModel(model, IS_VALUE in model.get_metadata())
