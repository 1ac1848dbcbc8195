"""The causality certificate, as frozen models: what was tried on every feature, on how much, and what was found.

Times are open times of bars. There is no clock value in it, so that a rebuild gives the same bytes.
"""

from __future__ import annotations

from typing import Any, Literal

from candlelock.contracts.documents import Document, Sha256, UtcTime
from candlelock.contracts.stage_params import CausalityParams  # noqa: TC001  (pydantic reads annotations)

Code = Literal[
    "future-prefix",
    "future-perturbed",
    "lookback-longer",
    "live-differs",
    "not-yet-available",
    "input-undeclared",
    "process-state",
    "not-deterministic",
    "candles-changed",
    "plugin-error",
    "not-examined",
    "table-differs",
]
CheckName = Literal["repetition", "prefix", "future", "replay", "live", "availability", "inputs", "process", "tables"]


class CausalityFinding(Document):
    """The first violation of a feature in a check: the earliest row, and the symbol it is of.

    `offset_bars`: distance from that row to the nearest later bar that mattered, or, below 0, to the furthest one
    before the look-back; null where there is none, and after a feature's first finding. `symbol` and `time` are null
    where no single row is at fault.
    """

    code: Code
    feature: str
    symbol: str | None
    time: UtcTime | None
    offset_bars: int | None
    detail: str
    help: str


class CausalityCheck(Document):
    """A check that ran. `n_compared`: known values that were compared; `findings` may be cut, `n_findings` is not."""

    name: CheckName
    what: str
    passed: bool
    n_compared: int
    n_findings: int
    evidence: dict[str, Any]
    findings: list[CausalityFinding]


class ExaminedFeature(Document):
    """One feature and how much of it each check compared. `rtol`: 0 means bit for bit."""

    name: str
    group: str
    warmup_bars: int
    available_at: str
    rtol: float
    passed: bool
    n_values: int
    n_compared: dict[str, int]


class ExaminedCandles(Document):
    """The candles the features were examined on; the latest, where the whole history is more than the limit."""

    snapshot_id: Sha256 | None
    symbols: list[str]
    bar_minutes: float
    first_open_utc: UtcTime
    last_open_utc: UtcTime
    n_bars: int
    n_candles: int
    n_missing_bars: int
    n_bars_left_out: int


class CausalityReport(Document):
    """reports/causality.json."""

    version: Literal["1"] = "1"
    passed: bool
    n_findings: int
    seed: int
    settings: CausalityParams
    candles: ExaminedCandles
    checks: list[CausalityCheck]
    features: list[ExaminedFeature]
