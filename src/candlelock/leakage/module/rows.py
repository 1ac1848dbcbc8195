"""Single rows of features that declare no look-back, each looked at for what follows it right away.

Whole prefixes, cut at a few times, miss a feature that peeks one bar ahead at one row in five hundred. Here the candles
right after a row are others, and the row is looked at; how many rows one build can look at follows from how far back
the values reach, which is measured first. A value that differs is built once more with the real past before it: only if
it still differs is a later candle to blame. Running sums carry rounding along for ever, so that what counts as a
difference is a thousand times coarser here than in the other checks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.artifacts import seeds
from candlelock.causality.comparison import differences
from candlelock.causality.examination import Violation, as_text
from candlelock.causality.other_candles import between, replaced
from candlelock.contracts.documents import utc_text
from candlelock.leakage.module.candles import candles_elsewhere, mixed, unusual_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from candlelock.causality.examination import Built, Examination, Numbers, Probe
    from candlelock.features.market import Market
    from candlelock.leakage.module.candles import Bars

    Time = Callable[[], bool]

ROWS = (
    "values at single rows, unusual ones first, with the candles right after them replaced by others, larger and "
    "smaller ones, against the build of the real candles"
)
COARSER = 1_000  # the room for rounding, in that of the other checks
UNKNOWN = -1  # a reach of all history, or not known
N_STARTS, MIN_STARTS = 6, 2
SIZES = (3.0, 1 / 3)
MIN_BLOCK = 24  # bars that are replaced after a row
MOST_TRIED_AGAIN = 24  # differing rows of a feature whose own past is to blame, before its reach counts as unknown
AGAIN_AT_ONCE = 4


@dataclass
class RowSearch:
    """What was found of each feature of an examination, by number.

    `look_back`: bars before a row that its value depends on, UNKNOWN where that is all history. `n_rows`: known values
    at rows that were looked at.
    """

    look_back: Numbers
    reach: Numbers  # the same for replaced candles alone, not for missing ones
    n_rows: Numbers
    misses: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Task:
    """Features whose values reach no further back than `reach` bars, n_bars where that is unknown."""

    probe: Probe
    reach: int
    others: tuple[Market, Market]
    is_large: npt.NDArray[np.bool_]  # of each bar, which of the two others replaces what follows it

    @property
    def exam(self) -> Examination:
        return self.probe.exam

    @property
    def n_block(self) -> int:
        return MIN_BLOCK + min(self.reach, self.exam.n_bars // 4) // 4

    @property
    def spacing(self) -> int:
        """Bars between two rows of one build, so that none has another's replaced candles in its reach."""
        return min(self.reach + self.n_block + 1, self.exam.n_bars)


def check_rows(probe: Probe, seconds_left: Callable[[float], Time]) -> RowSearch:
    """Measure the look-backs, then look at as many rows as there is time for.

    `seconds_left(share)`: a function that is true until that share of the time for this search, from now on, is over.
    """
    exam = probe.exam
    search = _measure(probe, seconds_left(0.2))
    others = candles_elsewhere(exam.market, exam.seed)
    is_large = np.random.default_rng(seeds.derive(exam.seed, "rows")).random(exam.n_bars) < 0.5
    known = np.array([number for number in _left(probe, exam.everything) if search.reach[number] != UNKNOWN], np.int64)
    reach = int(search.reach[known].max(initial=0))
    has_others = len(known) < len(_left(probe, exam.everything))
    if len(known):
        task = _Task(probe, reach + reach // 8 + 2, others, is_large)
        _look(task, search, known, seconds_left(0.4 if has_others else 0.8))
    unknown = [number for number in _left(probe, exam.everything) if search.reach[number] == UNKNOWN]
    if unknown:
        _look(_Task(probe, exam.n_bars, others, is_large), search, np.array(unknown, np.int64), seconds_left(0.4))
    return search


def _left(probe: Probe, which: Numbers) -> list[int]:
    return [number for number in which.tolist() if number not in probe.violations]


def _measure(probe: Probe, is_time: Time) -> RowSearch:
    """How far back values reach: until when they differ after candles before a bar are others, or gone."""
    exam = probe.exam
    nothing = np.zeros(len(exam.entries), dtype=np.int64)
    search = RowSearch(nothing.copy(), nothing.copy(), nothing.copy())
    random = np.random.default_rng(seeds.derive(exam.seed, "look-back"))
    starts = np.sort(random.integers(exam.n_bars // 6, max(exam.n_bars * 3 // 5, exam.n_bars // 6 + 1), N_STARTS))
    for turn, start in enumerate(starts.tolist()):
        if turn >= MIN_STARTS and not is_time():
            break
        for size in SIZES:
            market = replaced(exam.market, 0, start, seeds.derive(exam.seed, f"look-back/{turn}"), size=size)
            _widen(search.reach, _bars_until_same(probe, market, 0, start))
        _widen(search.look_back, _bars_until_same(probe, between(exam.market, start, exam.n_bars), start, start))
    search.reach[search.reach > exam.n_bars // 3] = UNKNOWN
    _widen(search.look_back, search.reach)
    return search


def _widen(so_far: Numbers, found: Numbers) -> None:
    so_far[:] = np.where((so_far == UNKNOWN) | (found == UNKNOWN), UNKNOWN, np.maximum(so_far, found))


def _bars_until_same(probe: Probe, market: Market, first: int, start: int) -> Numbers:
    """Bars from the last one before `start` to the last value that differs; UNKNOWN where they differ to the end."""
    exam, found = probe.exam, np.full(len(probe.exam.entries), UNKNOWN, dtype=np.int64)
    built = probe.build(market, np.array(_left(probe, exam.everything), dtype=np.int64))
    for number, values in zip(built.which.tolist(), built.values, strict=True):
        now, before = values[None, :, start - first :], exam.values[[number], :, start:]
        is_other = differences(now, before, exam.tolerance[[number]])
        known = np.flatnonzero(~np.isnan(before).all(axis=(0, 1)))
        last = -1 if is_other is None else int(np.flatnonzero(is_other.any(axis=(0, 1)))[-1])
        end = int(known[-1]) if len(known) else 0
        is_all = last >= end - (exam.n_bars - start) // 10 and last >= 0
        found[number] = UNKNOWN if is_all else last + 1
    return found


def _look(task: _Task, search: RowSearch, which: Numbers, is_time: Time) -> None:
    """Look at row after row, each twice, before larger candles and before smaller ones."""
    exam, seen = task.exam, np.zeros(task.exam.n_bars, dtype=bool)
    for is_large in (task.is_large, ~task.is_large):
        for rows in _turns(exam, task.spacing):
            left = np.array(_left(task.probe, which), dtype=np.int64)
            left = left[[search.misses.get(number, 0) < MOST_TRIED_AGAIN for number in left.tolist()]]
            if not is_time() or not len(left):
                break
            _look_at(task, search, left, rows, is_large)
            seen[rows] = True
    counted = (~np.isnan(exam.values[which]) & seen).sum(axis=(1, 2))
    search.n_rows[which] += counted
    for number in [number for number, n_misses in search.misses.items() if n_misses >= MOST_TRIED_AGAIN]:
        search.reach[number], search.n_rows[number] = UNKNOWN, 0
        search.misses.pop(number)


def _turns(exam: Examination, spacing: int) -> Iterator[Bars]:
    """Rows of one build after another, `spacing` apart: the unusual ones, then all."""
    random = np.random.default_rng(seeds.derive(exam.seed, "turns"))
    waiting = unusual_bars(exam.market, random).tolist()
    while waiting:
        chosen: list[int] = []
        rest: list[int] = []
        for bar in waiting:
            is_free = all(abs(bar - other) >= spacing for other in chosen)
            (chosen if is_free else rest).append(bar)
        waiting = rest
        yield np.sort(np.array(chosen, dtype=np.int64))
    for offset in random.permutation(min(spacing, exam.n_bars - 1)).tolist():
        yield np.arange(offset, exam.n_bars - 1, spacing)


def _look_at(task: _Task, search: RowSearch, which: Numbers, rows: Bars, is_large: npt.NDArray[np.bool_]) -> None:
    """Build with other candles after each of the rows and compare what the others cannot have reached from before."""
    exam = task.exam
    market, is_other_bar = _with_others(task, rows, is_large)
    built = task.probe.build(market, which)
    n_others = np.concatenate([[0], np.cumsum(is_other_bar)])
    bars = np.arange(len(is_other_bar))
    is_clean = n_others[bars + 1] == n_others[np.maximum(bars - task.reach, 0)]
    is_clean &= bars <= rows[-1]
    for number, now in zip(built.which.tolist(), built.values, strict=True):
        before = exam.values[number, :, : len(bars)]
        task.probe.n_compared[number] += int((is_clean & ~np.isnan(before)).sum())
        is_other = differences(now[None], before[None], exam.tolerance[[number]])
        if is_other is not None and (is_other[0] & is_clean).any():
            _try_again(task, search, number, np.argwhere((is_other[0] & is_clean).T), rows, is_large)


def _with_others(task: _Task, rows: Iterable[int], is_large: npt.NDArray[np.bool_]) -> tuple[Market, Bars]:
    """The market with other candles after each of the rows, up to the last of them; and where they stand."""
    n_bars = task.exam.n_bars
    kinds = np.zeros(n_bars, dtype=np.int64)
    end = 0
    for row in rows:
        end = min(row + 1 + task.n_block, n_bars)
        kinds[row + 1 : end] = 1 if is_large[row] else 2
    return between(mixed(task.exam.market, task.others, kinds), 0, end), kinds[:end] != 0


def _try_again(
    task: _Task, search: RowSearch, number: int, places: Bars, rows: Bars, is_large: npt.NDArray[np.bool_]
) -> None:
    """Build differing rows with the real past and other candles after them alone; what differs still sees them."""
    exam = task.exam
    for bar, symbol in places[:AGAIN_AT_ONCE].tolist():
        row = int(rows[np.searchsorted(rows, bar)])
        market, _ = _with_others(task, [row], is_large)
        built: Built = task.probe.build(market, np.array([number]))
        if not built.values:
            return
        now, before = built.values[0][symbol, bar : bar + 1], exam.values[number, symbol, bar : bar + 1]
        if exam.differ(number, now, before):
            said = f"{as_text(before[0])} became {as_text(now[0])}"
            note = f"with other candles after {utc_text(exam.market.open_time_ms[row])}: {said}"
            task.probe.violate(number, Violation("future-perturbed", symbol, bar, note))
            return
        search.misses[number] = search.misses.get(number, 0) + 1
