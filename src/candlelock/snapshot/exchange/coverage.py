"""What the answers add up to: pieces joined, every repeated candle compared, gaps checked by another answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from candlelock.contracts.documents import utc_text
from candlelock.snapshot.exchange.faults import BadAnswerError, DisagreementError
from candlelock.snapshot.raw_candles import TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from candlelock.snapshot.exchange.span import Span, Times


@dataclass(frozen=True)
class Look:
    """A second look at gaps: ask from `start_ms` on, and the candles known from there have to come again."""

    start_ms: int
    runs: tuple[Span, ...]


def times_of(table: pa.Table) -> Times:
    """Open times, int64 milliseconds."""
    return np.asarray(table[TIME], dtype=np.int64)


def join(pieces: Iterable[pa.Table]) -> pa.Table:
    """All candles of the pieces in time order, each once. Raises DisagreementError when a repeated one differs."""
    together = pa.concat_tables(sorted(pieces, key=_first_ms))
    times_ms = times_of(together)
    if (np.diff(times_ms) < 0).any():  # an answer that fills a gap overlaps its neighbours by more than a candle
        order = np.argsort(times_ms, kind="stable")
        together, times_ms = together.take(pa.array(order)), times_ms[order]
    again = np.flatnonzero(np.diff(times_ms) == 0) + 1
    _compare(together, again - 1, together, again)
    return together.filter(pa.array(np.concatenate([[True], np.diff(times_ms) != 0])[: len(times_ms)]))


def plan_looks(known: Times, runs: Sequence[Span], n_rows: int) -> list[Look]:
    """Few looks that cover all runs: each from the candle before its first run, over as many as one answer reaches."""
    looks: list[Look] = []
    reach = -1
    for run in runs:
        if run.end_ms <= reach:
            looks[-1] = Look(looks[-1].start_ms, (*looks[-1].runs, run))
            continue
        at = int(np.searchsorted(known, run.start_ms))
        looks.append(Look(int(known[at - 1]) if at else run.start_ms, (run,)))
        last = min(max(at - 1, 0) + n_rows, len(known)) - 1
        reach = int(known[last]) if len(known) else -1  # what follows the last candle has a look of its own
    return looks


def confirm(look: Look, page: pa.Table, known: pa.Table, n_rows: int) -> tuple[set[Span], pa.Table | None]:
    """The runs that are gaps by this answer too, and the answer itself if it holds candles not known so far.

    Raises BadAnswerError when the answer lacks known candles or says nothing of its first run, DisagreementError when
    it gives one differently.
    """
    known_ms, page_ms = times_of(known), times_of(page)
    reach = int(page_ms[-1]) if len(page_ms) else look.start_ms - 1
    if len(page_ms) < n_rows and (not len(known_ms) or reach >= known_ms[-1]):
        reach = look.runs[-1].end_ms  # a short answer that holds the last candle says that none follows
    expected = np.flatnonzero((known_ms >= look.start_ms) & (known_ms <= reach))
    at = np.searchsorted(page_ms, known_ms[expected])
    is_there = np.concatenate([page_ms, [-1]])[at] == known_ms[expected]
    if not is_there.all():
        lost = utc_text(int(known_ms[expected][~is_there][0]))
        raise BadAnswerError(f"the candle of {lost}, known from another answer, is not in this one")
    _compare(known, expected, page, at)
    if len(page_ms) > len(expected):
        return set(), page
    confirmed = {run for run in look.runs if run.end_ms <= reach}
    if not confirmed:
        raise BadAnswerError("it ends before the candle after a gap")
    return confirmed, None


def _first_ms(table: pa.Table) -> int:
    return int(times_of(table.slice(0, 1)).sum())


def _compare(one: pa.Table, rows: Times, other: pa.Table, other_rows: Times) -> None:
    """Row by row, in all columns; the first difference is raised."""
    left, right = one.take(pa.array(rows)), other.take(pa.array(other_rows))
    if left.equals(right):
        return
    row = next(row for row in range(len(rows)) if left.slice(row, 1) != right.slice(row, 1))
    raise DisagreementError(int(times_of(left)[row]), _shown(left, row), _shown(right, row))


def _shown(table: pa.Table, row: int) -> str:
    values = table.slice(row, 1).drop_columns([TIME]).to_pylist()[0]
    return " ".join(f"{name} {value}" for name, value in values.items())
