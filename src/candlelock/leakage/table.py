"""Anybody's training table as plain arrays, and every check of it that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from candlelock.leakage.copies import check_copies
from candlelock.leakage.intervals import check_intervals
from candlelock.leakage.labels import check_filled, check_label_ends
from candlelock.leakage.prediction import check_prediction
from candlelock.leakage.series import check_series

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from candlelock.contracts.leakage_documents import LeakCheck
    from candlelock.leakage.rows import LabelledRows


@dataclass(frozen=True)
class AuditTable:
    """A training table: when its rows are decided, what they are to predict, from what, and for which part.

    `label`: (n_rows,) float64, NaN where it is unknown. `values`: (n_rows, n_features) float64, finite or NaN, columns
    as in `names`; best in Fortran order. `rows.is_known` is true where there is a label and a label end, so that a row
    with a label that is not known to `rows` lacks its end. `notes`: what was taken for granted in reading.
    """

    rows: LabelledRows
    label: npt.NDArray[np.float64]
    names: tuple[str, ...]
    values: npt.NDArray[np.float64]
    notes: tuple[str, ...] = ()


def audit_rows(table: AuditTable, embargo_ms: int) -> list[LeakCheck]:
    """Every check of a table; `embargo_ms` is the distance that label intervals of two parts have to keep."""
    rows, label = table.rows, table.label
    return [
        check_intervals(rows, embargo_ms),
        check_label_ends(rows, label),
        check_filled(rows, label),
        check_copies(rows, table.names, table.values),
        check_series(rows, label, table.names, table.values),
        check_prediction(rows, label, table.names, table.values),
    ]
