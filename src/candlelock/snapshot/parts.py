"""One history out of files that each hold a part of it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa

from candlelock.contracts.errors import Problem, raise_if
from candlelock.snapshot import times
from candlelock.snapshot.raw_candles import TIME, RawCandles, is_newest_first, select_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    Dated = tuple[npt.NDArray[np.int64], RawCandles]

HELP_COLUMNS = "bring all parts into one format, with the same columns of the same types"


def join(parts: Sequence[RawCandles], place: str) -> RawCandles:
    """The rows of all parts in the order of their times, columns as of `raw_candles.select_columns`.

    Raises InputError for parts that overlap in time and for parts with other columns than the first.
    """
    chosen = [_oldest_first(select_columns(part)) for part in parts]
    dated = sorted(((_known_times(each), each) for each in chosen), key=lambda each: each[0].min(initial=times.END_NS))
    raise_if([*_overlaps(dated), *_other_columns(chosen)])
    ordered = [part for _, part in dated]
    table = pa.concat_tables([part.table for part in ordered])
    return RawCandles(place, has_lines=ordered[0].has_lines, table=table, parts=tuple(ordered))


def _oldest_first(part: RawCandles) -> RawCandles:
    return part.reversed() if is_newest_first(part.times_of(TIME)) else part


def _known_times(part: RawCandles) -> npt.NDArray[np.int64]:
    time_ns = part.times_of(TIME)
    known: npt.NDArray[np.int64] = time_ns[time_ns != times.UNKNOWN]
    return known


def _overlaps(dated: Sequence[Dated]) -> list[Problem]:
    problems = []
    for (before_ns, before), (after_ns, after) in pairwise(dated):
        if len(before_ns) and len(after_ns) and before_ns.max() >= after_ns.min():
            first, last = (part.place_of(row) for part, row in ((after, 0), (before, before.table.num_rows - 1)))
            found = f"{TIME} {after.value_at(TIME, 0)}; {last} has {before.value_at(TIME, before.table.num_rows - 1)}"
            help_line = "keep each candle in one of the files"
            problems.append(
                Problem("files-overlap", first, found, "parts of one history that do not overlap", help_line)
            )
    return problems


def _other_columns(parts: Sequence[RawCandles]) -> list[Problem]:
    first = parts[0]
    return [
        Problem(
            "files-parts", part.place, _listed(part), f"the columns of {first.place}: {_listed(first)}", HELP_COLUMNS
        )
        for part in parts[1:]
        if part.table.schema != first.table.schema
    ]


def _listed(part: RawCandles) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in part.table.schema)
