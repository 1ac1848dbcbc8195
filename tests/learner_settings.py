"""Settings of every learner that train in a moment on some hundred rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from candlelock.contracts.train_params import SETTINGS

if TYPE_CHECKING:
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
}
QUICK: dict[str, Frozen] = {name: SETTINGS[name].model_validate(values) for name, values in VALUES.items()}
