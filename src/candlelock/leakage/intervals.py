"""Label intervals of the parts of a split: none of one part meets one of another, and parts follow each other.

An interval goes from a row's decision to the time at which its label is known, both included. All symbols are looked
at together: what one knows of a time, another may tell.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.leakage_documents import Leak, LeakCheck
from candlelock.leakage.rows import leak_check, when
from candlelock.split.splitters import apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlelock.contracts.leakage_documents import LeakCode
    from candlelock.leakage.rows import LabelledRows, Mask

WHAT = "label intervals of every two parts of the split, all symbols together, embargo included, and the parts' order"
OVERLAP_HELP = "leave out rows whose label ends, embargo included, at or after the next part's first decision (purge)"
ORDER_HELP = "cut by time: what trains lies before what is validated, and that before what is tested"
END_HELP = "a label is known at the close of the last bar it looks at, after its decision"


def check_intervals(rows: LabelledRows, embargo_ms: int) -> LeakCheck:
    """A finding for each pair of parts whose labelled rows meet, and for each in the wrong order of time.

    The margin in the evidence is the time between the last label end of the earlier part and the first decision of the
    later one, in seconds.
    """
    findings, margins = list(_ends(rows)), {}
    pairs = list(combinations([n for n in range(len(rows.parts)) if rows.of_part(n).any()], 2))
    for one, other in pairs:
        earlier, later = rows.of_part(one), rows.of_part(other)
        name = f"{rows.parts[one]} before {rows.parts[other]}"
        margins[name] = float(rows.decision_ms[later].min() - rows.label_end_ms[earlier].max()) / 1000
        findings += _meeting(rows, name, earlier, later, embargo_ms)
        findings += _disordered(rows, name, earlier, later)
    evidence = {"margin_seconds": margins, "embargo_seconds": embargo_ms / 1000}
    return leak_check("intervals", WHAT, len(pairs), findings, evidence)


def _ends(rows: LabelledRows) -> Iterator[Leak]:
    early = np.flatnonzero(rows.is_known & (rows.label_end_ms <= rows.decision_ms))
    if len(early):
        row = _first(rows, early)
        detail = f"{len(early):,} labels end at or before their decision"
        yield _leak(rows, "label-end-early", "label end", row, rows.label_end_ms[row], rows.decision_ms[row], detail)


def _meeting(rows: LabelledRows, name: str, earlier: Mask, later: Mask, embargo_ms: int) -> Iterator[Leak]:
    starts, ends = rows.decision_ms, rows.label_end_ms
    meets = earlier.copy()
    meets[earlier] = ~apart(starts[earlier], ends[earlier], starts[later], ends[later], embargo_ms)
    if not meets.any():
        return
    row = _first(rows, np.flatnonzero(meets))
    touched = later & (starts <= ends[row] + embargo_ms) & (ends >= starts[row] - embargo_ms)
    other = _first(rows, np.flatnonzero(touched))
    detail = f"{int(meets.sum()):,} labels reach into decisions of the later part, or theirs into them"
    if embargo_ms:
        detail += f", embargo of {embargo_ms / 1000:g} s included"
    detail += f"; this one of {rows.symbol_at(row)} meets row {other} of {rows.symbol_at(other)}"
    yield _leak(rows, "label-overlap", name, row, ends[row], starts[other], detail)


def _disordered(rows: LabelledRows, name: str, earlier: Mask, later: Mask) -> Iterator[Leak]:
    begin = rows.decision_ms[later].min()
    after = np.flatnonzero(earlier & (rows.decision_ms > begin))
    if len(after):
        row = _first(rows, after)
        detail = f"{len(after):,} rows of the earlier part are decided after the later one begins"
        yield _leak(rows, "split-order", name, row, rows.decision_ms[row], begin, detail)


def _first(rows: LabelledRows, which: np.ndarray) -> int:
    """The earliest of some rows, by decision, then place."""
    return int(which[np.argmin(rows.decision_ms[which])])


def _leak(rows: LabelledRows, code: LeakCode, name: str, row: int, known_ms: int, used_ms: int, detail: str) -> Leak:
    helps: dict[LeakCode, str] = {"label-overlap": OVERLAP_HELP, "split-order": ORDER_HELP, "label-end-early": END_HELP}
    return Leak(
        code=code,
        subject=name,
        symbol=rows.symbol_at(row),
        row=row,
        known_utc=when(known_ms),
        used_utc=when(used_ms),
        detail=detail,
        help=helps[code],
    )
