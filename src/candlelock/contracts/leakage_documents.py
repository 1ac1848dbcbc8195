"""What the leakage guard looked at and what it found, as frozen models.

A finding names two times that contradict each other: `known_utc`, when something became known, and `used_utc`, when it
was used all the same. There is no clock value in it, so that a rebuild gives the same bytes.
"""

from __future__ import annotations

from typing import Any, Literal

from candlelock.contracts.causality_documents import Code
from candlelock.contracts.documents import Document, UtcTime

RowCode = Literal[
    "label-overlap",
    "label-end-early",
    "label-end-missing",
    "label-filled",
    "label-sees-further",
    "label-in-feature",
    "split-order",
    "row-twice",
    "series-twice",
    "feature-twice",
    "registry-differs",
    "certificate-differs",
    "universe-survivors",
]
FitCode = Literal["fit-outside", "fit-on-test", "fit-unrecorded", "fit-values", "in-sample", "test-worn-out"]
ModuleCode = Literal["module-fails", "module-hangs", "module-writes", "module-clock"]
FillCode = Literal["fill-early", "fill-price", "fill-order"]
ResultCode = Literal["too-good", "control-go", "control-missed"]
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
