"""Rows of features with the direction that came: the table that bundles are benchmarked on.

Columns: every feature by its name, null where unknown, and `is_up` or `label`, true or false, 1 or 0. `symbol` may
be there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.errors import InputError, Problem, nearest, raise_if

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Array = npt.NDArray[np.float64]
LABELS = ("is_up", "label")
N_SHOWN = 5


@dataclass(frozen=True)
class LabelledRows:
    """`table` has the features; `is_up`, shape (n_rows,), is 1.0 or 0.0 and has both. `place` names the table."""

    place: str
    table: pa.Table
    is_up: Array

    @property
    def sha256(self) -> str:
        """Of the labels, in their order."""
        return hashlib.sha256(self.is_up.astype("u1").tobytes()).hexdigest()

    def matrix(self, names: Sequence[str], bundle: str) -> Array:
        """The features of these names, shape (n_rows, n_names), NaN where unknown.

        Raises InputError, naming the bundle that asks, for those that are missing, no numbers or infinite.
        """
        place = f"{bundle}, on {self.place}"
        known = [name for name in names if name in self.table.column_names]
        raise_if(list(self._missing(names, known, place)))
        columns = {name: _numbers(self.table[name]) for name in known}
        wrong = [name for name, values in columns.items() if values is None or np.isinf(values).any()]
        if wrong:
            found = f"no numbers, or infinite ones, in {_list(wrong)}"
            help_line = "write features as numbers, null where unknown"
            raise InputError(Problem("benchmark-column", place, found, "finite numbers", help_line))
        return np.column_stack([values for values in columns.values() if values is not None])

    def _missing(self, names: Sequence[str], known: Sequence[str], place: str) -> Iterator[Problem]:
        missing = [name for name in names if name not in set(known)]
        if missing:
            found, expected = f"no column {_list(missing)}", f"all {len(names)} features the bundle asks for"
            help_line = f"{missing[0]}: {nearest(missing[0], self.table.column_names)}"
            yield Problem("benchmark-column", place, found, expected, help_line)


def read_labelled(table: pa.Table, place: str, symbol: str | None) -> LabelledRows:
    """The rows of a table, or those of one symbol. Raises InputError for labels that nothing can be scored by."""
    rows = table if symbol is None else _of_symbol(table, place, symbol)
    name = next((each for each in LABELS if each in rows.column_names), None)
    if name is None:
        help_line = nearest(LABELS[0], rows.column_names)
        raise InputError(Problem("benchmark-label", place, "no column is_up or label", "the labels", help_line))
    values = _numbers(rows[name])
    found = "no numbers and no truth values" if values is None else _label_fault(values)
    if values is None or found:
        expected, help_line = "true and false, or 1 and 0, both of them", "leave rows without a label out"
        raise InputError(Problem("benchmark-label", f"{place} {name}", found, expected, help_line))
    return LabelledRows(place, rows, values)


def _of_symbol(table: pa.Table, place: str, symbol: str) -> pa.Table:
    known = [] if "symbol" not in table.column_names else sorted(map(str, pc.unique(table["symbol"]).to_pylist()))
    if symbol not in known:
        help_line = nearest(symbol, known) if known else "the table needs a column symbol"
        raise InputError(
            Problem("benchmark-symbol", f"{place} symbol", repr(symbol), "a symbol of the table", help_line)
        )
    return table.filter(pc.equal(table["symbol"].cast(pa.string()), symbol))


def _label_fault(values: Array) -> str:
    """Why labels cannot be scored by; empty when they can."""
    n_unknown, strange = int(np.isnan(values).sum()), values[~np.isnan(values) & (values != 0) & (values != 1)]
    if n_unknown:
        return f"{n_unknown} of {len(values)} labels unknown"
    if len(strange):
        return f"{len(strange)} values such as {strange[0]:g}"
    if len(values) == 0 or values.min() == values.max():
        return f"{len(values)} rows, all of one class" if len(values) else "no row"
    return ""


def _numbers(column: pa.ChunkedArray) -> Array | None:
    """As float64, NaN where null; None for what is neither number nor truth value."""
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        return np.full(len(column), np.nan) if pa.types.is_null(kind) else None
    values: Array = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - N_SHOWN} more" if len(names) > N_SHOWN else ""
    return ", ".join(names[:N_SHOWN]) + more
