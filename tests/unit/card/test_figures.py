"""The charts show what the rows say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from candlelock.card import figures
from candlelock.contracts.documents import Slice

if TYPE_CHECKING:
    from candlelock.card.figures import Plots
    from candlelock.page.chart import Chart


REST = {"mean_p_up": 0.5, "calibration_ece": 0.01, "coverage_frac": 0.9}


def points(chart: Chart, kind: str) -> list[tuple[float, float]]:
    """Absolute points of all marks of a kind."""
    paths = [mark.path for mark in chart.marks if mark.kind == kind]
    return [(float(x), float(y)) for path in paths for x, y in re.findall(r"[ML]([-\d.]+),([-\d.]+)", path)]


def charts(plots: Plots) -> list[Chart]:
    return [
        figures.draw_roc(plots.roc, 0.59),
        figures.draw_reliability(plots.reliability),
        figures.draw_equity(plots.equity, 10_000),
        figures.draw_drawdown(plots.equity),
    ]


def test_everything_drawn_lies_inside_the_plot_area(plots: Plots) -> None:
    for chart in charts(plots):
        x, y = chart.x.scale, chart.y.scale
        for kind in {mark.kind for mark in chart.marks} - {"count"}:
            for across, up in points(chart, kind):
                assert x.start - 0.1 <= across <= x.end + 0.1, (chart.alt, kind)
                assert y.end - 0.1 <= up <= y.start + 0.1, (chart.alt, kind)


def test_numbers_and_csv_text_draw_the_same(plots: Plots) -> None:
    as_text = figures.Plots(
        *([{name: str(value) for name, value in row.items()} for row in rows] for rows in vars(plots).values())
    )
    assert charts(as_text) == charts(plots)


def test_roc_runs_from_corner_to_corner(plots: Plots) -> None:
    chart = figures.draw_roc(plots.roc, 0.59)
    corners = [(chart.x.scale.start, chart.y.scale.start), (chart.x.scale.end, chart.y.scale.end)]
    curve = points(chart, "model")
    assert [curve[0], curve[-1]] == corners
    assert points(chart, "reference") == corners


def test_perfectly_calibrated_bins_lie_on_the_diagonal() -> None:
    rows = [{"p_mean": p, "up_share": p, "low": p - 0.02, "high": p + 0.01, "n_rows": 10} for p in (0.4, 0.5, 0.65)]
    chart = figures.draw_reliability(rows)
    (x0, y0), (x1, y1) = points(chart, "reference")
    for x, y in points(chart, "dot"):
        assert (x - x0) / (x1 - x0) == pytest.approx((y - y0) / (y1 - y0), abs=1e-3)
    ends = points(chart, "whisker")
    assert all(
        high < dot[1] < low
        for (_, low), (_, high), dot in zip(ends[::2], ends[1::2], points(chart, "dot"), strict=True)
    )


def test_bin_that_promised_too_little_lies_above_the_diagonal() -> None:
    rows = [{"p_mean": 0.4, "up_share": 0.5, "low": 0.45, "high": 0.55, "n_rows": 10}]
    chart = figures.draw_reliability(rows)
    assert points(chart, "dot")[0] == pytest.approx((chart.x.scale(0.4), chart.y.scale(0.5)), abs=0.1)
    assert chart.marks[-1].note == "p_up 0.4000: 0.5000 went up [0.4500, 0.5500], 10 rows"


def test_axes_of_probabilities_end_at_0_and_1() -> None:
    rows = [{"p_mean": p, "up_share": p, "low": p - 0.1, "high": p + 0.1, "n_rows": 1} for p in (0.1, 0.9)]
    x = figures.draw_reliability(rows).x.scale
    assert (x.low, x.high) == (0, 1)


def test_bin_without_rows_is_left_out() -> None:
    full = {"p_mean": 0.5, "up_share": 0.5, "low": 0.4, "high": 0.6, "n_rows": 3}
    chart = figures.draw_reliability([full, {**full, "p_mean": 0.9, "n_rows": 0}])
    assert len(points(chart, "dot")) == 1


def test_equity_is_drawn_against_the_capital_at_the_start() -> None:
    rows: figures.Rows = [
        {"day": "2020-01-01", "equity": 100.0, "buy_and_hold": 100.0, "reversal": 100.0, "drawdown_frac": 0.0},
        {"day": "2020-01-03", "equity": 150.0, "buy_and_hold": 50.0, "reversal": 90.0, "drawdown_frac": 0.25},
    ]
    chart = figures.draw_equity(rows, 100)
    (_, level), _ = points(chart, "level")
    assert points(chart, "model")[0] == points(chart, "other")[0] == (chart.x.scale.start, level)
    assert points(chart, "model")[1][1] < level < points(chart, "reference")[1][1] < points(chart, "other")[1][1]
    assert level - points(chart, "model")[1][1] == pytest.approx(points(chart, "other")[1][1] - level, abs=0.2)
    below = figures.draw_drawdown(rows)
    assert max(y for _, y in points(below, "depth")) == pytest.approx(below.y.scale(-0.25), abs=0.1)


def test_account_that_never_moved_can_be_drawn() -> None:
    rows: figures.Rows = [
        {"day": f"2020-01-0{day}", "equity": 5, "buy_and_hold": 5, "reversal": 5, "drawdown_frac": 0}
        for day in (1, 2, 3)
    ]
    chart = figures.draw_equity(rows, 5)
    assert len({y for _, y in points(chart, "model") + points(chart, "level")}) == 1
    assert len({y for _, y in points(figures.draw_drawdown(rows), "depth")}) == 1
    assert figures.draw_drawdown(rows[:1]).x.ticks[0].label == "2020-01-01"


def test_months_above_and_below_half_point_up_and_down() -> None:
    months = [
        Slice(name=f"2020-{i:02d}", n_rows=10, share_up=0.4, accuracy=a, auc_roc=None, **REST)
        for i, a in ((1, 0.6), (2, 0.45))
    ]
    chart = figures.draw_months(months, 0.53)
    half = chart.y.scale(0.5)
    (_, above), (_, below) = points(chart, "dot")
    assert above < half < below
    assert [tick.label for tick in chart.x.ticks] == ["2020-01", "2020-02"]
    assert {y for _, y in points(chart, "notch")} == {round(chart.y.scale(0.6), 1)}
