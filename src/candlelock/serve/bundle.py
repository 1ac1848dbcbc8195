"""The finished model of a head as one object: features in, calibrated probability out, and a head's value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.artifacts import documents
from candlelock.calibrate.calibrator import Calibration
from candlelock.calibrate.comparison import ENSEMBLE
from candlelock.calibrate.ensemble import Ensemble
from candlelock.calibrate.values import ValueLine
from candlelock.contracts.documents import Calibrator, Stack, Threshold
from candlelock.contracts.files import MEMBERS
from candlelock.contracts.select_documents import Selection
from candlelock.select.transform import compile_selection
from candlelock.train.model_files import load_models

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from candlelock.select.transform import Transform
    from candlelock.train.averaging import Averaged

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bundle:
    """Selection, members, ensemble, calibration and threshold of one head; without an ensemble, one member alone.

    `line`: of a head of values, whose members answer with values.
    """

    selection: Transform
    members: Mapping[str, Averaged]
    ensemble: Ensemble | None
    calibration: Calibration
    threshold: float
    line: ValueLine | None = None

    def predict(self, x: Array) -> Array:
        """Calibrated p_up, shape (n_rows,), for features in registry order (n_rows, n_features), NaN where unknown.

        Every feature is asked for, also those the selection leaves out; InputError for another number of them.
        """
        return self.calibration.apply(self.chance_up(self.combine(self.ask_members(self.selection.apply(x)))))

    def foretell(self, x: Array) -> Array | None:
        """The value foretold, (n_rows,), for features as `predict` takes them; None of a head without values."""
        if self.line is None:
            return None
        return self.line.foretell(self.combine(self.ask_members(self.selection.apply(x))))

    def chance_up(self, combined: Array) -> Array:
        """The probability before calibration, (n_rows,), of what `combine` gives."""
        return combined if self.line is None else self.line.chance_up(self.line.foretell(combined))

    def ask_members(self, seen: Array) -> dict[str, Array]:
        """Each member's raw answer, (n_rows,), for the columns that the selection gives, (n_rows, n_outputs)."""
        return {name: model.predict(seen) for name, model in self.members.items()}

    def combine(self, raw: Mapping[str, Array]) -> Array:
        """The ensemble's answer before calibration, (n_rows,), or that of the one member."""
        return next(iter(raw.values())) if self.ensemble is None else self.ensemble.apply(raw)


def load_bundle(folder: Path) -> Bundle:
    """Read `models/<head>`. Raises InputError when something is missing, broken or another file."""
    selection = documents.read(folder / "selection.json", Selection)
    stack = documents.read(folder / "stack.json", Stack)
    calibrator = documents.read(folder / "calibrator.json", Calibrator)
    threshold = documents.read(folder / "threshold.json", Threshold)
    calibration = Calibration(**calibrator.model_dump(include={each.name for each in fields(Calibration)}))
    used = list(stack.weights) if stack.used == ENSEMBLE else [stack.used]
    members = load_models(folder / MEMBERS, used)
    ensemble = Ensemble(stack.kind, stack.weights) if stack.used == ENSEMBLE else None
    line = None if calibrator.value is None else ValueLine(**calibrator.value.model_dump())
    return Bundle(compile_selection(selection), members, ensemble, calibration, threshold.p_up, line)
