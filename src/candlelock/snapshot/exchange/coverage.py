"""What the answers add up to: pieces joined, every repeated candle compared, gaps checked by another answer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.snapshot.exchange.faults import DisagreementError
from candlelock.snapshot.exchange.span import Span
from candlelock.snapshot.raw_candles import TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from candlelock.snapshot.exchange.span import Times


@dataclass(frozen=True)
class Look:
    """Another look at doubtful runs: ask from `start_ms` on, and the candles known from there have to come again."""

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
    # slices share the pieces' memory, where a filter would copy all of it
    starts, ends = [0, *(again + 1).tolist()], [*again.tolist(), together.num_rows]
    return pa.concat_tables(together.slice(start, end - start) for start, end in zip(starts, ends, strict=True))


def plan_looks(known: Times, runs: Sequence[Span], n_rows: int, n_leading: int, n_skipped: int = 0) -> list[Look]:
    """Few looks that cover all runs, each from `n_leading` candles before its first run, as far as one answer reaches.

    Those candles have to come again: an answer that is cut short shows by them. Where there are fewer, a look starts
    with all of them but the first `n_skipped`; where there is none, a bar early, for exchanges that answer with what
    comes after the time asked for.
    """
    looks: list[Look] = []
    reach = -1
    for run in runs:
        if run.end_ms <= reach:
            looks[-1] = Look(looks[-1].start_ms, (*looks[-1].runs, run))
            continue
        at = int(np.searchsorted(known, run.start_ms))
        first = max(at - min(n_leading, n_rows - 1), min(n_skipped, at))
        is_next = at > 0 and int(known[at - 1]) == run.start_ms - run.bar_ms
        alone_ms = run.start_ms if is_next else run.start_ms - run.bar_ms
        looks.append(Look(int(known[first]) if is_next and first < at else alone_ms, (run,)))
        last = min(first + n_rows, len(known)) - 1
        reach = int(known[last]) if len(known) else -1  # what follows the last candle has a look of its own
    return looks


def confirm(look: Look, page: pa.Table, known: pa.Table) -> tuple[set[Span], Span | None]:
    """The runs that are by this answer too as they are known, and the span of its candles not known so far, if any.

    `page`: all candles of the answer, none before `look.start_ms`. A gap is confirmed by the candle after it, or at the
    end of all by an answer that ends with the last one known; candles are by themselves.
    Raises DisagreementError when the answer gives a known candle differently, lacks one before its own last, or adds
    nothing and lacks one up to the end of its first run.
    """
    known_ms, page_ms = times_of(known), times_of(page)
    last_ms = int(known_ms[-1]) if len(known_ms) else look.start_ms
    news = page_ms[~np.isin(page_ms, known_ms)]
    reach = int(page_ms[-1]) if len(page_ms) else look.start_ms
    if not len(news):
        reach = max(reach, min(look.runs[0].end_ms, last_ms))
    expected = np.flatnonzero((known_ms >= look.start_ms) & (known_ms <= reach))
    lost = expected[~np.isin(known_ms[expected], page_ms)]
    if len(lost):
        raise DisagreementError(int(known_ms[lost[0]]), _shown(known, int(lost[0]), ["close"]), "not there")
    _compare(known, expected, page, np.searchsorted(page_ms, known_ms[expected]))
    if len(news):
        bar_ms = look.runs[0].bar_ms
        return set(), Span(int(news[0]), int(news[-1]) + bar_ms, bar_ms)
    return {run for run in look.runs if min(run.end_ms, last_ms) <= reach}, None


def _first_ms(table: pa.Table) -> int:
    return int(times_of(table.slice(0, 1)).sum())


def _compare(one: pa.Table, rows: Times, other: pa.Table, other_rows: Times) -> None:
    """Row by row, in all columns, as numbers; the first difference is raised."""
    left, right = one.take(pa.array(rows)), other.take(pa.array(other_rows))
    if left.equals(right):
        return
    is_other = [np.asarray(pc.not_equal(left[name], right[name])) for name in left.column_names]
    for row in np.flatnonzero(np.any(is_other, axis=0)).tolist():
        names = [name for name in left.column_names if _number(left, name, row) != _number(right, name, row)]
        if names:
            raise DisagreementError(int(times_of(left)[row]), _shown(left, row, names), _shown(right, row, names))


def _number(table: pa.Table, name: str, row: int) -> Decimal:
    """1.50 is 1.5: an exchange may print a value with more or fewer zeros from one answer to the next."""
    return Decimal(table[name][row].as_py())


def _shown(table: pa.Table, row: int, names: Sequence[str]) -> str:
    return " ".join(f"{name} {table[name][row]}" for name in names)
