"""The card's charts, drawn from the rows of the plot tables the stages write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from candlelock.page.chart import Axis, Chart, Mark, Tick, axis, column, day_ticks, dot, frame, line, thin, widen
from candlelock.page.wording import count, number, percent, score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from candlelock.contracts.documents import Slice
    from candlelock.page.chart import Scale

Rows: TypeAlias = "Sequence[Mapping[str, float | str]]"
SQUARE = (460, 440)
WIDE = (940, 270)
LOW = (940, 150)


@dataclass(frozen=True)
class Plots:
    """Rows of the plot tables, as numbers or as the text of a CSV file.

    `roc`: fpr, tpr. `reliability`: p_mean, up_share, low, high, n_rows. `equity`: day (YYYY-MM-DD), equity,
    buy_and_hold, reversal, drawdown_frac.
    """

    roc: Rows
    reliability: Rows
    equity: Rows


def draw_roc(rows: Rows, auc: float) -> Chart:
    """True against false positive rate, over the diagonal of no skill."""
    x, y = frame((0, 1), (0, 1), SQUARE, 46)
    curve = line((x(float(row["fpr"])), y(float(row["tpr"]))) for row in rows)
    marks = [Mark("reference", _diagonal(x, y)), Mark("model", curve)]
    axes = axis(x, "false positive rate", number), axis(y, "true positive rate", number)
    return Chart(f"ROC curve, area {score(auc)}", *axes, marks, SQUARE)


def draw_reliability(rows: Rows) -> Chart:
    """Share of ups against the mean p_up of each bin that has rows, with intervals; below, the rows of the bin."""
    bins = [{name: float(value) for name, value in row.items()} for row in rows if float(row["n_rows"]) > 0]
    low, high = widen(b[name] for b in bins for name in ("p_mean", "low", "high"))
    span = max(low, 0), min(high, 1)
    x, y = frame(span, span, SQUARE, 46)
    curve = line((x(b["p_mean"]), y(b["up_share"])) for b in bins)
    marks = [*_columns(bins, x, y), Mark("reference", _diagonal(x, y)), Mark("model thin", curve)]
    for b in bins:
        marks.append(Mark("whisker", line([(x(b["p_mean"]), y(b["low"])), (x(b["p_mean"]), y(b["high"]))])))
        marks.append(Mark("dot", dot(x(b["p_mean"]), y(b["up_share"])), _bin_note(b)))
    axes = axis(x, "mean p_up of the bin", number), axis(y, "share that went up", number)
    return Chart(f"Reliability curve of {len(bins)} bins", *axes, marks, SQUARE)


def draw_equity(rows: Rows, capital: float) -> Chart:
    """Account value by day against buying and holding and the reversal rule, each as its change from the start."""
    days = [day.toordinal() for day in _days(rows)]
    curves = {
        mark: [float(row[name]) / capital - 1 for row in rows]
        for mark, name in (("reference", "reversal"), ("other", "buy_and_hold"), ("model", "equity"))
    }
    x, y = frame(_span(days), widen([0, *(value for curve in curves.values() for value in curve)]), WIDE, 8)
    marks = [Mark("level", _level(x, y, 0))]
    for mark, curve in curves.items():
        marks.append(Mark(mark, line((x(day), y(value)) for day, value in zip(days, curve, strict=True))))
    axes = Axis(x, "", []), axis(y, "return since the start", _share)
    return Chart("Equity by day against buy and hold and the reversal rule", *axes, marks, WIDE)


def draw_drawdown(rows: Rows) -> Chart:
    """Loss from the highest equity so far, by day, hanging from zero."""
    dates = _days(rows)
    days = [day.toordinal() for day in dates]
    depths = [-abs(float(row["drawdown_frac"])) for row in rows]
    x, y = frame(_span(days), (1.06 * min(*depths, -0.01), 0), LOW, 28)
    edge = [(days[0], 0.0), *zip(days, depths, strict=True), (days[-1], 0.0)]
    marks = [Mark("depth", line((x(day), y(depth)) for day, depth in edge) + "Z")]
    return Chart("Drawdown by day", Axis(x, "", day_ticks(x, dates)), axis(y, "drawdown", _share, 3), marks, LOW)


def draw_months(slices: Sequence[Slice], best_rule_accuracy: float) -> Chart:
    """Accuracy of each month from the 50 % line; beside it the month's best constant and the test's best rule."""
    constants = [max(one.share_up, 1 - one.share_up) for one in slices]
    span = widen([0.5, best_rule_accuracy, *constants, *(one.accuracy for one in slices)])
    x, y = frame((-0.6, len(slices) - 0.4), span, WIDE, 28)
    marks = [Mark("level", _level(x, y, 0.5)), Mark("other", _level(x, y, best_rule_accuracy))]
    for i, (one, constant) in enumerate(zip(slices, constants, strict=True)):
        note = f"{one.name}: {percent(one.accuracy)}, best constant {percent(constant)}, {count(one.n_rows)} rows"
        marks.append(Mark("stem", line([(x(i), y(0.5)), (x(i), y(one.accuracy))])))
        marks.append(Mark("notch", line([(x(i) - 9, y(constant)), (x(i) + 9, y(constant))])))
        marks.append(Mark("dot", dot(x(i), y(one.accuracy)), note))
    ticks = [Tick(x(i), slices[i].name) for i in thin(range(len(slices)), 12)]
    return Chart("Accuracy by month", Axis(x, "", ticks), axis(y, "accuracy", _share), marks, WIDE)


def _columns(bins: Sequence[Mapping[str, float]], x: Scale, y: Scale) -> list[Mark]:
    """How many rows each bin holds, as columns on the floor of the chart."""
    most, width = max(b["n_rows"] for b in bins), min(14.0, 0.6 * (x.end - x.start) / len(bins))
    return [Mark("count", column(x(b["p_mean"]), y.start, 60 * b["n_rows"] / most, width)) for b in bins]


def _bin_note(b: Mapping[str, float]) -> str:
    interval = f"[{score(b['low'])}, {score(b['high'])}]"
    return f"p_up {score(b['p_mean'])}: {score(b['up_share'])} went up {interval}, {count(int(b['n_rows']))} rows"


def _diagonal(x: Scale, y: Scale) -> str:
    return line([(x.start, y.start), (x.end, y.end)])


def _level(x: Scale, y: Scale, value: float) -> str:
    return line([(x.start, y(value)), (x.end, y(value))])


def _days(rows: Rows) -> list[date]:
    return [date.fromisoformat(str(row["day"])) for row in rows]


def _span(days: Sequence[int]) -> tuple[int, int]:
    return days[0], max(days[-1], days[0] + 1)


def _share(fraction: float) -> str:
    return f"{number(100 * fraction)}%"
