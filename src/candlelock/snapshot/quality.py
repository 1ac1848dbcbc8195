"""The quality of a snapshot's candles: limits beyond which nothing is published, and the report of all the rest.

Does not belong here: what makes a single row wrong (`validation`), and how the report looks (`quality_page`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from candlelock.contracts.documents import utc_ms, utc_text
from candlelock.contracts.errors import Problem
from candlelock.contracts.params import bar_seconds
from candlelock.contracts.quality_documents import (
    N_LISTED,
    MissingBars,
    MonthVolume,
    QualityReport,
    Run,
    Runs,
    Stretch,
    SymbolQuality,
)
from candlelock.snapshot import price_moves, row_checks
from candlelock.snapshot.gaps import list_gaps
from candlelock.snapshot.manifest import open_time_ms
from candlelock.snapshot.raw_candles import AMOUNTS, TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from candlelock.contracts.snapshot_documents import AskedRange, Manifest, SymbolFile
    from candlelock.contracts.stage_params import QualityParams

    Times = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

DAY_MS = 86_400_000
MAX_STRETCHES = 366


@dataclass(frozen=True)
class _Calendar:
    """Days are counted from 1970; a stretch is so many days, the first one begins with `first_day`."""

    bar_ms: int
    first_day: int
    n_stretch_days: int


def find_refusals(
    table: pa.Table, place: str, timeframe: str, asked: AskedRange | None, limits: QualityParams
) -> list[Problem]:
    """A problem for each limit that a symbol's candle table exceeds; `place` names the symbol and its source."""
    n_missing = sum(gap.n_bars for gap in list_gaps(open_time_ms(table), bar_seconds(timeframe) * 1_000, asked))
    n_silent = int(np.count_nonzero(_without_volume(table)))
    problems = []
    if (missing := n_missing / (table.num_rows + n_missing)) > limits.max_missing_frac:
        found = f"{n_missing:,} of {table.num_rows + n_missing:,} bars missing ({missing:.2%})"
        expected = f"at most a share of {limits.max_missing_frac:g}"
        help_line = "bring the missing bars, leave the symbol out, or raise snapshot.quality.max_missing_frac"
        problems.append(Problem("quality-missing", place, found, expected, help_line))
    if (silent := n_silent / table.num_rows) > limits.max_zero_volume_frac:
        found = f"{n_silent:,} of {table.num_rows:,} candles without volume ({silent:.2%})"
        expected = f"at most a share of {limits.max_zero_volume_frac:g}"
        help_line = "take longer bars, leave the symbol out, or raise snapshot.quality.max_zero_volume_frac"
        problems.append(Problem("quality-zero-volume", place, found, expected, help_line))
    return problems


def report(tables: Mapping[str, pa.Table], manifest: Manifest, limits: QualityParams) -> QualityReport:
    """What was found in the candle tables (contracts.tables.CANDLES) of the snapshot that `manifest` describes.

    A pure function of rows, manifest and limits; neither the order of symbols nor the chunks of a table matter.
    """
    entries = sorted(manifest.symbols, key=lambda entry: entry.symbol)
    bar_ms, asked = bar_seconds(manifest.timeframe) * 1_000, manifest.source.asked
    spans = [_span(entry, bar_ms, asked) for entry in entries]
    first_day, last_day = min(start for start, _ in spans) // DAY_MS, (max(end for _, end in spans) - 1) // DAY_MS
    calendar = _Calendar(bar_ms, first_day, n_stretch_days=(last_day - first_day) // MAX_STRETCHES + 1)
    return QualityReport(
        snapshot_id=manifest.snapshot_id,
        timeframe=manifest.timeframe,
        first_day=_day_text(first_day),
        last_day=_day_text(last_day),
        days_per_stretch=calendar.n_stretch_days,
        limits=limits,
        symbols=[
            _describe(entry, tables[entry.symbol].combine_chunks(), span, calendar, limits)
            for entry, span in zip(entries, spans, strict=True)
        ],
    )


def _span(entry: SymbolFile, bar_ms: int, asked: AskedRange | None) -> tuple[int, int]:
    """First open and end, in milliseconds, of the bars that a symbol should have."""
    if asked:
        return utc_ms(asked.start_utc), utc_ms(asked.end_utc)
    return utc_ms(entry.first_open_utc), utc_ms(entry.last_open_utc) + bar_ms


def _day_text(day: int) -> str:
    return utc_text(day * DAY_MS)[:10]


def _describe(
    entry: SymbolFile, table: pa.Table, span: tuple[int, int], calendar: _Calendar, limits: QualityParams
) -> SymbolQuality:
    times_ms = open_time_ms(table)
    follows = np.diff(times_ms, prepend=times_ms[0]) == calendar.bar_ms
    silent = _without_volume(table)
    outliers, opens = price_moves.measure(table, times_ms, follows, limits.outlier_mads)
    return SymbolQuality(
        symbol=entry.symbol,
        n_rows=table.num_rows,
        first_open_utc=entry.first_open_utc,
        last_open_utc=entry.last_open_utc,
        extra_columns=[name for name in table.column_names if name not in (TIME, *AMOUNTS)],
        missing=_missing(entry, _stretches(times_ms, span, calendar)),
        frozen=_runs(price_moves.is_still(table, follows), follows, times_ms, limits.frozen_bars),
        zero_volume=_runs(silent, follows, times_ms, at_least=1),
        months=_months(times_ms, silent),
        outliers=outliers,
        opens=opens,
        checks=row_checks.check(table, times_ms, calendar.bar_ms),
    )


def _without_volume(table: pa.Table) -> Mask:
    volume = table["volume"]
    return np.asarray(pc.equal(volume, pa.scalar(0, volume.type)), dtype=np.bool_)


def _missing(entry: SymbolFile, coverage: list[Stretch]) -> MissingBars:
    gaps = sorted(entry.gaps, key=lambda gap: (-gap.n_bars, gap.first_open_utc))
    return MissingBars(
        n_bars=entry.n_missing_bars,
        bars_frac=entry.n_missing_bars / (entry.n_rows + entry.n_missing_bars),
        n_gaps=len(gaps),
        n_confirmed_gaps=sum(gap.is_confirmed for gap in gaps),
        longest_bars=gaps[0].n_bars if gaps else 0,
        longest=gaps[:N_LISTED],
        coverage=coverage,
    )


def _stretches(times_ms: Times, span: tuple[int, int], calendar: _Calendar) -> list[Stretch]:
    """The stretches that lack bars of the span."""
    n_stretches = ((span[1] - 1) // DAY_MS - calendar.first_day) // calendar.n_stretch_days + 1
    n_bars, n_there = (
        np.bincount((times // DAY_MS - calendar.first_day) // calendar.n_stretch_days, minlength=n_stretches)
        for times in (np.arange(*span, calendar.bar_ms), times_ms)
    )
    return [
        Stretch(
            first_day=_day_text(calendar.first_day + int(i) * calendar.n_stretch_days),
            n_bars=int(n_bars[i]),
            n_missing_bars=int(n_bars[i] - n_there[i]),
        )
        for i in np.flatnonzero(n_bars - n_there)
    ]


def _runs(is_member: Mask, follows: Mask, times_ms: Times, at_least: int) -> Runs:
    """Runs of at least so many member rows. `follows`: the row before is the bar before."""
    rows = np.flatnonzero(is_member)
    is_first = ~(follows[rows] & is_member[rows - 1])
    firsts = rows[is_first]
    lengths = np.diff(np.append(np.flatnonzero(is_first), len(rows)))
    firsts, lengths = firsts[lengths >= at_least], lengths[lengths >= at_least]
    longest = [
        Run(first_open_utc=utc_text(times_ms[first]), last_open_utc=utc_text(times_ms[first + n - 1]), n_bars=int(n))
        for first, n in ((firsts[i], lengths[i]) for i in np.lexsort((firsts, -lengths))[:N_LISTED])
    ]
    n_bars = int(lengths.sum())
    return Runs(
        n_runs=len(firsts),
        n_bars=n_bars,
        bars_frac=n_bars / len(times_ms),
        longest_bars=int(lengths.max(initial=0)),
        longest=longest,
    )


def _months(times_ms: Times, silent: Mask) -> list[MonthVolume]:
    months = times_ms.astype("datetime64[ms]").astype("datetime64[M]")
    names, where = np.unique(months, return_inverse=True)
    n_rows, n_silent = np.bincount(where), np.bincount(where, weights=silent)
    return [
        MonthVolume(month=str(name), n_rows=int(n), n_zero_volume_bars=int(n_zero))
        for name, n, n_zero in zip(names, n_rows, n_silent, strict=True)
    ]
