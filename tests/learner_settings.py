"""Settings of every learner that train in a moment on some hundred rows; which learners are installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from candlelock.contracts.train_params import SETTINGS
from candlelock.train.learner import LEARNERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from candlelock.contracts.stage_params import Frozen

BOOSTING: dict[str, Any] = {"learning_rate": 0.1, "max_rounds": 60, "patience_rounds": 6}
VALUES: dict[str, dict[str, Any]] = {
    "lightgbm": BOOSTING
    | {"num_leaves": 7, "min_data_in_leaf": 20, "feature_fraction": 0.9, "bagging_fraction": 0.7}
    | {"lambda_l2": 1.0, "max_bin": 63},
    "xgboost": BOOSTING
    | {"max_depth": 3, "min_child_weight": 5.0, "colsample_bytree": 0.7, "subsample": 0.7}
    | {"reg_lambda": 1.0, "max_bin": 64},
    "mlp": {"hidden": [8, 4], "dropout": 0.2, "learning_rate": 0.05, "weight_decay": 1e-4, "batch_rows": 64}
    | {"max_epochs": 40, "patience_epochs": 4},
    "logistic": {"c": 0.1},
    "random_forest": {"n_estimators": 40, "max_depth": 6, "min_samples_leaf": 10, "max_features": 0.5}
    | {"max_samples": 0.7},
    "hist_gradient_boosting": BOOSTING
    | {"max_leaf_nodes": 7, "min_samples_leaf": 20, "l2_regularization": 1.0, "max_features": 0.7, "max_bins": 63},
    "svm": {"n_landmarks": 40, "gamma": 0.5, "c": 0.1},
    "catboost": BOOSTING
    | {"learning_rate": 0.2, "depth": 3, "l2_leaf_reg": 1.0, "rsm": 0.7, "subsample": 0.7}
    | {"random_strength": 1.0, "border_count": 63},
}
QUICK: dict[str, Frozen] = {name: SETTINGS[name].model_validate(values) for name, values in VALUES.items()}


def is_installed(name: str) -> bool:
    """Whether a learner's package is there; only that of some is optional."""
    return LEARNERS[name].library is None or find_spec(LEARNERS[name].package) is not None


def with_skips(names: Iterable[str]) -> list[Any]:
    """Learners to run a test over: those whose package is missing are skipped, and seen to be."""
    return [name if is_installed(name) else pytest.param(name, marks=needs_package(name)) for name in names]


def needs_package(name: str) -> pytest.MarkDecorator:
    """Skip where the package of that name is missing."""
    return pytest.mark.skipif(find_spec(name) is None, reason=f"the optional package {name} is not installed")
