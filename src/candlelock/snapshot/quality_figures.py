"""The charts of the quality page: which bars are there, and where nothing was traded; all on one line of time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from candlelock.page.chart import Axis, Chart, Mark, axis, column, day_ticks, frame, line
from candlelock.page.wording import count, number, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from candlelock.contracts.quality_documents import QualityReport, SymbolQuality
    from candlelock.page.chart import Scale

SIZE = (940, 150)
MIN_DRAWN = 3.0  # drawing units, so that a single missing bar can be seen
MIN_RANGE = 0.01


def draw_coverage(report: QualityReport, one: SymbolQuality) -> Chart:
    """Share of the bars that are there, by stretch of days; what is missing hangs from the line of all."""
    shares = [part.n_missing_bars / part.n_bars for part in one.missing.coverage]
    x, y = _frame(report, (1 - _reach(shares), 1))
    marks = []
    for part, share in zip(one.missing.coverage, shares, strict=True):
        first = date.fromisoformat(part.first_day).toordinal()
        start, end = x(first), x(min(first + report.days_per_stretch, x.high))
        depth, width = max(MIN_DRAWN, y(1 - share) - y(1)), max(MIN_DRAWN, end - start)
        note = f"from {part.first_day}: {count(part.n_missing_bars)} of {count(part.n_bars)} bars missing"
        marks.append(Mark("depth", column((start + end) / 2, y(1) + depth, depth, width), note))
    first, last = (date.fromisoformat(time[:10]).toordinal() for time in (one.first_open_utc, one.last_open_utc))
    marks.append(Mark("model", line([(x(first), y(1)), (x(last + 1), y(1))])))
    by = "day" if report.days_per_stretch == 1 else f"{report.days_per_stretch} days"
    alt = f"Bars of {one.symbol} that are there: {count(one.missing.n_bars)} missing"
    return Chart(alt, _days(report, x), axis(y, f"bars that are there, by {by}", _share, 3), marks, SIZE)


def draw_zero_volume(report: QualityReport, one: SymbolQuality) -> Chart:
    """Share of the candles without volume, by month."""
    shares = [part.n_zero_volume_bars / part.n_rows for part in one.months]
    x, y = _frame(report, (0, _reach(shares)))
    marks = []
    for part, share in zip(one.months, shares, strict=True):
        first = date.fromisoformat(f"{part.month}-01")
        following = (first + timedelta(days=31)).replace(day=1)
        start, end = x(max(first.toordinal(), x.low)), x(min(following.toordinal(), x.high))
        note = f"{part.month}: {count(part.n_zero_volume_bars)} of {count(part.n_rows)} candles without volume"
        marks.append(Mark("count", column((start + end) / 2, y(0), y(0) - y(share), 0.8 * (end - start)), note))
    alt = f"Candles of {one.symbol} without volume: {percent(one.zero_volume.bars_frac)}"
    return Chart(alt, _days(report, x), axis(y, "candles without volume, by month", _share, 3), marks, SIZE)


def _reach(shares: Iterable[float]) -> float:
    """How far the axis of shares goes: beyond the largest, and never to nothing."""
    return 1.06 * max([MIN_RANGE, *shares])


def _frame(report: QualityReport, shares: tuple[float, float]) -> tuple[Scale, Scale]:
    first, last = (date.fromisoformat(day).toordinal() for day in (report.first_day, report.last_day))
    return frame((first, last + 1), shares, SIZE, 28)


def _days(report: QualityReport, x: Scale) -> Axis:
    first = date.fromisoformat(report.first_day)
    return Axis(x, "", day_ticks(x, [first + timedelta(days=i) for i in range(int(x.high - x.low))]))


def _share(fraction: float) -> str:
    return f"{number(100 * fraction)}%"
