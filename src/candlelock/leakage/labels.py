"""Labels of a table: each with its end, and none made up where nothing could be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.leakage_documents import Leak
from candlelock.leakage.rows import LEFT_OUT, leak_check, when

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlelock.contracts.leakage_documents import LeakCheck
    from candlelock.leakage.rows import LabelledRows, Mask, Times

ENDS = "every label has the time at which it is known"
FILLED = "labels that end after the symbol's last row, or where it has none, against the others"
ENDS_HELP = "give the time of the last price that the label looks at; without one nobody can tell what it overlaps"
FILLED_HELP = (
    "keep unknown labels null, and leave their rows out: a comparison with a missing price is false, which is no 0"
)
MIN_ROWS = 3
MAX_CHANCE = 1e-4
REGULAR_SHARE = 0.8  # of the steps that are about one bar: only then is a longer one a hole
SLACK = 0.25  # of a bar, between a label end and the row that it falls on


def check_label_ends(rows: LabelledRows, label: npt.NDArray[np.float64]) -> LeakCheck:
    """A finding when rows of a part have a label, (n_rows,) with NaN for unknown, but no label end."""
    in_part = ~np.isnan(label) & (rows.part != LEFT_OUT)
    missing = np.flatnonzero(in_part & ~rows.is_known)
    findings = []
    if len(missing):
        row = int(missing[np.argmin(rows.decision_ms[missing])])
        findings.append(
            Leak(
                code="label-end-missing",
                subject="label end",
                symbol=rows.symbol_at(row),
                row=row,
                used_utc=when(rows.decision_ms[row]),
                detail=f"{len(missing):,} rows of a part have a label but no label end, and are not looked at further",
                help=ENDS_HELP,
            )
        )
    return leak_check("missing ends", ENDS, int(in_part.sum()), findings)


def check_filled(rows: LabelledRows, label: npt.NDArray[np.float64]) -> LeakCheck:
    """A finding when labels that the table's own candles cannot tell all have one value, by no likely chance.

    Three sets are tried: labels with no row of their symbol at their end, as where rows are decided at closes; with
    none a bar before, as where they are at opens; and those with a hole in their window or their end beyond the last
    row. Event tables, whose steps are not mostly one bar, have an end but no holes. A table whose unknown rows were
    dropped has such labels too, but honest ones.

    The null model: labels of neighbouring rows overlap and symbols move together, so that rows are not independent;
    stretches of neighbouring times are. At how many of the other times do all labels of the stretch's symbols have the
    value, and how often does the next time have it again? A stretch of n times has the larger chance of what a chain
    with these two rates gives and of the share of n times in a row, elsewhere, that have it. Chances of stretches are
    multiplied; below MAX_CHANCE is a finding. One stretch of a common value is therefore none.
    """
    usable = rows.is_known & (rows.part != LEFT_OUT) & ~np.isnan(label)
    findings: list[Leak] = []
    evidence: dict[str, object] = {}
    sets = _unknowable(rows)
    for name, unknowable in sets.items():
        chosen = unknowable & usable
        chance, value = _chance(rows, label, usable, chosen)
        evidence[name] = {"n_rows": int(chosen.sum()), "value": value, "chance": chance}
        if chance < MAX_CHANCE and not findings:
            findings.append(_filled(rows, np.flatnonzero(chosen), float(value or 0), chance))
    return leak_check(
        "filled labels", FILLED, int((np.any(list(sets.values()), axis=0) & usable).sum()), findings, evidence
    )


def _filled(rows: LabelledRows, which: npt.NDArray[np.intp], value: float, chance: float) -> Leak:
    row = int(which[np.argmin(rows.decision_ms[which])])
    return Leak(
        code="label-filled",
        subject="label",
        symbol=rows.symbol_at(row),
        row=row,
        known_utc=when(rows.label_end_ms[row]),
        used_utc=when(rows.decision_ms[row]),
        detail=f"all {len(which):,} labels that end where their symbol has no row are {value:g}; "
        f"the odds of that are {'below ' if chance < 1e-12 else ''}{max(chance, 1e-12):.1g}",
        help=FILLED_HELP,
    )


def _unknowable(rows: LabelledRows) -> dict[str, Mask]:
    """Labels that a symbol's own rows cannot tell, by what is missing."""
    at_end, before_end, over = np.zeros((3, len(rows.decision_ms)), dtype=bool)
    order = np.lexsort((rows.decision_ms, rows.symbol))
    for which in np.split(order, np.flatnonzero(np.diff(rows.symbol[order])) + 1):
        times, ends = rows.decision_ms[which], rows.label_end_ms[which]
        steps = np.diff(times)
        if len(which) < MIN_ROWS or not (steps > 0).any():
            continue
        bar = float(np.median(steps[steps > 0]))
        over[which] = ends > times[-1] + (1 + SLACK) * bar
        if np.mean(np.abs(steps - bar) <= SLACK * bar) < REGULAR_SHARE:
            continue
        at_end[which], before_end[which] = _is_missing(times, ends, bar), _is_missing(times, ends - int(bar), bar)
        holes = np.append(0, np.cumsum(steps > 1.5 * bar))
        last = np.maximum(np.searchsorted(times, ends, side="right") - 1, 0)
        over[which] |= holes[last] > holes[np.arange(len(which))]
    return {"no row at the end": at_end, "no row a bar before": before_end, "hole in the window": over}


def _is_missing(times: Times, wanted: Times, bar: float) -> Mask:
    """Which wanted times have none near them; `times` ascend."""
    after = np.minimum(np.searchsorted(times, wanted), len(times) - 1)
    near = np.minimum(np.abs(times[after] - wanted), np.abs(times[np.maximum(after - 1, 0)] - wanted))
    is_missing: Mask = near > SLACK * bar
    return is_missing


@dataclass(frozen=True)
class _Marks:
    """Whether the labels at each time and of each symbol have the value: (n_times, n_symbols), true where unknown."""

    has_value: Mask
    is_known: Mask

    def chance(self, n_times: int, symbols: npt.NDArray[np.int64]) -> float:
        """Of so many times in a row at which all labels of these symbols have the value."""
        is_all = np.all(self.has_value[:, symbols], axis=1)[np.any(self.is_known[:, symbols], axis=1)]
        if len(is_all) < 2:
            return 1.0
        share = float(is_all.mean())
        again = (float((is_all[1:] & is_all[:-1]).sum()) + share) / (float(is_all[:-1].sum()) + 1)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], is_all, [False]]).astype(np.int8)))
        lengths = edges[1::2] - edges[::2]
        n_seen = int(np.maximum(lengths - n_times + 1, 0).sum())
        return max(share * again ** (n_times - 1), n_seen / max(len(is_all) - n_times + 1, 1))


def _chance(
    rows: LabelledRows, label: npt.NDArray[np.float64], usable: Mask, chosen: Mask
) -> tuple[float, float | None]:
    """Chance of one value in all chosen rows, and the value; 1 where they differ or are too few."""
    values = np.unique(label[chosen])
    if chosen.sum() < MIN_ROWS or len(values) != 1:
        return 1.0, None
    times = np.unique(rows.decision_ms[usable])
    marks = _marks(rows, usable & ~chosen, label == values[0], times)
    chances = [marks.chance(n_times, symbols) for n_times, symbols in _stretches(rows, chosen, times)]
    return float(np.prod(chances)), float(values[0])


def _marks(rows: LabelledRows, others: Mask, has_value: Mask, times: Times) -> _Marks:
    shape = (len(times), len(rows.symbols))
    marks = _Marks(np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool))
    at = np.searchsorted(times, rows.decision_ms[others]), rows.symbol[others]
    marks.has_value[at] = has_value[others]
    marks.is_known[at] = True
    return marks


def _stretches(rows: LabelledRows, chosen: Mask, times: Times) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """How many neighbouring times each stretch of chosen rows has, and of which symbols."""
    which = np.flatnonzero(chosen)
    at = np.searchsorted(times, rows.decision_ms[which])
    order = np.argsort(at, kind="stable")
    for stretch in np.split(order, np.flatnonzero(np.diff(at[order]) > 1) + 1):
        yield len(np.unique(at[stretch])), np.unique(rows.symbol[which[stretch]])
