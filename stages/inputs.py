"""What several stages read: parameters, the feature registry, the split with its feature matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts import documents, tables, yaml_document
from candlelock.contracts import files
from candlelock.contracts.documents import Manifest
from candlelock.contracts.errors import InputError, Problem, nearest
from candlelock.contracts.params import Params, parse_params
from candlelock.contracts.tables import MEMBER_PREDICTIONS, PREDICTIONS, ROWS

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from candlelock.contracts.tables import TableSchema
    from candlelock.features.registry import Feature


def read_params(head: str | None = None) -> Params:
    """params.yaml, checked as a whole; `head` has to be one of its heads."""
    document = yaml_document.read(files.PARAMS)
    params = parse_params(document.values, document.file, document.line_of)
    if head is not None and head not in params.heads:
        raise InputError(Problem("head-unknown", f"{files.PARAMS} heads", head, "a head", nearest(head, list(params.heads))))
    return params


def read_registry(groups: list[str]) -> tuple[Feature, ...]:
    """The entries of features.yml that are switched on."""
    from candlelock.features.registry import parse_registry, select

    document = yaml_document.read(files.REGISTRY)
    return select(parse_registry(document.values, document.file, document.line_of), groups)


def read_feature_tables(groups: list[str]) -> dict[str, pa.Table]:
    """Symbol -> feature table, checked against the registry."""
    from candlelock.features.registry import table_schema

    schema = table_schema(read_registry(groups))
    manifest = documents.read(files.MANIFEST, Manifest)
    return {entry.symbol: tables.read(files.FEATURES / entry.file, schema) for entry in manifest.symbols}


def read_rows(head: str) -> pd.DataFrame:
    """The split of a head."""
    from candlelock.split.rows import from_table

    return from_table(tables.read(files.HeadFiles(head).rows, ROWS))


def read_matrix(head: str, groups: list[str]) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """The split of a head, its feature matrix and the names of the features."""
    from candlelock.split.rows import feature_matrix

    rows = read_rows(head)
    return rows, *feature_matrix(rows, read_feature_tables(groups))


def read_predictions(head: str, path: Path, schema: TableSchema) -> pd.DataFrame:
    """The split rows of a head that have predictions in `path`, with its probability columns."""
    table = tables.read(path, schema)
    frame = table.drop_columns(["segment", "open_time_utc"]).to_pandas()
    frame["open_time_ms"] = table["open_time_utc"].cast("int64").to_numpy()
    return read_rows(head).merge(frame, on=["symbol", "open_time_ms"], validate="one_to_one")


def read_test_rows(head: str) -> pd.DataFrame:
    """Labelled test rows with the calibrated probability and the baseline's."""
    own = files.HeadFiles(head)
    rows = read_predictions(head, own.predictions, PREDICTIONS)
    members = read_predictions(head, own.members, MEMBER_PREDICTIONS)[["symbol", "open_time_ms", "p_up_logistic"]]
    rows = rows.merge(members, on=["symbol", "open_time_ms"], validate="one_to_one")
    return rows[(rows["segment"] == "test") & rows["is_up"].notna()].reset_index(drop=True)
