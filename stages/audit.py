"""Hold rows, labels, fits, fills and the score of a head to what each may know; a finding fails a gate, not the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from candlelock.artifacts import documents
from candlelock.audit.leakage import Given, examine_head
from candlelock.contracts import files
from candlelock.contracts.causality_documents import CausalityReport
from candlelock.contracts.leakage_documents import ControlsReport, TestReads

if TYPE_CHECKING:
    from candlelock.contracts.params import Params


def run(params: Params, head: str) -> None:
    """Everything the head was made of, reports/causality.json, controls.json -> reports/<head>/leakage.json."""
    own = files.HeadFiles(head)
    given = Given(
        features=params.features,
        split=params.split,
        select=params.select,
        calibrate=params.calibrate,
        members=params.train.members,
        is_refit=params.train.refit,
        tune=params.tune,
        question=params.heads[head],
        certificate=documents.read(files.CAUSALITY_REPORT, CausalityReport),
        controls=documents.read(files.CONTROLS_REPORT, ControlsReport),
        reads=documents.read(own.test_reads, TestReads).reads,
        backtest=params.backtest.of(params.heads[head]),
    )
    report = examine_head(Path(), head, given)
    documents.write(own.report("leakage.json"), report)
    n_passed, n_findings = sum(check.passed for check in report.checks), sum(c.n_findings for c in report.checks)
    print(f"audit: {n_passed} of {len(report.checks)} checks passed, {n_findings} findings")
