"""The finished model of a head as one object: features in, calibrated probability out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.artifacts import documents
from candlelock.calibrate.calibrator import Calibration
from candlelock.calibrate.stack import StackWeights, apply_stack
from candlelock.contracts.documents import Calibrator, Stack, Threshold
from candlelock.train.learners import lightgbm, mlp, xgboost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from candlelock.train.learner import Model

Array = npt.NDArray[np.float64]
LOADERS: dict[str, Callable[[Path], Model]] = {"lightgbm": lightgbm.load, "xgboost": xgboost.load, "mlp": mlp.load}


@dataclass(frozen=True)
class Bundle:
    """Members, stack, calibration and threshold of one head."""

    members: Mapping[str, Model]
    stack: StackWeights
    calibration: Calibration
    threshold: float

    def predict(self, x: Array) -> Array:
        """Calibrated p_up, shape (n_rows,), for features in registry order (n_rows, n_features), NaN where unknown."""
        raw = {name: model.predict(x) for name, model in self.members.items()}
        return self.calibration.apply(apply_stack(self.stack, raw))


def load_bundle(folder: Path) -> Bundle:
    """Read `models/<head>`. Raises InputError when a document is missing or broken."""
    stack = documents.read(folder / "stack.json", Stack)
    calibrator = documents.read(folder / "calibrator.json", Calibrator)
    threshold = documents.read(folder / "threshold.json", Threshold)
    calibration = Calibration(
        calibrator.method, calibrator.slope, calibrator.intercept, calibrator.knots_x, calibrator.knots_y
    )
    members = {name: LOADERS[name](folder) for name in stack.weights}
    return Bundle(members, StackWeights(stack.weights, stack.intercept), calibration, threshold.p_up)
