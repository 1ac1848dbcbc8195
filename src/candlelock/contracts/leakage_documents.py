"""What the leakage guard looked at and what it found, as frozen models.

A finding names two times that contradict each other: `known_utc`, when something became known, and `used_utc`, when it
was used all the same. There is no clock value in it, so that a rebuild gives the same bytes.
"""

from __future__ import annotations

from typing import Any, Literal

from candlelock.contracts.causality_documents import Code
from candlelock.contracts.documents import Document, Sha256, UtcTime

RowCode = Literal[
    "label-overlap",
    "label-end-early",
    "label-end-missing",
    "label-filled",
    "label-sees-further",
    "label-differs",
    "label-in-feature",
    "split-order",
    "row-twice",
    "series-twice",
    "registry-differs",
    "certificate-differs",
    "universe-survivors",
]
FitCode = Literal["fit-outside", "fit-on-test", "fit-unrecorded", "fit-values", "in-sample", "test-worn-out"]
ModuleCode = Literal["module-fails", "module-hangs", "module-writes", "module-reads", "module-clock"]
FillCode = Literal["fill-early", "fill-price", "fill-order"]
ResultCode = Literal["too-good", "control-go", "control-missed", "control-peeks", "trial-uncounted"]
LeakCode = Code | RowCode | FitCode | ModuleCode | FillCode | ResultCode


class Leak(Document):
    """One finding: the earliest row at fault of what `subject` names (a feature, a stage's fit, two parts of a split).

    `row`: its number in the table looked at, from 0. What does not apply is null. `help`: how to mend it.
    """

    code: LeakCode
    subject: str
    symbol: str | None = None
    row: int | None = None
    known_utc: UtcTime | None = None
    used_utc: UtcTime | None = None
    detail: str
    help: str


class LeakCheck(Document):
    """A check that ran: what it compared, how much, and what it found; `findings` may be cut, their number is not."""

    name: str
    what: str
    passed: bool
    n_compared: int
    n_findings: int
    evidence: dict[str, Any]
    findings: list[Leak]


class TestRead(Document):
    """One set of predictions judged on test rows, by digests of both: of keys and labels, and of probabilities."""

    __test__ = False

    test_rows_sha256: Sha256
    predictions_sha256: Sha256
    n_rows: int
    first_decision_utc: UtcTime
    last_label_end_utc: UtcTime


class TestReads(Document):
    """ledger/<head>/test_reads.json: every model that test was ever read for, the first first. Lines are only added.

    Judging the same predictions on the same rows again adds none, so that a rebuild gives the same bytes.
    """

    __test__ = False

    reads: list[TestRead]


class Control(Document):
    """The whole flow on a market of which it is known whether there is anything to know.

    `verdict`: by the gates on skill, back-test and calibration; `gates_failed`: those that did not pass.
    """

    name: Literal["martingale", "shuffled", "planted"]
    has_edge: bool
    verdict: Literal["GO", "NO-GO", "INSUFFICIENT EVIDENCE"]
    gates_failed: list[str]
    auc_roc: float
    lift_over_best_rule_pp_low: float
    sharpe: float | None
    n_trades: int
    n_rows: int


class BlindControl(Document):
    """The flow twice, on the planted market and on one that is another from the first bar of test on.

    Nothing that is fitted or chosen may differ: `differing` names what does, of `n_compared` files and predictions.
    """

    test_begin_utc: UtcTime
    n_compared: int
    differing: list[str]


class ControlsReport(Document):
    """reports/controls.json."""

    seed: int
    head: str
    controls: list[Control]
    blind: BlindControl


Proves = Literal["future_info", "time_split", "feature_audit"]
PROVES: dict[str, Proves] = {  # check -> the card's boolean that it stands behind
    "features": "future_info",
    "known labels": "future_info",
    "intervals": "time_split",
    "missing ends": "time_split",
    "filled labels": "time_split",
    "copies": "time_split",
    "series": "time_split",
    "fits": "time_split",
    "fit values": "time_split",
    "test reads": "time_split",
    "trials": "time_split",
    "fills": "time_split",
    "registry": "feature_audit",
    "prediction": "feature_audit",
    "score": "feature_audit",
    "controls": "feature_audit",
}
OF_HISTORY = {"trials"}  # checks that ask git, which no stage may: `candlelock audit` alone makes them


class LeakageReport(Document):
    """reports/<head>/leakage.json: every check that the head's card rests on."""

    checks: list[LeakCheck]

    def passed(self, boolean: Proves) -> bool:
        """One of the card's three booleans."""
        return all(check.passed for check in self.checks if PROVES[check.name] == boolean)
