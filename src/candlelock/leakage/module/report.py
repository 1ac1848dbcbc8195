"""What was tried on somebody else's feature file and what was found, as frozen models, and the making of findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from candlelock.causality.findings import HELP as CAUSALITY_HELP
from candlelock.contracts.causality_documents import ExaminedCandles  # noqa: TC001  (pydantic reads annotations)
from candlelock.contracts.documents import Document
from candlelock.contracts.leakage_documents import Leak, LeakCheck
from candlelock.leakage.features import leak_of
from candlelock.leakage.rows import when

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.causality.examination import Violation
    from candlelock.contracts.causality_documents import CausalityFinding
    from candlelock.contracts.leakage_documents import LeakCode
    from candlelock.features.market import Array, Market

ModuleCheckName = Literal["calls", "files", "repetition", "prefix", "future", "rows", "process", "clock"]
NOT_EXAMINED = (
    "look-back, inputs and the time of availability: a file without a registry declares none; the look-back shown is "
    "measured, and no proof",
)
HELP: Mapping[str, str] = {
    **{str(code): words for code, words in CAUSALITY_HELP.items()},
    "module-fails": "mend the function; of any candles, with gaps, it returns a finite number or NaN for each row",
    "module-hangs": "mend what does not end, or allow more time with --timeout",
    "module-writes": "compute from the frame alone: no file, no process, no network",
    "module-reads": "compute from the frame alone; write what the file holds into the code, if no later candle made it",
    "module-clock": "take times from the frame's index",
    "not-deterministic": "no random numbers without a seed, no order of a set, nothing kept from other symbols",
    "process-state": "keep nothing between calls: a cache needs the last time of its candles in its key",
}


class ExaminedColumn(Document):
    """One column and how much of it each check compared.

    `n_rows`: known values at rows that were looked at for what follows them. `look_back_bars`: as measured; null where
    it is all history, or was not measured.
    """

    function: str
    column: str
    passed: bool
    n_values: int
    n_compared: dict[str, int]
    n_rows: int
    look_back_bars: int | None


class ModuleReport(Document):
    """What `candlelock audit module` prints as JSON. `functions_left_out`: those that do not take a frame alone."""

    version: Literal["1"] = "1"
    passed: bool
    n_findings: int
    file: str
    seed: int
    candles: ExaminedCandles
    checks: list[LeakCheck]
    columns: list[ExaminedColumn]
    functions_left_out: list[str]
    not_examined: list[str]


@dataclass(frozen=True)
class FunctionProof:
    """What one process can say of a function; what is asked of each column stands by the column's name.

    `values`: (n_columns, n_symbols, n_bars), NaN where unknown; None only where there are no columns.
    """

    name: str
    columns: list[str] = field(default_factory=list)
    leaks: list[tuple[ModuleCheckName, Leak]] = field(default_factory=list)
    n_compared: dict[str, dict[str, int]] = field(default_factory=dict)
    n_values: dict[str, int] = field(default_factory=dict)
    n_rows: dict[str, int] = field(default_factory=dict)
    look_back_bars: dict[str, int | None] = field(default_factory=dict)
    values: Array | None = None

    def as_body(self) -> dict[str, Any]:
        """All but the values, as plain data."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("values", "leaks")}
        return {**plain, "leaks": [(check, each.model_dump(mode="json")) for check, each in self.leaks]}

    @classmethod
    def of_body(cls, body: Mapping[str, Any], values: Array | None) -> FunctionProof:
        """The proof that `as_body` made plain."""
        leaks = [(check, Leak.model_validate(each)) for check, each in body["leaks"]]
        return cls(**{**body, "leaks": leaks, "values": values})


def subject_of(function: str, column: str) -> str:
    """What findings call a column: with its function, unless the function names it."""
    return column if column == function else f"{function}.{column}"


def leak(code: LeakCode, subject: str, detail: str) -> Leak:
    """A finding of no single row."""
    return Leak(code=code, subject=subject, detail=detail, help=HELP[code])


def leak_of_finding(found: CausalityFinding, subject: str, bar: int | None, market: Market) -> Leak:
    """A finding on features as one of the file's."""
    code: LeakCode = "module-fails" if found.code == "plugin-error" else found.code
    own = {"code": code, "subject": subject, "row": bar, "help": HELP[code]}
    return leak_of(found, market.bar_ms).model_copy(update=own)


def leak_of_violation(found: Violation, code: LeakCode, subject: str, market: Market) -> Leak:
    """A row at which processes differ: it has no later candle to name."""
    closed = None if found.bar is None else int(market.open_time_ms[found.bar]) + market.bar_ms
    return Leak(
        code=code,
        subject=subject,
        symbol=None if found.symbol is None else market.symbols[found.symbol],
        row=found.bar,
        used_utc=None if closed is None else when(closed),
        detail=found.detail,
        help=HELP[code],
    )
