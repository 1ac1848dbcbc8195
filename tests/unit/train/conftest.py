"""Small settings of every learner, split rows without a market, and a learner that remembers what it was shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from candlelock.contracts.stage_params import SplitParams
from candlelock.contracts.train_params import TrainParams
from candlelock.select.transform import Transform, Transforms
from candlelock.split.segments import assign
from candlelock.train.learner import LEARNERS
from tests.learner_settings import VALUES

if TYPE_CHECKING:
    from candlelock.contracts.train_params import LightgbmParams
    from candlelock.train.learner import Array, Sample

BAR_MS = 3_600_000
EMBARGO_BARS = 6


@pytest.fixture(scope="session")
def train_params() -> TrainParams:
    """Settings that train in milliseconds."""
    rounds = {"max_rounds": 30, "patience_rounds": 5}
    leaves = {"num_leaves": 5, "min_data_in_leaf": 10, "lambda_l2": 1.0, "max_bin": 63}
    bags = {"feature_fraction": 0.8, "bagging_fraction": 0.8}
    depth = {"max_depth": 2, "min_child_weight": 2.0, "reg_lambda": 1.0, "max_bin": 64}
    samples = {"colsample_bytree": 0.8, "subsample": 0.8}
    network = {"hidden": [4], "dropout": 0.1, "weight_decay": 1e-4, "batch_rows": 64}
    return TrainParams.model_validate(
        {
            "members": ["lightgbm", "xgboost", "mlp"],
            "n_seeds": 1,
            "refit": False,
            "device": "cpu",
            "early_stop_frac": 0.2,
            "weights": {"uniqueness": False, "half_life_days": None, "balance_classes": False},
            "lightgbm": leaves | bags | rounds | {"learning_rate": 0.1},
            "xgboost": depth | samples | rounds | {"learning_rate": 0.1},
            "mlp": network | {"max_epochs": 4, "patience_epochs": 2, "learning_rate": 0.05},
            **{
                name: VALUES[name]
                for name in ("logistic", "random_forest", "hist_gradient_boosting", "svm", "catboost")
            },
        }
    )


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    """1,200 rows of two symbols, split with three folds; labels look three bars ahead, each twentieth is unknown."""
    random = np.random.default_rng(5)
    opens = 1_704_067_200_000 + BAR_MS * np.tile(np.arange(600), 2)
    is_up = random.integers(0, 2, 1200).astype(float)
    is_up[random.permutation(1200)[:60]] = np.nan
    frame = pd.DataFrame(
        {
            "symbol": pd.Series(np.repeat(["ADA/USD", "BTC/USD"], 600), dtype="str"),
            "open_time_ms": opens,
            "decision_time_ms": opens + BAR_MS,
            "label_end_ms": opens + 4 * BAR_MS,
            "is_up": is_up,
            "future_return": is_up - 0.5,
        }
    )
    fractions = {"calibrate_frac": 0.1, "decide_frac": 0.1, "test_frac": 0.25}
    bars = {"min_history_bars": 0, "embargo_bars": EMBARGO_BARS, "n_folds": 3}
    return assign(frame, SplitParams.model_validate(fractions | bars), BAR_MS)


def every_feature(*names: str) -> Transform:
    """The selection that leaves nothing out."""
    return Transform(len(names), names, names, None, ())


def columns(*take: int) -> Transform:
    """The selection of these columns out of two, in this order."""
    names = tuple("ba"[column] for column in take)
    return Transform(2, names, names, np.asarray(take), ())


@pytest.fixture
def selections() -> Transforms:
    """Three folds and a final selection that keep features b and a."""
    return Transforms((every_feature("b", "a"),) * 3, every_feature("b", "a"))


@dataclass(frozen=True)
class SpyModel:
    """Answers each row with its number in the split table, scaled into (0, 1)."""

    seen: list[list[int]]
    n_rounds: int
    n_features: int = 2

    def predict(self, x: Array) -> Array:
        self.seen.append(x[:, 0].astype(int).tolist())
        return (x[:, 0] + 1) / 10_000

    def gains(self) -> Array:
        return np.array([3.0, 1.0])[: self.n_features]

    def to_bytes(self) -> bytes:
        return b"spy"


@dataclass(frozen=True)
class Shown:
    """One call of `fit`: row numbers of the sample and of the stopping rows, rounds asked for, the model's answers."""

    sample: list[int]
    stop: list[int] | None
    rounds: int
    seed: int
    threads: int
    predicted: list[list[int]]


@dataclass
class Spy:
    """A learner that stops after seven rounds where it may, else takes all."""

    calls: list[Shown] = field(default_factory=list)

    def fit(self, sample: Sample, stop: Sample | None, settings: LightgbmParams, seed: int, threads: int) -> SpyModel:
        predicted: list[list[int]] = []
        numbers = [part.x[:, 0].astype(int).tolist() for part in (sample, stop) if part is not None]
        watch = numbers[1] if stop is not None else None
        self.calls.append(Shown(numbers[0], watch, settings.max_rounds, seed, threads, predicted))
        return SpyModel(predicted, settings.max_rounds if stop is None else 7, sample.x.shape[1])


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    """The spy in the place of LightGBM."""
    made = Spy()
    monkeypatch.setitem(LEARNERS, "lightgbm", replace(LEARNERS["lightgbm"], fit=made.fit))
    return made


@pytest.fixture
def numbered(rows: pd.DataFrame) -> Any:
    """Features that are the row's number and a constant."""
    return np.column_stack([np.arange(len(rows), dtype=float), np.ones(len(rows))])
