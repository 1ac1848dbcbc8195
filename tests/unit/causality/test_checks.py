"""Each check by itself, against functions that a plug-in cannot be: of other symbols, of streams, of processes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from candlelock.causality import availability, later_candles, live, processes, replay
from candlelock.causality.cuts import choose_cuts
from candlelock.causality.examination import Violation
from tests.markets import walk
from tests.unit.causality.doubles import SETTINGS, codes, entry, lag, probe, subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from candlelock.causality.examination import Probe, Subject
    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array, Market

MARKET = walk(11, 3, 500, gap_share=0.02)


def others_mean(values: Array) -> Array:
    """Of every symbol, the mean of the others."""
    known = np.nan_to_num(values)
    count = (~np.isnan(values)).sum(axis=0) - ~np.isnan(values)
    return np.where(count > 0, (known.sum(axis=0) - known) / np.maximum(count, 1), np.nan)


def later(each: Subject) -> tuple[Probe, Probe]:
    cuts = choose_cuts(MARKET, 8, (), 10, 1)
    prefix, future = probe(each, MARKET), probe(each, MARKET)
    later_candles.check_prefix(prefix, cuts)
    later_candles.check_future(future, cuts, 3)
    return prefix, future


# --- later candles of other symbols ---------------------------------------------------------------------------------


def test_another_symbols_next_close_is_the_future() -> None:
    leak = entry("leak", 0, "market.close")
    prefix, future = later(subject([(leak, lambda market: others_mean(lag(market.close, -1)))]))
    assert codes(prefix) == {"leak": "future-prefix"}
    assert codes(future) == {"leak": "future-perturbed"}


def test_another_symbols_close_at_the_same_time_is_not() -> None:
    honest = entry("honest", 3, "market.close")
    for each in later(subject([(honest, lambda market: others_mean(lag(market.close, 3)))])):
        assert not each.violations
        assert each.n_compared[0] > 1000


def test_what_a_symbol_deleted_takes_along_is_found() -> None:
    """The last bar at which all symbols are there: known only when the history ends."""
    leak = entry("leak")

    def build(market: Market) -> Array:
        together = np.flatnonzero(market.has_bar.all(axis=0))
        return np.full_like(market.close, together[-1] if len(together) else -1)

    assert codes(later(subject([(leak, build)]))[1]) == {"leak": "future-perturbed"}


def test_three_futures_are_tried_after_each_cut() -> None:
    exam = probe(subject([(entry("plain"), lambda market: market.close)]), MARKET).exam
    for turn in range(4):
        futures = dict(later_candles._futures(exam, 300, 450, turn))
        kept = turn % 3
        everything, others, gone = futures.values()
        for each in (everything, others, gone):
            assert each.close.shape == (3, 450)
            assert each.close[:, :301].tobytes() == MARKET.close[:, :301].tobytes()
        real = MARKET.close[:, 301:450]
        assert not (everything.close[:, 301:] == real).any()
        assert others.close[kept, 301:].tobytes() == real[kept].tobytes()
        assert not (np.delete(others.close[:, 301:], kept, 0) == np.delete(real, kept, 0)).any()
        assert np.isnan(gone.close[kept, 301:]).all()
        assert np.delete(gone.close[:, 301:], kept, 0).tobytes() == np.delete(real, kept, 0).tobytes()
        assert np.isnan(everything.close[:, 301:]).any() == (turn % 2 == 1)


# --- replay -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("declared", "is_enough"), [(7, True), (6, False), (5, False), (8, True)])
def test_a_look_back_that_is_too_short_by_one_bar_is_found(declared: int, is_enough: bool) -> None:
    feature = entry("lagged", declared)
    each = probe(subject([(feature, lambda market: market.close / lag(market.close, 7))]), MARKET)
    replay.check_replay(each, SETTINGS)
    assert codes(each) == ({} if is_enough else {"lagged": "lookback-longer"})


def test_a_value_carried_over_a_gap_is_found_where_no_bar_of_the_look_back_is_there() -> None:
    def carried(market: Market) -> Array:
        at = np.maximum.accumulate(np.where(market.has_bar, np.arange(market.close.shape[1]), 0), axis=1)
        return market.close - lag(np.take_along_axis(market.close, at, axis=1), 1)

    each = probe(subject([(entry("carried", 1), carried)]), MARKET)
    replay.check_replay(each, SETTINGS)
    assert codes(each) == {"carried": "lookback-longer"}


def test_a_look_ahead_on_rare_rows_is_found_at_the_end_of_the_series_and_called_so() -> None:
    def peeks(market: Market) -> Array:
        is_rare = (market.open_time_ms // market.bar_ms) % 17 == 3
        return np.where(is_rare, lag(market.close, -1), market.close)

    each = probe(subject([(entry("peeks", 20), peeks)]), MARKET)
    replay.check_replay(each, SETTINGS.model_copy(update={"n_gap_rows": 10}))
    assert codes(each) == {"peeks": "future-prefix"}
    assert each.violations[0].detail.startswith("in a series that begins")


def test_thousands_of_consecutive_rows_are_replayed_unless_the_budget_forbids_it() -> None:
    each = subject([(entry(f"lag_{n}", n), lambda market, n=n: lag(market.close, n)) for n in (0, 3, 20, 100)])
    market = walk(2, 2, 3_000)
    for settings, n_rows in ((SETTINGS.model_copy(update={"n_replay_rows": 2_500}), 2_500), (SETTINGS, 40)):
        done = probe(each, market)
        listed = replay.check_replay(done, settings)["rows_from_nothing"]
        assert not done.violations
        assert [row["n_consecutive_bars"] for row in listed] == [n_rows] * 3
        assert [row["warmup_bars"] for row in listed] == [[0, 3], [20, 20], [100, 100]]
        assert (done.n_compared >= 2 * n_rows).all()
    poor = SETTINGS.model_copy(update={"n_replay_rows": 2_500, "max_replay_values": 1_000_000})
    listed = replay.check_replay(probe(each, market), poor)["rows_from_nothing"]
    assert {row["n_consecutive_bars"] for row in listed} == {1_000_000 // 61_032}


# --- higher bars and inputs -----------------------------------------------------------------------------------------


def held(market: Market, size: int, n_early: int = 0) -> Array:
    """Close of the last finished bar of `size` bars, or of one that finishes `n_early` bars later."""
    number = market.open_time_ms // market.bar_ms + 1 + n_early
    back = number % size
    at = np.arange(len(number)) - back
    known = np.take_along_axis(market.close, np.broadcast_to(np.maximum(at, 0), market.close.shape), axis=1)
    return np.where(at >= 0, known, np.nan)


@pytest.mark.parametrize(("n_early", "found"), [(0, {}), (1, {"higher": "not-yet-available"})])
def test_a_higher_bar_before_it_has_closed_is_found(n_early: int, found: dict[str, str]) -> None:
    feature = entry("higher", 6, "close", "x6_close")
    each = probe(subject([(feature, lambda market: held(market, 6, n_early))]), MARKET)
    tried = availability.check_availability(each, 20)
    assert codes(each) == found
    assert tried == {"x6": {"n_features": 1, "n_unfinished_bars": 20}}
    assert each.n_compared[0] > 1000


def test_a_higher_bar_that_peeks_now_and_then_is_found_by_other_candles() -> None:
    """The value is held, but the hold begins with a bar that is chosen by looking into the unfinished one."""

    def build(market: Market) -> Array:
        size, number = 6, market.open_time_ms // market.bar_ms + 1
        ahead = lag(market.close, -3)
        at = np.maximum(np.arange(len(number)) - number % size, 0)
        rises = np.take_along_axis(ahead > market.close, np.broadcast_to(at, market.close.shape), axis=1)
        return held(market, size) * np.where(rises, 1.0, -1.0)

    each = probe(subject([(entry("higher", 6, "close", "x6_close"), build)]), MARKET)
    availability.check_availability(each, 20)
    assert codes(each) == {"higher": "not-yet-available"}


INPUTS: list[tuple[str, str, Any, bool]] = [
    ("own close", "close", lambda market: market.close, True),
    ("own high undeclared", "close", lambda market: market.high, False),
    ("all closes", "market.close", lambda market: others_mean(market.close), True),
    ("all closes, own declared only", "close", lambda market: others_mean(market.close), False),
    ("all volumes, closes declared", "market.close", lambda market: others_mean(market.volume), False),
    ("own volume beside all closes", "market.close volume", lambda market: market.volume, True),
    ("others' volume beside all closes", "market.close volume", lambda market: others_mean(market.volume), False),
    ("gaps of others", "close", lambda market: market.close * market.has_bar.sum(axis=0), False),
    ("extra", "quote_volume", lambda market: market.extras["quote_volume"], True),
    ("extra undeclared", "close", lambda market: market.extras["quote_volume"], False),
    ("time", "open_time close", lambda market: market.close * (market.open_time_ms % 86_400_000), True),
    ("time undeclared", "close", lambda market: market.close * (market.open_time_ms % 86_400_000), False),
    ("rounded by time", "close", lambda market: market.close + 1e-14 * (market.open_time_ms % 7), True),
]


@pytest.mark.parametrize(("inputs", "build", "is_honest"), [case[1:] for case in INPUTS], ids=[c[0] for c in INPUTS])
def test_inputs_are_what_is_read(inputs: str, build: Any, is_honest: bool) -> None:
    market = replace(MARKET, extras={"quote_volume": MARKET.close * MARKET.volume})
    each = probe(subject([(entry("feature", 0, inputs), build)]), market)
    evidence = availability.check_inputs(each)
    assert codes(each) == ({} if is_honest else {"feature": "input-undeclared"})
    assert evidence["symbols_kept"] == ["S0", "S1", "S2"]
    assert each.n_compared[0] > 1000


# --- live ---------------------------------------------------------------------------------------------------------


class Fed:
    """A stream that keeps every bar and builds the whole again, with a fault of one's choice."""

    def __init__(
        self, each: Subject, symbols: Sequence[str], bar_ms: int, entries: Sequence[Feature], fault: str
    ) -> None:
        self.each, self.entries, self.fault = each, entries, fault
        self.symbols, self.bar_ms = tuple(symbols), bar_ms
        self.bars: dict[tuple[str, int], Mapping[str, float]] = {}
        self.pending: dict[str, int] = {}
        self.loaded = False

    def push(self, symbol: str, open_time_ms: int, bar: Mapping[str, float]) -> list[Any]:
        last = max((time for _, time in self.bars), default=-1)
        is_late = open_time_ms < last
        if (symbol, open_time_ms) in self.bars and self.fault != "twice":
            return []
        if is_late and self.fault != "late":
            return []
        self.bars[symbol, open_time_ms] = dict(bar)
        times = sorted({time for _, time in self.bars})
        if self.fault == "lost" and len(times) == 50:
            return []
        return [Row(symbol, open_time_ms, self._values(symbol, open_time_ms))]

    def _values(self, symbol: str, open_time_ms: int) -> Array:
        first = min(time for _, time in self.bars)
        n_bars = (open_time_ms - first) // self.bar_ms + 1
        if self.fault == "gaps closed":
            times = sorted(time for name, time in self.bars if name == symbol and time <= open_time_ms)
        else:
            times = [first + self.bar_ms * at for at in range(n_bars)]
        close = np.array(
            [[self.bars.get((name, time), {}).get("close", np.nan) for time in times] for name in self.symbols]
        )
        values = close[:, -1] / close[:, -4] if close.shape[1] > 3 else np.full(len(self.symbols), np.nan)
        value = values[self.symbols.index(symbol)]
        return np.array([value * (1 + 1e-15 * self.loaded) if self.fault == "restart" else value])

    def save(self, path: Path) -> None:
        SAVED[path] = self


class Row:
    def __init__(self, symbol: str, open_time_ms: int, values: Array) -> None:
        self.symbol, self.open_time_ms, self.values = symbol, open_time_ms, values


SAVED: dict[Any, Fed] = {}


class Streams:
    def __init__(self, fault: str) -> None:
        self.fault, self.of = fault, subject([])

    def open(self, symbols: Sequence[str], bar_ms: int, entries: Sequence[Feature]) -> Fed:
        return Fed(self.of, symbols, bar_ms, entries, self.fault)

    def load(self, path: Path, entries: Sequence[Feature]) -> Fed:
        SAVED[path].loaded = True
        return SAVED[path]


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ("", None),
        ("gaps closed", "fed bar by bar"),
        ("lost", "yields no such row"),
        ("twice", "twice"),
        ("late", "fed bar by bar"),
        ("restart", "fed bar by bar"),
    ],
)
def test_a_stream_that_differs_from_the_batch_is_found(fault: str, detail: str | None) -> None:
    def build(market: Market) -> Array:
        return market.close / lag(market.close, 3)

    each = probe(subject([(entry("ratio", 3), build)], streams=Streams(fault)), MARKET)
    fed = live.check_live(each, 150)["streams"][0]
    assert fed["n_late"] > 0
    assert fed["n_restarts"] == 2
    assert fed["n_bars"] == 153
    assert each.n_compared[0] > 300
    if detail is None:
        assert not each.violations
    else:
        assert codes(each) == {"ratio": "live-differs"}
        assert detail in each.violations[0].detail


# --- processes ------------------------------------------------------------------------------------------------------


def test_a_process_that_ends_without_an_answer_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "CLEAN", "candlelock.causality.no_such_module")
    each = probe(subject([(entry("plain"), lambda market: market.close)]), MARKET)
    processes.check_process(each)
    assert codes(each) == {"plain": "process-state"}
    assert "No module named" in each.violations[0].detail


def test_what_other_candles_left_behind_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_ask", lambda exam, ends: [])
    seen: list[float] = []

    def build(market: Market) -> Array:
        seen.append(float(np.nanmax(market.close)))
        return market.close / max(seen)

    each = probe(subject([(entry("scaled"), build)]), MARKET)
    each.build(later_candles.replaced(MARKET, 0, 500, 1, size=100.0), each.exam.everything)
    processes.check_process(each)
    assert codes(each) == {"scaled": "process-state"}


# --- which violation is kept ----------------------------------------------------------------------------------------


def test_the_earliest_row_is_kept_and_an_error_goes_before_any_row() -> None:
    each = probe(subject([(entry("plain"), lambda market: market.close)]), MARKET)
    rows = [Violation("future-prefix", symbol, bar, "") for symbol, bar in ((1, 40), (2, 30), (0, 35), (1, 30))]
    for row in rows:
        each.violate(0, row)
    assert each.violations == {0: rows[3]}
    failed = Violation("plugin-error", None, None, "")
    each.violate(0, failed)
    each.violate(0, rows[0])
    assert each.violations == {0: failed}
