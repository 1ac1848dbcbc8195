"""Scaling: a centre and a scale for each feature. The learners' own input layers are their own affair.

An unknown value stays unknown, and nothing is cut: values outside those of training lie outside their range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.select_documents import ScaleStep

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.select_params import ScaleName
    from candlelock.select.train_rows import TrainRows

Array = npt.NDArray[np.float64]
FLAT = 1e-12  # of the largest value: a smaller spread is rounding


def fit_scaling(rows: TrainRows, method: ScaleName) -> ScaleStep:
    """Fit on the known values of each feature: `standard` is (mean, deviation over n), `minmax` (least, range),
    `robust` (median, distance of the quartiles, by linear interpolation as in scikit-learn).

    A feature without such a spread keeps its scale: it is centred and divided by 1; one that is never known is left as
    it is.
    """
    fitted = [fit_column(column, method) for column in rows.x.T]
    return ScaleStep(
        method=method,
        seen=rows.seen(),
        inputs=list(rows.names),
        outputs=list(rows.names),
        centre=[centre for centre, _ in fitted],
        scale=[scale or 1.0 for _, scale in fitted],
        constant=[name for name, (_, scale) in zip(rows.names, fitted, strict=True) if not scale],
    )


def fit_column(column: Array, method: ScaleName) -> tuple[float, float]:
    """Centre and spread of the known values; a spread of 0 for what does not vary."""
    known = column[~np.isnan(column)]
    if not len(known):
        return 0.0, 0.0
    size = float(np.ldexp(1.0, int(np.frexp(np.abs(known).max())[1]) - 1))  # in such units squares do not overflow
    centre, spread = (size * value for value in _METHODS[method](known / size))
    return centre, spread if spread > FLAT * size else 0.0


def _standard(values: Array) -> tuple[float, float]:
    return float(values.mean()), float(values.std())


def _minmax(values: Array) -> tuple[float, float]:
    return float(values.min()), float(values.max() - values.min())


def _robust(values: Array) -> tuple[float, float]:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return float(middle), float(high - low)


_METHODS: dict[ScaleName, Callable[[Array], tuple[float, float]]] = {
    "standard": _standard,
    "minmax": _minmax,
    "robust": _robust,
}
