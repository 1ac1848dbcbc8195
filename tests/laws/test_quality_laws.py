"""Laws of the quality report: a planted defect raises exactly its own counts; order and chunks mean nothing."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.contracts.documents import utc_ms
from candlelock.contracts.quality_documents import N_LISTED
from candlelock.contracts.stage_params import QualityParams
from candlelock.snapshot.quality import find_refusals, report
from tests.candle_tables import BAR_MS, FIRST_MS, Bars, describe, swing

N_BARS = 160
LIMITS = QualityParams(max_missing_frac=1.0, max_zero_volume_frac=1.0, frozen_bars=4, outlier_mads=50.0)


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[int, int]]:
    """First row and length of runs inside the bars, at least three bars apart: two that move, and room to end in."""
    at, found = draw(st.integers(1, 20)), []
    while at < N_BARS - 25:
        n_bars = draw(st.integers(1, 20))
        found.append((at, n_bars))
        at += n_bars + draw(st.integers(3, 60))
    return found


@st.composite
def defective(draw: st.DrawFn) -> pa.Table:
    """Bars with frozen runs, silent bars, jumps and gaps in any mixture; the first and the last bar are there."""
    bars: Bars = swing(N_BARS)
    for first, n_bars in draw(spans()):
        bars.freeze(first, n_bars)
    for row in draw(st.sets(st.integers(1, N_BARS - 2), max_size=5)):
        bars.jump(row, draw(st.integers(5_000, 40_000)))
    bars.volume[list(draw(st.sets(st.integers(0, N_BARS - 1))))] = 0
    return bars.table(without=draw(st.sets(st.integers(1, N_BARS - 2), max_size=N_BARS - 20)))


@given(spans(), st.integers(2, 25))
@settings(deadline=None)
def test_frozen_runs_raise_exactly_their_counts(runs: list[tuple[int, int]], frozen_bars: int) -> None:
    limits = LIMITS.model_copy(update={"frozen_bars": frozen_bars})
    bars = swing(N_BARS)
    tables = {"BTC/USD": bars.table()}
    before = report(tables, describe(tables), limits).symbols[0]
    for first, n_bars in runs:
        bars.freeze(first, n_bars)
    tables = {"BTC/USD": bars.table()}
    after = report(tables, describe(tables), limits).symbols[0]
    long_enough = sorted(((n, first) for first, n in runs if n >= frozen_bars), key=lambda run: (-run[0], run[1]))
    assert after.frozen.n_runs == len(long_enough)
    assert after.frozen.n_bars == sum(n for n, _ in long_enough)
    listed = [(run.n_bars, (utc_ms(run.first_open_utc) - FIRST_MS) // BAR_MS) for run in after.frozen.longest]
    assert listed == long_enough[:N_LISTED]
    for name in ("n_rows", "missing", "zero_volume", "months", "checks"):
        assert getattr(after, name) == getattr(before, name)
    assert after.outliers.n_bars == 0


@given(st.lists(defective(), min_size=1, max_size=4), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_the_order_of_symbols_means_nothing(tables: list[pa.Table], random: st.DataObject) -> None:
    named = {f"{name}/USD": table for name, table in zip("ABCD", tables, strict=False)}
    order = list(named)
    random.shuffle(order)
    shuffled = {symbol: named[symbol] for symbol in order}
    assert report(named, describe(named), LIMITS) == report(shuffled, describe(shuffled), LIMITS)


@given(defective(), st.lists(st.integers(0, N_BARS), max_size=6))
@settings(deadline=None, max_examples=60)
def test_the_chunks_of_a_table_mean_nothing(table: pa.Table, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, table.num_rows) for cut in cuts), table.num_rows]
    parts = [table.slice(start, end - start) for start, end in pairwise(edges)]
    manifest = describe({"BTC/USD": table})
    rechunked = pa.concat_tables(parts)
    assert report({"BTC/USD": rechunked}, manifest, LIMITS) == report({"BTC/USD": table}, manifest, LIMITS)


@given(defective())
@settings(deadline=None, max_examples=60)
def test_counts_agree_with_each_other_and_with_the_rows(table: pa.Table) -> None:
    found = report({"BTC/USD": table}, describe({"BTC/USD": table}), LIMITS).symbols[0]
    assert found.n_rows + found.missing.n_bars == N_BARS
    assert sum(part.n_missing_bars for part in found.missing.coverage) == found.missing.n_bars
    assert sum(month.n_rows for month in found.months) == found.n_rows
    silent = sum(volume == 0 for volume in table["volume"].to_pylist())
    assert sum(month.n_zero_volume_bars for month in found.months) == found.zero_volume.n_bars == silent
    for runs in (found.frozen, found.zero_volume):
        assert runs.longest_bars == max((run.n_bars for run in runs.longest), default=0)
        assert (runs.n_runs > N_LISTED) or runs.n_bars == sum(run.n_bars for run in runs.longest)
    assert found.outliers.n_compared == found.n_rows - 1 - found.missing.n_gaps
    assert not any(check.n_violations for check in found.checks)


@given(defective(), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_what_is_refused_is_what_the_report_shows_beyond_the_limits(
    table: pa.Table, most: float, silent: float
) -> None:
    limits = LIMITS.model_copy(update={"max_missing_frac": most, "max_zero_volume_frac": silent})
    found = report({"BTC/USD": table}, describe({"BTC/USD": table}), limits).symbols[0]
    expected = ["quality-missing"] * (found.missing.bars_frac > most)
    expected += ["quality-zero-volume"] * (found.zero_volume.bars_frac > silent)
    assert [problem.code for problem in find_refusals(table, "x", "30m", None, limits)] == expected
