"""The split table as a pandas frame and as arrow, and the feature matrix that belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.tables import ROWS, TIME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMES = {"open_time_utc": "open_time_ms", "decision_time_utc": "decision_time_ms", "label_end_utc": "label_end_ms"}


def to_table(rows: pd.DataFrame) -> pa.Table:
    """The arrow table of contract ROWS; missing values become nulls."""
    columns = {}
    for column in ROWS.columns:
        if column.name in TIMES:
            columns[column.name] = pa.array(rows[TIMES[column.name]].to_numpy()).cast(TIME)
        else:
            values = rows[column.name]
            if column.name == "is_up":
                values = values.astype("boolean")
            columns[column.name] = pa.array(values, type=column.dtype, from_pandas=True)
    return pa.table(columns)


def from_table(table: pa.Table) -> pd.DataFrame:
    """The frame `label` and `assign` make: times as int64 milliseconds, `is_up` as 1.0, 0.0 or NaN."""
    frame = {}
    for column in ROWS.columns:
        values = table[column.name]
        if column.name in TIMES:
            frame[TIMES[column.name]] = pd.Series(values.cast(pa.int64()).to_numpy())
        elif column.name == "is_up":
            frame["is_up"] = pd.Series(values.cast(pa.float64()).to_numpy())
        elif column.name == "fold":
            frame["fold"] = pd.array(values.to_pylist(), dtype="Int32")
        elif pa.types.is_string(values.type):
            frame[column.name] = pd.Series(values.to_pylist(), dtype="str")
        else:
            frame[column.name] = pd.Series(values.to_numpy())
    return pd.DataFrame(frame)


def learns_values(rows: pd.DataFrame) -> bool:
    """Whether the split table is that of a head of values."""
    return "value" in rows and bool(rows["value"].notna().any())


def targets(rows: pd.DataFrame) -> np.ndarray:
    """The labels, (n_rows,): the value or, for other heads, 1.0 for up and 0.0 for down; NaN where unknown."""
    return rows["value"].where(rows["is_up"].notna()).to_numpy() if learns_values(rows) else rows["is_up"].to_numpy()


def shares(rows: pd.DataFrame) -> np.ndarray | None:
    """What models learn in place of the labels, (n_rows,) from 0 to 1, NaN where unknown; None: the labels."""
    return rows["share_above"].to_numpy() if "share_above" in rows and rows["share_above"].notna().any() else None


def feature_matrix(
    rows: pd.DataFrame, tables: Mapping[str, pa.Table], symbols: Sequence[str] = ()
) -> tuple[np.ndarray, list[str]]:
    """Features of `rows`, float64 of shape (n_rows, n_features) with NaN where null, and their names.

    `tables`: symbol -> feature table. Of each of `symbols` a column `is_<symbol>` comes behind them: 1 in its own rows,
    0 in all others. Raises InputError when a row has no features.
    """
    names = [name for name in next(iter(tables.values())).column_names if name != "open_time_utc"]
    matrix = np.empty((len(rows), len(names) + len(symbols)))
    for column, own in enumerate(symbols, len(names)):
        matrix[:, column] = rows["symbol"] == own
    for symbol, index in rows.groupby("symbol", sort=False).indices.items():
        table = tables[str(symbol)]
        known = table["open_time_utc"].cast(pa.int64()).to_numpy()
        wanted = rows["open_time_ms"].to_numpy()[index]
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        if not np.array_equal(known[at], wanted):
            raise InputError(
                Problem(
                    "features-stale",
                    f"features of {symbol}",
                    "rows without features",
                    "a feature row for every split row",
                    "run `dvc repro`",
                )
            )
        block = np.empty((len(names), len(at)))  # a column of the matrix at a time would miss the cache at every row
        for number, name in enumerate(names):
            block[number] = table[name].to_numpy(zero_copy_only=False)[at]
        matrix[index, : len(names)] = block.T
    return matrix, [*names, *(f"is_{symbol}" for symbol in symbols)]
