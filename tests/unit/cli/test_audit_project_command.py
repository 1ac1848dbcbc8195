"""`candlelock audit` on a project that was built: silent as it is, exit code 1 with what was spoiled."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from candlelock.artifacts import documents
from candlelock.audit import evidence
from candlelock.contracts import files
from candlelock.contracts.leakage_documents import OF_HISTORY, PROVES, ControlsReport, LeakageReport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Run = Callable[..., tuple[int, str, str]]


def test_an_honest_project_has_no_finding(built_project: Path, candlelock: Run) -> None:
    code, out, err = candlelock("audit", "--root", str(built_project), "--json")
    assert (code, err) == (0, "")
    report = LeakageReport.model_validate(json.loads(out)["direction"])
    assert {check.name for check in report.checks} == set(PROVES)
    stored = documents.read(built_project / "reports/direction/leakage.json", LeakageReport)
    assert [check for check in report.checks if check.name not in OF_HISTORY] == stored.checks


def test_findings_are_printed_with_their_times_and_a_missing_ledger_is_a_clear_error(
    project_copy: Path, candlelock: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The threshold's hand-over is replaced by that of the judgement on test; the stored controls do, for speed."""
    stored = documents.read(project_copy / files.CONTROLS_REPORT, ControlsReport)
    monkeypatch.setattr(evidence, "make_controls", lambda *_: stored)
    fits = project_copy / "data/fits/direction"
    shutil.copy(fits / "evaluate.parquet", fits / "calibrate.parquet")
    code, out, _ = candlelock("audit", "--root", str(project_copy))
    assert code == 1
    assert "FAILED  fits" in out
    assert "error[fit-unrecorded] calibrate/threshold" in out
    (project_copy / "ledger/direction/test_reads.json").unlink()
    code, _, err = candlelock("audit", "--root", str(project_copy))
    assert code == 2
    assert "test_reads.json" in err
    assert "Traceback" not in err
