"""Rows read back from files beside their features and predictions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from candlelock.artifacts import documents, tables
from candlelock.contracts import files
from candlelock.contracts.errors import InputError
from candlelock.contracts.registry import select, table_schema
from candlelock.contracts.snapshot_documents import Manifest, Source, SymbolFile
from candlelock.contracts.stage_params import FeaturesParams
from candlelock.contracts.tables import PREDICTIONS, ROWS, TIME, member_predictions
from candlelock.features.build import build_tables
from candlelock.split import joined
from candlelock.split.labels import label
from candlelock.split.rows import feature_matrix, to_table
from candlelock.split.segments import assign
from tests.heads import direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from candlelock.contracts.registry import Feature
    from candlelock.contracts.stage_params import SplitParams
    from candlelock.features.market import Market

GROUPS = ("returns", "time")
FEATURES = FeaturesParams(groups=list(GROUPS), exclude=[], plugins=[], symbol_columns=False)
OWN = files.HeadFiles("direction")
MEMBERS = ["lightgbm", "xgboost", "mlp"]


@pytest.fixture
def rows(walk: Callable[..., Market], params: Callable[..., SplitParams]) -> pd.DataFrame:
    market = walk(missing=(300,))
    return assign(label(market, direction(4), 10), params(), market.bar_ms)


@pytest.fixture
def root(tmp_path: Path, walk: Callable[..., Market], rows: pd.DataFrame, entries: tuple[Feature, ...]) -> Path:
    """A project with registry, manifest, feature tables and a split; predictions that name their row."""
    market, own = walk(missing=(300,)), select(entries, GROUPS)
    listed = []
    for symbol, table in build_tables(market, own).items():
        file = f"{symbol.replace('/', '-')}.parquet"
        tables.write(tmp_path / files.FEATURES / file, table, table_schema(own))
        times = {"first_open_utc": "2018-06-29T00:00:00Z", "last_open_utc": "2018-07-14T00:00:00Z"}
        counts = {"n_rows": table.num_rows, "n_missing_bars": 1, "gaps": [], "columns": []}
        hashes = {"sha256": "0" * 64, "merkle_root": "0" * 64}
        listed.append(SymbolFile.model_validate({"symbol": symbol, "file": file} | times | counts | hashes))
    source = Source(kind="sample", name="walk", address=None, asked=None, files={})
    manifest = Manifest(snapshot_id="0" * 64, timeframe="30m", source=source, symbols=listed)
    documents.write(tmp_path / files.MANIFEST, manifest)
    shutil.copy(Path(__file__).parents[3] / files.REGISTRY, tmp_path / files.REGISTRY)
    tables.write(tmp_path / OWN.rows, to_table(rows), ROWS)
    predicted = rows[rows["segment"].notna()]
    p = [np.linspace(0.1, 0.9, len(predicted)) + shift for shift in (0, 0.01, 0.02, 0.03)]
    key = {
        "symbol": pa.array(predicted["symbol"], pa.string()),
        "open_time_utc": pa.array(predicted["open_time_ms"].to_numpy()).cast(TIME),
        "segment": pa.array(predicted["segment"], pa.string()),
    }
    names = [f"p_up_{name}" for name in (*MEMBERS, "logistic")]
    members = pa.table(key | dict(zip(names, p, strict=True)))
    tables.write(tmp_path / OWN.members, members, member_predictions([*MEMBERS, "logistic"]))
    beside = {"confidence": np.maximum(p[1], 1 - p[1]), "member_spread": p[0], "disagreement": p[0]}
    sets = {"may_be_up": p[1] > 0.4, "may_be_down": p[1] < 0.6}
    nulls = pa.nulls(len(predicted), pa.float64())
    values = dict.fromkeys(("predicted_value", "value_low", "value_high"), nulls)
    answers = {"p_up_raw": p[0], "p_up": p[1]}
    calibrated = pa.table(key | answers | beside | sets | values | {"has_signal": p[1] > 0.5})
    tables.write(tmp_path / OWN.predictions, calibrated, PREDICTIONS)
    return tmp_path


def test_the_split_and_its_matrix_come_back_as_they_were(
    root: Path, rows: pd.DataFrame, walk: Callable[..., Market], entries: tuple[Feature, ...]
) -> None:
    read, matrix, names = joined.read_matrix(root, "direction", FEATURES)
    pd.testing.assert_frame_equal(read, rows, check_exact=True)
    expected, expected_names = feature_matrix(rows, build_tables(walk(missing=(300,)), select(entries, GROUPS)))
    assert names == expected_names
    np.testing.assert_array_equal(matrix, expected)


def test_member_predictions_stand_beside_the_row_they_were_made_for(root: Path, rows: pd.DataFrame) -> None:
    read = joined.read_member_predictions(root, "direction", MEMBERS)
    expected = rows[rows["segment"].notna()].reset_index(drop=True)
    pd.testing.assert_frame_equal(read[rows.columns], expected, check_exact=True)
    np.testing.assert_array_equal(read["p_up_mlp"], np.linspace(0.1, 0.9, len(read)) + 0.02)
    assert "p_up_logistic" not in read, "a baseline is no member"


def test_a_table_of_other_members_is_refused(root: Path) -> None:
    with pytest.raises(InputError, match="p_up_xgboost"):
        joined.read_member_predictions(root, "direction", ["lightgbm", "mlp"])


def test_a_baseline_may_be_a_member(root: Path) -> None:
    assert "p_up_logistic" in joined.read_member_predictions(root, "direction", [*MEMBERS, "logistic"])


def test_test_rows_are_the_labelled_ones_with_the_model_s_and_the_baseline_s_answer(
    root: Path, rows: pd.DataFrame
) -> None:
    read = joined.read_test_rows(root, "direction", MEMBERS)
    expected = rows[(rows["segment"] == "test") & rows["is_up"].notna()].reset_index(drop=True)
    pd.testing.assert_frame_equal(read[rows.columns], expected, check_exact=True)
    np.testing.assert_allclose(read["p_up_logistic"] - read["p_up"], 0.02, atol=1e-12)
    np.testing.assert_allclose(read["p_up"] - read["p_up_raw"], 0.01, atol=1e-12)


@pytest.mark.parametrize("path", [OWN.rows, files.FEATURES / "ETH-USD.parquet", files.MANIFEST, files.REGISTRY])
def test_a_missing_file_is_an_input_error(root: Path, path: Path) -> None:
    (root / path).unlink()
    with pytest.raises(InputError, match="missing"):
        joined.read_matrix(root, "direction", FEATURES)


@pytest.mark.parametrize("path", [OWN.rows, OWN.members, OWN.predictions])
def test_missing_predictions_are_an_input_error(root: Path, path: Path) -> None:
    (root / path).unlink()
    with pytest.raises(InputError, match="table-missing"):
        joined.read_test_rows(root, "direction", MEMBERS)
