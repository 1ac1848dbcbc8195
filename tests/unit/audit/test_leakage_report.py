"""The leakage report of a project that was really built: silent as it is, and loud for each part that is spoiled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from candlelock.artifacts import documents, tables, user_files
from candlelock.audit.leakage import examine_head, given_of
from candlelock.contracts import files
from candlelock.contracts.causality_documents import CausalityReport
from candlelock.contracts.leakage_documents import OF_HISTORY, PROVES, ControlsReport, LeakageReport, TestReads
from candlelock.contracts.tables import FITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OWN = files.HeadFiles("direction")


def examine(root: Path) -> LeakageReport:
    params = user_files.read_params(root)
    certificate = documents.read(root / files.CAUSALITY_REPORT, CausalityReport)
    controls = documents.read(root / files.CONTROLS_REPORT, ControlsReport)
    reads = documents.read(root / OWN.test_reads, TestReads).reads
    return examine_head(root, "direction", given_of(params, params.heads["direction"], certificate, controls, reads))


def codes(report: LeakageReport) -> dict[str, set[str]]:
    return {check.name: {leak.code for leak in check.findings} for check in report.checks if not check.passed}


def test_an_honest_project_passes_every_check_and_compares_something_in_most(built_project: Path) -> None:
    report = examine(built_project)
    assert codes(report) == {}
    assert {check.name for check in report.checks} == set(PROVES) - OF_HISTORY
    compared = {check.name for check in report.checks if check.n_compared}
    assert compared >= set(PROVES) - OF_HISTORY - {"filled labels"}
    assert report == documents.read(built_project / OWN.report("leakage.json"), LeakageReport)


def edit(path: Path, change: Callable[[dict[str, list[Any]]], None]) -> None:
    """Change a table's columns, types kept."""
    table = pq.read_table(path)
    columns = table.to_pydict()
    change(columns)
    pq.write_table(pa.table(columns, schema=table.schema), path)


def see_test(columns: dict[str, list[Any]]) -> None:
    """The last of the threshold's rows reach on over the last symbol's test."""
    at = len(columns["fit"]) - 1 - columns["fit"][::-1].index("threshold")
    columns["n_rows"][at] += 200


def other_digest(columns: dict[str, list[Any]]) -> None:
    columns["values_sha256"][0] = "0" * 64


def lose(columns: dict[str, list[Any]]) -> None:
    for values in columns.values():
        del values[0]


@pytest.mark.parametrize(
    ("file", "change", "found"),
    [
        ("calibrate", see_test, {"fits": {"fit-on-test"}}),
        ("train", other_digest, {"fit values": {"fit-values"}}),
        ("evaluate", lose, {"fits": {"fit-unrecorded"}}),
    ],
)
def test_a_spoiled_ledger_of_fits_is_found(
    file: str, change: Callable[[dict[str, list[Any]]], None], found: dict[str, set[str]], project_copy: Path
) -> None:
    path = project_copy / OWN.fits(file)
    if change is lose:
        table = tables.read(path, FITS)
        tables.write(path, table.slice(0, 0), FITS)
    else:
        edit(path, change)
    assert codes(examine(project_copy)) == found


def test_features_scaled_on_the_way_are_found(project_copy: Path) -> None:
    """Tables that are not what the fits were handed: as if somebody had scaled in between."""
    for path in (project_copy / files.FEATURES).glob("*.parquet"):
        edit(path, lambda columns: columns.update(return_1=[v if v is None else 2 * v for v in columns["return_1"]]))
    assert codes(examine(project_copy))["fit values"] == {"fit-values"}


def test_a_better_price_is_found(project_copy: Path) -> None:
    path = project_copy / OWN.report("trades.parquet")
    edit(path, lambda columns: columns.update(entry_price=[price * 99 / 100 for price in columns["entry_price"]]))
    assert codes(examine(project_copy)) == {"fills": {"fill-price"}}


def test_a_score_that_nobody_has_is_found(project_copy: Path) -> None:
    rows = pq.read_table(project_copy / OWN.rows).to_pandas()
    path = project_copy / OWN.predictions
    stored = pq.read_table(path)
    keys = stored.select(["symbol", "open_time_utc"]).to_pandas()
    ups = keys.merge(rows, on=["symbol", "open_time_utc"])["is_up"].to_numpy(dtype=object)
    answers = np.where([up is True or up == 1 for up in ups], 0.9, 0.1)
    pq.write_table(stored.set_column(stored.column_names.index("p_up"), stored.field("p_up"), pa.array(answers)), path)
    assert codes(examine(project_copy))["score"] == {"too-good"}


def test_many_looks_at_test_are_found(project_copy: Path) -> None:
    ledger = project_copy / OWN.test_reads
    document = json.loads(ledger.read_text())
    line = document["reads"][0]
    document["reads"] += [{**line, "predictions_sha256": f"{number:064x}"} for number in range(30)]
    ledger.write_text(json.dumps(document))
    assert codes(examine(project_copy)) == {"test reads": {"test-worn-out"}}
