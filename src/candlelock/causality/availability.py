"""Checks of `available_at` and `inputs`: values wait for their higher bar, and read no column they do not declare."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from candlelock.artifacts import seeds
from candlelock.causality.comparison import PLUGIN_RTOL, differences, spread
from candlelock.causality.examination import Violation, as_text
from candlelock.causality.other_candles import between, replaced, scrambled, shifted
from candlelock.contracts.documents import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from candlelock.causality.examination import Built, Examination, Numbers, Probe
    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Market

AVAILABILITY = (
    "features of a higher bar: the same value at every row until the next higher bar has closed, and none changes with "
    "candles of the unfinished one"
)
INPUTS = (
    "columns that a feature does not declare as inputs drawn anew throughout: its own symbol's, all of the other "
    "symbols', and the open time, which is moved by bars of the feature's clock"
)
EXAMINED_BARS = 5_000  # so many of the latest bars, besides the longest look-back
MAX_KEPT = 6  # symbols that are kept, one at a time, while all others are drawn anew
SHIFT = 37  # bars, of a feature's own clock: no whole number of days, so that hours and weekdays move as well


def higher_bars(entry: Feature) -> int:
    """Bars in the higher bar that the feature waits for; 1 when it is known at its own close."""
    found = re.fullmatch(r"x([0-9]+)_close", entry.available_at)
    return int(found[1]) if found else 1


def check_availability(probe: Probe, n_points: int) -> dict[str, Any]:
    """Compare within and before `n_points` unfinished higher bars. Evidence: of each size, features and bars tried."""
    exam = probe.exam
    sizes = np.array([higher_bars(entry) for entry in exam.entries])
    tried: dict[str, Any] = {}
    for size in np.unique(sizes[sizes > 1]).tolist():
        which = np.flatnonzero(sizes == size)
        for number in which.tolist():
            _check_held(probe, number, size)
        starts = _unfinished(exam, which, size, n_points)
        for done, start in enumerate(starts):
            _check_unfinished(probe, which, size, start)
            probe.progress((done + 1) / len(starts))
        tried[f"x{size}"] = {"n_features": len(which), "n_unfinished_bars": len(starts)}
    return tried


def _check_held(probe: Probe, number: int, size: int) -> None:
    """The value at a row is that of the row before, unless a higher bar has closed with this one."""
    exam = probe.exam
    last_closed = (exam.market.open_time_ms // exam.market.bar_ms + 1) // size
    first = exam.known_from(exam.market, np.array([number]))[0]
    for symbol, is_there in enumerate(exam.market.has_bar):
        rows = np.flatnonzero(is_there)
        rows = rows[rows >= first[symbol]]
        values = exam.values[number, symbol, rows]
        now, before = values[None, None, 1:], values[None, None, :-1]
        is_same = last_closed[rows[1:]] == last_closed[rows[:-1]]
        probe.n_compared[number] += int((is_same & ~np.isnan(values[1:])).sum())
        is_other = differences(now, before, exam.tolerance[[number]])
        if is_other is not None and (moved := np.flatnonzero(is_other[0, 0] & is_same)).size:
            row = int(moved[0])
            said = f"{as_text(values[row])} became {as_text(values[row + 1])}"
            detail = f"changes before the bar of {size} bars has closed: {said}"
            probe.violate(number, Violation("not-yet-available", symbol, int(rows[row + 1]), detail))


def _unfinished(exam: Examination, which: Numbers, size: int, n_points: int) -> list[int]:
    """First bars of higher bars, at random, with a look-back before them."""
    number = exam.market.open_time_ms // exam.market.bar_ms
    starts = np.flatnonzero(number % size == 0)
    starts = starts[(starts > int(exam.warmup[which].max())) & (starts + size <= exam.n_bars)]
    random = np.random.default_rng(seeds.derive(exam.seed, f"availability/{size}"))
    return sorted(random.permutation(starts)[:n_points].tolist())


def _check_unfinished(probe: Probe, which: Numbers, size: int, start: int) -> None:
    """Candles of a higher bar that has not closed are replaced; rows until then, and all before, stay."""
    exam = probe.exam
    first, end = max(start - int(exam.warmup[which].max()) - 1, 0), start + size - 1
    market = between(exam.market, first, end)
    drawn = replaced(market, start - first, end - first, seeds.derive(exam.seed, f"availability/{start}"))
    real, now = probe.build(market, which), probe.build(drawn, which)
    note = f"with other candles from {utc_text(exam.market.open_time_ms[start])} on, in a bar of {size} bars"
    probe.compare(now.shared_with(real), first, "not-yet-available", note, None, real.shared_with(now))


def check_inputs(probe: Probe) -> dict[str, Any]:
    """Scramble what is not declared, on the latest bars. Evidence: the columns left alone, and symbols kept."""
    exam = probe.exam
    first = exam.n_bars - min(exam.n_bars, exam.longest + EXAMINED_BARS)
    market = between(exam.market, first, exam.n_bars)
    own, others = _grouped(exam, _own), _grouped(exam, _of_others)
    n_steps, kept_symbols = len(own) + len(others) + 1, _kept_symbols(exam)
    for done, (kept, which) in enumerate(own.items()):
        seed = seeds.derive(exam.seed, f"inputs/{sorted(kept)}")
        free = sorted(set(market.columns()) - kept)
        drawn = scrambled(market, free, range(len(market.symbols)), seed)
        _compare_since(probe, probe.build(market, which), drawn, first, f"with other values of {', '.join(free)}")
        probe.progress((done + 1) / n_steps)
    for done, (kept, which) in enumerate(others.items()):
        _check_others(probe, probe.build(market, which), kept, kept_symbols, market, first)
        probe.progress((len(own) + done + 1) / n_steps)
    return {
        "columns_left_alone": [sorted(kept) for kept in own],
        "columns_of_others_left_alone": [sorted(kept) for kept in others],
        "symbols_kept": [exam.market.symbols[symbol] for symbol in kept_symbols],
        "n_features_moved_in_time": _check_open_time(probe, market, first),
        "first_open_utc": utc_text(exam.market.open_time_ms[first]),
    }


def _own(entry: Feature) -> frozenset[str]:
    return frozenset(name.removeprefix("market.") for name in entry.inputs)


def _of_others(entry: Feature) -> frozenset[str]:
    return frozenset(name.removeprefix("market.") for name in entry.inputs if name.startswith("market."))


def _grouped(exam: Examination, key: Callable[[Feature], frozenset[str]]) -> dict[frozenset[str], Numbers]:
    """Features by the columns left alone for them."""
    found: dict[frozenset[str], list[int]] = {}
    for number, entry in enumerate(exam.entries):
        found.setdefault(key(entry), []).append(number)
    return {kept: np.array(numbers) for kept, numbers in sorted(found.items(), key=lambda item: sorted(item[0]))}


def _kept_symbols(exam: Examination) -> list[int]:
    n_symbols = len(exam.market.symbols)
    if n_symbols < 2:
        return []
    random = np.random.default_rng(seeds.derive(exam.seed, "inputs"))
    return sorted(random.permutation(n_symbols)[:MAX_KEPT].tolist())


def _check_others(
    probe: Probe, real: Built, kept: frozenset[str], symbols: Sequence[int], market: Market, first: int
) -> None:
    """Each of `symbols` with other candles of all the others; gaps move too where nothing of the others is declared."""
    free = sorted(set(market.columns()) - kept)
    names = f" but for {', '.join(sorted(kept))}" if kept else ""
    for symbol in symbols:
        seed = seeds.derive(probe.exam.seed, f"inputs/{symbol}/{sorted(kept)}")
        others = [row for row in range(len(market.symbols)) if row != symbol]
        if kept:
            drawn = scrambled(market, free, others, seed)
        else:
            drawn = replaced(market, 0, len(market.open_time_ms), seed, others, gap_share=0.1)
        _compare_since(probe, real, drawn, first, f"with other values of all other symbols{names}", symbol)


def _check_open_time(probe: Probe, market: Market, first: int) -> int:
    """Features that do not declare the open time, on the same candles at another time; how many there are.

    A window may be summed in blocks that are cut at fixed times, and rounding then differs: bits are not compared here.
    """
    exam = probe.exam
    room = np.array([PLUGIN_RTOL * spread(values) for values in exam.values])
    sizes = np.array([0 if "open_time" in _own(entry) else higher_bars(entry) for entry in exam.entries])
    for size in np.unique(sizes[sizes > 0]).tolist():
        real = probe.build(market, np.flatnonzero(sizes == size))
        now = probe.build(shifted(market, SHIFT * size), real.which)
        note = f"with all candles {SHIFT * size} bars later"
        against = real.shared_with(now)
        probe.compare(now.shared_with(real), first, "input-undeclared", note, against=against, tolerance=room)
    return int((sizes > 0).sum())


def _compare_since(probe: Probe, real: Built, drawn: Market, first: int, note: str, symbol: int | None = None) -> None:
    """Compare what a market gives with what another gave, whose first bar is `first`; of one symbol, or of all."""
    now = probe.build(drawn, real.which)
    both = now.shared_with(real)
    usable = None
    if symbol is not None:
        is_mine = np.arange(len(drawn.symbols)) == symbol
        usable = np.broadcast_to(is_mine[None, :, None], (len(both.which), *drawn.close.shape))
    probe.compare(both, first, "input-undeclared", note, usable, real.shared_with(now))
