"""Rows of the split joined with what other stages know of them: features, predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts import documents, tables, user_files
from candlelock.contracts import files
from candlelock.contracts.registry import table_schema
from candlelock.contracts.snapshot_documents import Manifest
from candlelock.contracts.tables import BASELINES, PREDICTIONS, ROWS, member_predictions, with_baselines
from candlelock.split.rows import feature_matrix, from_table, learns_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from candlelock.contracts.stage_params import FeaturesParams
    from candlelock.contracts.tables import TableSchema


def read_feature_tables(root: Path, features: FeaturesParams) -> dict[str, pa.Table]:
    """Symbol -> feature table, checked against the registry."""
    schema = table_schema(user_files.read_registry(root, features))
    manifest = documents.read(root / files.MANIFEST, Manifest)
    return {entry.symbol: tables.read(root / files.FEATURES / entry.file, schema) for entry in manifest.symbols}


def read_rows(root: Path, head: str) -> pd.DataFrame:
    """The split of a head, as `labels` and `segments` made it."""
    return from_table(tables.read(root / files.HeadFiles(head).rows, ROWS))


def read_matrix(root: Path, head: str, features: FeaturesParams) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """The split of a head, its feature matrix (n_rows, n_features) with NaN where unknown, and the features' names."""
    rows, built = read_rows(root, head), read_feature_tables(root, features)
    return rows, *feature_matrix(rows, built, symbol_columns(built, features))


def symbol_columns(built: Iterable[str], features: FeaturesParams) -> Sequence[str]:
    """Symbols that get a column in the feature matrix, of all that have features."""
    return sorted(built) if features.symbol_columns else ()


def read_member_predictions(root: Path, head: str, members: Sequence[str]) -> pd.DataFrame:
    """Split rows, number in `row`, that were predicted, with `p_up_<member>`: train out of fold, and later.

    Of a head of values it is `value_<member>`. Raises InputError where the table is of other members; baselines that
    are none are left out.
    """
    rows, start = _read_answers(root, head, members)
    return rows.drop(columns=[f"{start}_{name}" for name in BASELINES if name not in members])


def read_test_rows(root: Path, head: str, members: Sequence[str]) -> pd.DataFrame:
    """Labelled test rows with the calibrated probability and the baselines', of a head of values their values."""
    rows = _join(read_rows(root, head), root / files.HeadFiles(head).predictions, PREDICTIONS)
    every, start = _read_answers(root, head, members)
    baselines = every[["symbol", "open_time_ms", *(f"{start}_{name}" for name in BASELINES)]]
    rows = rows.merge(baselines, on=["symbol", "open_time_ms"], validate="one_to_one")
    return rows[(rows["segment"] == "test") & rows["is_up"].notna()].reset_index(drop=True)


def _read_answers(root: Path, head: str, members: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """Split rows with every learner's answer, and what the names of its columns start with."""
    rows = read_rows(root, head)
    are_values = learns_values(rows)
    schema = member_predictions(with_baselines(members), are_values=are_values)
    return _join(rows, root / files.HeadFiles(head).members, schema), "value" if are_values else "p_up"


def _join(rows: pd.DataFrame, path: Path, schema: TableSchema) -> pd.DataFrame:
    table = tables.read(path, schema)
    frame = table.drop_columns(["segment", "open_time_utc"]).to_pandas()
    frame["open_time_ms"] = table["open_time_utc"].cast("int64").to_numpy()
    rows = rows.assign(row=rows.index)
    return rows.merge(frame, on=["symbol", "open_time_ms"], validate="one_to_one")
