"""The section `train` of params.yaml: which learners, how they are trained, and the settings of each."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from candlelock.contracts.errors import nearest
from candlelock.contracts.stage_params import Frozen, Name, RuleError, field


class LightgbmParams(Frozen):
    """LightGBM; names are the library's."""

    num_leaves: int = field("leaves of one tree", "leaves", ge=2, le=4096)
    learning_rate: float = field("shrinkage of one tree", "fraction", gt=0, le=1)
    min_data_in_leaf: int = field("fewest rows of a leaf", "rows", ge=1)
    feature_fraction: float = field("share of features a tree may use", "fraction", gt=0, le=1)
    bagging_fraction: float = field("share of rows a tree sees", "fraction", gt=0, le=1)
    lambda_l2: float = field("L2 penalty of leaf values", "1", ge=0)
    max_bin: int = field("most bins a feature's values are sorted into", "bins", ge=2, le=255)
    max_rounds: int = field("most trees, should early stopping not end sooner", "trees", ge=1)
    patience_rounds: int = field("trees without a better loss before boosting stops", "trees", ge=1)


class XgboostParams(Frozen):
    """XGBoost; names are the library's."""

    max_depth: int = field("depth of one tree", "levels", ge=1, le=32)
    learning_rate: float = field("shrinkage of one tree", "fraction", gt=0, le=1)
    min_child_weight: float = field("least sum of Hessians in a leaf", "1", ge=0)
    colsample_bytree: float = field("share of features a tree may use", "fraction", gt=0, le=1)
    subsample: float = field("share of rows a tree sees", "fraction", gt=0, le=1)
    reg_lambda: float = field("L2 penalty of leaf values", "1", ge=0)
    max_bin: int = field("most bins a feature's values are sorted into", "bins", ge=2, le=256)
    max_rounds: int = field("most trees, should early stopping not end sooner", "trees", ge=1)
    patience_rounds: int = field("trees without a better loss before boosting stops", "trees", ge=1)


class MlpParams(Frozen):
    """Feed-forward torch network on standardised features."""

    hidden: list[Annotated[int, Field(ge=1)]] = field("units of each hidden layer", "units", min_length=1)
    dropout: float = field("share of hidden units dropped in training", "fraction", ge=0, lt=1)
    learning_rate: float = field("step of SGD with Nesterov momentum", "1", gt=0)
    weight_decay: float = field("L2 penalty of the weights", "1", ge=0)
    batch_rows: int = field("rows of one gradient step", "rows", ge=1)
    max_epochs: int = field("most passes over the rows, should early stopping not end sooner", "epochs", ge=1)
    patience_epochs: int = field("epochs without a better loss before training stops", "epochs", ge=1)


class LogisticParams(Frozen):
    """Logistic regression on standardised features, and of values ridge regression."""

    c: float = field("inverse of the L2 penalty, as scikit-learn defines it", "1", gt=0)


class RandomForestParams(Frozen):
    """Random forest; names are scikit-learn's."""

    n_estimators: int = field("trees", "trees", ge=1, le=10_000)
    max_depth: int = field("depth of one tree", "levels", ge=1, le=64)
    min_samples_leaf: int = field("fewest rows of a leaf", "rows", ge=1)
    max_features: float = field("share of features a split may use", "fraction", gt=0, le=1)
    max_samples: float = field("share of rows drawn for a tree, with repetition", "fraction", gt=0, le=1)


class HistGradientBoostingParams(Frozen):
    """Histogram gradient boosting; names are scikit-learn's."""

    learning_rate: float = field("shrinkage of one tree", "fraction", gt=0, le=1)
    max_leaf_nodes: int = field("leaves of one tree", "leaves", ge=2, le=4096)
    min_samples_leaf: int = field("fewest rows of a leaf", "rows", ge=1)
    l2_regularization: float = field("L2 penalty of leaf values", "1", ge=0)
    max_features: float = field("share of features a split may use", "fraction", gt=0, le=1)
    max_bins: int = field("most bins a feature's values are sorted into", "bins", ge=2, le=255)
    max_rounds: int = field("most trees, should early stopping not end sooner", "trees", ge=1)
    patience_rounds: int = field("trees without a better loss before boosting stops", "trees", ge=1)


class SvmParams(Frozen):
    """Support vector machine with an RBF kernel on standardised features, by Nyström's approximation."""

    n_landmarks: int = field("rows that the kernel is approximated with", "rows", ge=2, le=4096)
    gamma: float = field("sharpness of the kernel: exp(-gamma · mean squared difference of two rows)", "1", gt=0)
    c: float = field("inverse of the L2 penalty, as scikit-learn defines it", "1", gt=0)


class CatboostParams(Frozen):
    """CatBoost on symmetric trees; names are the library's."""

    depth: int = field("depth of one tree, which asks one question per level", "levels", ge=1, le=16)
    learning_rate: float = field("shrinkage of one tree", "fraction", gt=0, le=1)
    l2_leaf_reg: float = field("L2 penalty of leaf values", "1", ge=0)
    rsm: float = field("share of features a split may use", "fraction", gt=0, le=1)
    subsample: float = field("share of rows a tree sees", "fraction", gt=0, le=1)
    random_strength: float = field("noise that is added to the scores of splits", "1", ge=0)
    border_count: int = field("most borders between the bins of a feature's values", "borders", ge=1, le=255)
    max_rounds: int = field("most trees, should early stopping not end sooner", "trees", ge=1)
    patience_rounds: int = field("trees without a better loss before boosting stops", "trees", ge=1)


SETTINGS: dict[str, type[Frozen]] = {
    "lightgbm": LightgbmParams,
    "xgboost": XgboostParams,
    "mlp": MlpParams,
    "logistic": LogisticParams,
    "random_forest": RandomForestParams,
    "hist_gradient_boosting": HistGradientBoostingParams,
    "svm": SvmParams,
    "catboost": CatboostParams,
}
Device = Literal["cpu", "auto", "cuda"]
TREES = (
    "lightgbm",
    "xgboost",
    "random_forest",
    "hist_gradient_boosting",
    "catboost",
)  # learners whose importance is the gain of their splits


class WeightsParams(Frozen):
    """How much each row counts in training; factors are multiplied, and the mean is 1."""

    uniqueness: bool = field(
        "weigh a row by how few other labels of its symbol run beside its own (average uniqueness)", "true | false"
    )
    half_life_days: float | None = field(
        "a row so much older than the latest one counts half; null: age does not matter", "days", gt=0
    )
    balance_classes: bool = field("weigh rows so that ups and downs count the same in sum", "true | false")


class TrainParams(Frozen):
    """The members of the ensemble. A key that `tune.space` searches starts from its value here."""

    members: list[Name] = field(
        "learners whose probabilities are combined; `candlelock learners` lists them", "learners", min_length=1
    )
    n_seeds: int = field("models of each member, of other seeds, that are averaged", "models", ge=1, le=100)
    device: Device = field(
        "where learners train that can use a GPU: cpu; auto: a GPU if there is one; cuda: a GPU or an error. Only what "
        "is trained on a CPU has the same bytes again",
        "cpu | auto | cuda",
    )
    early_stop_frac: float = field(
        "most recent share of a member's rows that decides when it stops", "fraction of rows", gt=0, le=0.5
    )
    refit: bool = field(
        "whether each member is trained once more, on all rows before test, to answer test and to be served",
        "true | false",
    )
    weights: WeightsParams = field("how much each row counts in training", "section")
    lightgbm: LightgbmParams = field("settings of lightgbm", "section")
    xgboost: XgboostParams = field("settings of xgboost", "section")
    mlp: MlpParams = field("settings of mlp", "section")
    logistic: LogisticParams = field("settings of logistic, the baseline", "section")
    random_forest: RandomForestParams = field("settings of random_forest", "section")
    hist_gradient_boosting: HistGradientBoostingParams = field("settings of hist_gradient_boosting", "section")
    svm: SvmParams = field("settings of svm", "section")
    catboost: CatboostParams = field("settings of catboost, whose package is optional", "section")

    @model_validator(mode="after")
    def _members_are_learners(self) -> Self:
        for place, name in enumerate(self.members):
            if name not in SETTINGS:
                raise RuleError(("members", place), f"a learner; {nearest(name, list(SETTINGS))}")
        if len(set(self.members)) < len(self.members):
            raise RuleError(("members",), f"each learner once, not {self.members}")
        return self
