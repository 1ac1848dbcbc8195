"""Violations as findings a user can act on: which row, what changed, how far away the cause lies, how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.causality.offsets import bars_ahead, bars_behind
from candlelock.contracts.causality_documents import CausalityFinding
from candlelock.contracts.documents import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from candlelock.causality.examination import Examination, Probe, Violation
    from candlelock.contracts.causality_documents import Code

MAX_FINDINGS = 50  # of a check that are listed
MAX_SOUGHT = 40  # features whose offset is sought, each in the first check that finds it at fault

HELP: Mapping[Code, str] = {
    "future-prefix": "use the row's own bar and earlier ones only: no negative shift, no statistic over all rows",
    "future-perturbed": "use the row's own bar and earlier ones only: no negative shift, no statistic over all rows",
    "lookback-longer": "raise warmup_bars to what the value looks back on, or take a window instead of all history",
    "live-differs": "keep nothing between calls, and use no more than the declared look-back",
    "not-yet-available": "use the last higher bar that has closed, and hold its value until the next one closes",
    "input-undeclared": "name the column in `inputs`, or do not read it",
    "process-state": "keep nothing between calls: no cache, no global, no file",
    "not-deterministic": "draw no random numbers without a seed, read no clock, keep nothing between calls",
    "candles-changed": "work on a copy: `frame = frame.copy()`",
    "plugin-error": "mend the function; it gets series of any length, with gaps, and NaN where there is no candle",
    "not-examined": "take more candles, or candles with the columns it needs",
    "table-differs": "rebuild the tables with `dvc repro`",
}
AHEAD: tuple[Code, ...] = ("future-prefix", "future-perturbed", "not-yet-available")
BEHIND: tuple[Code, ...] = ("lookback-longer",)


def describe_all(probe: Probe, sought: set[str]) -> list[CausalityFinding]:
    """The first findings of a check, in the order of the features. `sought`: features whose offset was, so far."""
    found = []
    for number, violation in sorted(probe.violations.items())[:MAX_FINDINGS]:
        name = probe.exam.entries[number].name
        is_sought = name not in sought and len(sought) < MAX_SOUGHT and violation.code in (*AHEAD, *BEHIND)
        sought |= {name} if is_sought else set()
        found.append(_describe(probe.exam, number, violation, is_sought))
    return found


def _describe(exam: Examination, number: int, found: Violation, is_sought: bool) -> CausalityFinding:
    offset = _offset(exam, number, found) if is_sought else None
    return CausalityFinding(
        code=found.code,
        feature=exam.entries[number].name,
        symbol=None if found.symbol is None else exam.market.symbols[found.symbol],
        time=None if found.bar is None else utc_text(exam.market.open_time_ms[found.bar]),
        offset_bars=offset,
        detail=found.detail + _where(offset, int(exam.warmup[number])),
        help=HELP[found.code],
    )


def _offset(exam: Examination, number: int, found: Violation) -> int | None:
    """Bars to the nearest candle that mattered after the row, or to the furthest one before the look-back, below 0."""
    seek: Callable[[Examination, int, int, int], int | None] | None = None
    seek = bars_ahead if found.code in AHEAD else bars_behind if found.code in BEHIND else None
    if seek is None or found.symbol is None or found.bar is None:
        return None
    distance = seek(exam, number, found.symbol, found.bar)
    return -distance if distance and found.code in BEHIND else distance


def _where(offset: int | None, warmup: int) -> str:
    if offset is None:
        return ""
    if offset > 0:
        return f"; the first later candle that matters is {offset} bar{'s' * (offset > 1)} after the row"
    return f"; candles {-offset} bars before the row matter, its look-back is {warmup}"
