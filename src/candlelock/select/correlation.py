"""Correlations between features, and which of two that say the same is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
MIN_COMMON = 30  # rows in which both are known; fewer correlate by accident
FLAT = 1e-12  # of a feature's variance, over the common rows: less is rounding
DIGITS = 12  # decimals that count: BLAS may round the rest otherwise for another order of columns


@dataclass(frozen=True)
class Twin:
    """A feature that resembles one that is kept: their columns and the size of their correlation."""

    column: int
    kept: int
    correlation: float


def correlations(x: Array) -> Array:
    """Size of Pearson's correlation of every two features over the rows that know both, (n_features, n_features).

    0 where it cannot be said: fewer than 30 common rows, or a feature that does not vary over them.
    """
    known = ~np.isnan(x)
    z = _standardised(x, known)
    if known.all():
        products = z.T @ z / len(z)
        return _sizes(products, np.broadcast_to(np.diag(products)[:, None], products.shape), len(z))
    has = known.astype(np.float64)
    n = has.T @ has
    at_least_1 = np.maximum(n, 1)
    mean = z.T @ has / at_least_1  # of the row's feature, where the column's is known
    return _sizes(z.T @ z / at_least_1 - mean * mean.T, (z * z).T @ has / at_least_1 - mean**2, n)


def find_twins(size: Array, score: Array, max_correlation: float) -> list[Twin]:
    """Features to drop: going from the highest score down, each that correlates more with one kept before it.

    Of equal scores the earlier column comes first, NaN last. The kept twin is the one of the highest correlation.
    """
    kept: list[int] = []
    twins = []
    for column in ranking(score):
        against = size[column, kept]
        if len(kept) and against.max() > max_correlation:
            best = int(against.argmax())
            twins.append(Twin(int(column), kept[best], float(against[best])))
        else:
            kept.append(int(column))
    return sorted(twins, key=lambda twin: twin.column)


def ranking(score: Array) -> npt.NDArray[np.intp]:
    """Columns by falling score: of equal ones the earlier column first, NaN last."""
    return np.argsort(-np.where(np.isnan(score), -np.inf, score), kind="stable")


def _standardised(x: Array, known: npt.NDArray[np.bool_]) -> Array:
    """Deviations in units of each column's own; 0 where unknown and for a column without spread."""
    count = np.maximum(known.sum(axis=0), 1)
    size = np.abs(np.where(known, x, 0.0)).max(axis=0)
    u = np.where(known, x / np.where(size > 0, size, 1.0), 0.0)
    u = np.where(known, u - u.sum(axis=0) / count, 0.0)
    spread = np.sqrt((u * u).sum(axis=0) / count)
    return u * np.where(spread > FLAT, 1.0 / np.where(spread > FLAT, spread, 1.0), 0.0)


def _sizes(covariance: Array, variance: Array, n: Array | int) -> Array:
    """`variance`: of the row's feature over the rows in common with the column's."""
    is_sound = (n >= MIN_COMMON) & (variance > FLAT) & (variance.T > FLAT)
    scale = np.sqrt(np.where(is_sound, variance * variance.T, 1.0))
    return np.where(is_sound, np.minimum(np.round(np.abs(covariance) / scale, DIGITS), 1.0), 0.0)
