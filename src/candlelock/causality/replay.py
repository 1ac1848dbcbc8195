"""Checks that a value depends on no bar before its declared look-back: rows built from those bars alone.

Two ways. Consecutive rows are built from nothing: a series that starts `warmup` bars before the row. Rows after gaps,
and others, are built after drawn candles that stand right before the look-back: what a value carries over a gap, or
from an age that the series has and the look-back has not, shows here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.artifacts import seeds
from candlelock.causality.cuts import densest_gaps, gap_edges
from candlelock.causality.examination import Built
from candlelock.causality.offsets import REACHES, altered_by
from candlelock.causality.other_candles import between, replaced
from candlelock.contracts.documents import utc_text
from candlelock.features.market import first_bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from candlelock.causality.comparison import Mask
    from candlelock.causality.examination import Examination, Numbers, Probe
    from candlelock.contracts.stage_params import CausalityParams
    from candlelock.features.market import Market

REPLAY = (
    "consecutive rows built from the declared look-back alone, and rows after gaps, and others, built from it with "
    "drawn candles right before it, against the build of all candles"
)
CALL_VALUES = 20_000  # what a build costs besides its values, counted in values
PLUGIN_CALL_VALUES = 500_000  # the same for each symbol, where a plug-in's function is called
SMALLEST_CLASS = 4  # bits of a look-back: all below 16 bars are one class
N_DRAWN = 3  # drawn candles before a look-back


@dataclass(frozen=True)
class Class:
    """Features of one unit of code whose look-backs are alike: built together, `n_bars` bars at a time."""

    unit: str
    which: Numbers
    n_bars: int

    def cost(self, n_symbols: int) -> int:
        """What one row costs, in values."""
        fixed = PLUGIN_CALL_VALUES * n_symbols if self.unit else CALL_VALUES
        return fixed + self.n_bars * n_symbols * len(self.which)


def check_replay(probe: Probe, settings: CausalityParams) -> dict[str, Any]:
    """Replay every class within the budget, then single rows of every look-back. Evidence: rows of each class."""
    exam = probe.exam
    classes = _classes(exam)
    listed: list[dict[str, Any]] = []
    for done, each in enumerate(classes):
        n_rows = _affordable(exam, each, classes, settings)
        listed.append(_replay_rows(probe, each, min(settings.n_replay_rows, n_rows)))
        probe.progress(0.7 * (done + 1) / len(classes))
    rows, lookbacks = _single_rows(exam, settings.n_gap_rows), _lookbacks(exam)
    for done, each in enumerate(lookbacks):
        _replay_after_others(probe, each, rows[: _affordable(exam, each, lookbacks, settings)])
        probe.progress(0.7 + 0.3 * (done + 1) / len(lookbacks))
    _tell_future_from_past(probe)
    return {"rows_from_nothing": listed, "rows_after_drawn_candles": len(rows), "n_lookbacks": len(lookbacks)}


def _affordable(exam: Examination, each: Class, classes: Sequence[Class], settings: CausalityParams) -> int:
    """Rows of a class within the budget, of which the library's features have one and plug-ins another."""
    alike = [other.cost(len(exam.market.symbols)) for other in classes if bool(other.unit) == bool(each.unit)]
    return max(settings.max_replay_values // sum(alike), settings.min_replay_rows)


def _classes(exam: Examination) -> list[Class]:
    """Features grouped by unit and by the size of their look-backs, which differ by less than a factor of two."""
    found = []
    for unit, which in exam.units(exam.everything).items():
        sizes = np.array([max(SMALLEST_CLASS, int(bars).bit_length()) for bars in exam.warmup[which]])
        for size in np.unique(sizes):
            chosen = which[sizes == size]
            found.append(Class(unit, chosen, int(exam.warmup[chosen].max()) + 1))
    return found


def _lookbacks(exam: Examination) -> list[Class]:
    """Features grouped by unit and by their exact look-back."""
    return [
        Class(unit, which[exam.warmup[which] == bars], int(bars) + 1)
        for unit, which in exam.units(exam.everything).items()
        for bars in np.unique(exam.warmup[which])
    ]


def _replay_rows(probe: Probe, each: Class, n_rows: int) -> dict[str, Any]:
    """Series that start at consecutive bars, each `n_bars` long; a feature is compared from its own look-back on."""
    exam = probe.exam
    warmup = exam.warmup[each.which]
    n_starts = max(min(n_rows, exam.n_bars - int(warmup.min()) - 1), 0)
    latest = max(exam.n_bars - each.n_bars - n_starts, 0)
    begin = min(max(densest_gaps(exam.market, n_starts) - each.n_bars, 0), latest)
    for start in range(begin, begin + n_starts):
        market = between(exam.market, start, start + each.n_bars)
        built = probe.build(market, each.which)
        usable = _usable(exam, market, built)
        note = f"in a series that begins at {utc_text(market.open_time_ms[0])}"
        probe.compare(built, start, "lookback-longer", note, usable)
    return {
        "features": "library" if not each.unit else each.unit,
        "n_features": len(each.which),
        "warmup_bars": [int(warmup.min()), int(warmup.max())],
        "n_consecutive_bars": n_starts,
        "n_rows": n_starts * len(exam.market.symbols),
        "first_start_utc": utc_text(exam.market.open_time_ms[begin]),
    }


def _usable(exam: Examination, market: Market, built: Built) -> Mask:
    """From where on a series that begins here has values: the look-back after each symbol's first candle in it."""
    first = exam.known_from(market, built.which)
    return np.asarray(np.arange(len(market.open_time_ms)) >= first[:, :, None])


def _single_rows(exam: Examination, n_rows: int) -> list[int]:
    """First candles after gaps and the bars after them, filled up with rows at random."""
    random = np.random.default_rng(seeds.derive(exam.seed, "replay"))
    after = gap_edges(exam.market)[1] + 1
    near = np.unique(np.concatenate([random.permutation(after)[: n_rows // 3] + step for step in (0, 1)]))
    near = near[near < exam.n_bars]
    rest = np.setdiff1d(np.arange(1, exam.n_bars), near)
    chosen = np.concatenate([near, random.permutation(rest)[: max(n_rows - len(near), 0)]])
    return [int(bar) for bar in random.permutation(chosen)]


def _replay_after_others(probe: Probe, each: Class, rows: list[int]) -> None:
    """Single rows from their exact look-back, with drawn candles before it for symbols that were there by then."""
    exam = probe.exam
    listed = first_bars(exam.market)
    for turn, bar in enumerate(rows):
        start = bar + 1 - each.n_bars
        if start < 1:
            continue
        first = max(start - N_DRAWN, 0)
        market = between(exam.market, first, bar + 1)
        there = np.flatnonzero(listed < start).tolist()
        seed = seeds.derive(exam.seed, f"replay/{turn}")
        built = probe.build(replaced(market, 0, start - first, seed, there), each.which)
        last = Built(built.which, [values[:, -1:] for values in built.values])
        note = f"with drawn candles before its look-back of {each.n_bars - 1} bars"
        probe.compare(last, bar, "lookback-longer", note)


def _tell_future_from_past(probe: Probe) -> None:
    """A replayed series ends soon after its row: where later candles are to blame, the violation says so."""
    for number, found in list(probe.violations.items()):
        if found.symbol is None or found.bar is None:
            continue
        if altered_by(probe.exam, number, found.symbol, found.bar, REACHES[0]):
            probe.violations[number] = replace(found, code="future-prefix")
