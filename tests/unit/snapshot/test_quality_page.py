"""The quality page: every finding on it, nothing from outside, the same bytes everywhere."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from candlelock.contracts.stage_params import QualityParams
from candlelock.page import wording
from candlelock.snapshot.quality import report
from candlelock.snapshot.quality_figures import draw_coverage, draw_zero_volume
from candlelock.snapshot.quality_page import render
from tests.candle_tables import describe, swing
from tests.pages import Page

if TYPE_CHECKING:
    from candlelock.contracts.quality_documents import QualityReport
    from candlelock.page.chart import Chart

LIMITS = QualityParams(max_missing_frac=0.25, max_zero_volume_frac=0.5, frozen_bars=4, outlier_mads=50.0)
RENDER = """
import hashlib, sys
from candlelock.contracts.quality_documents import QualityReport
from candlelock.snapshot.quality_page import render
print(hashlib.sha256(render(QualityReport.model_validate_json(sys.stdin.read())).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def found() -> QualityReport:
    """BTC with every defect there is, in January and February; ETH sound, and there from the second day."""
    bars = swing(48 * 40)
    bars.freeze(100, 30)
    bars.jump(501, 20_000)
    bars.volume[100:130] = 0
    bars.volume[48 * 35] = 0
    bars.open[700] = bars.high[700] = 20_000
    tables = {"BTC/USD": bars.table(without=[10, *range(300, 324)]), "ETH/USD": swing(96).table(without=range(48))}
    return report(tables, describe(tables), LIMITS)


@pytest.fixture(scope="module")
def page(found: QualityReport) -> Page:
    return Page(render(found))


def test_page_refers_to_nothing_outside(page: Page) -> None:
    page.require_nothing_outside()


def test_page_says_everything_that_was_found(page: Page) -> None:
    text = page.text()
    for words in (
        "snapshot 555555555555 Candle quality 2 symbols, 1,943 candles of 30m, 2024-01-01 to 2024-02-09",
        "✓ WITHIN LIMITS No row broken, every limit kept. "
        "To look at: 25 missing bars, 1 frozen run, 31 candles without volume, 2 outliers, 1 open jump.",
        "BTC/USD 2024-01-01 2024-02-09 1,895 25 2 24 1 31 2 1 0 ETH/USD 2024-01-02 2024-01-02 48 0 0 0 0 0 0 0 0",
        "A frozen run is 4 bars or more",
        "An outlier is a close 50 times as far",
        "25 of 1,920 bars missing (1.30%) in 2 gaps, 0 confirmed by asking again.",
        "31 candles without volume (1.64%), the longest run 30 bars.",
        "All 48 bars are there.",
        "Median close that moved 0.00995 (log return)",
        "Opens off the close before 1 of 1,892 Farthest open 0.6832, 2024-01-15 14:00",
        "Gaps First bar missing Last Bars Asked again 2024-01-07 06:00 2024-01-07 17:30 24 no",
        "Outliers Bar Log return Times the median 2024-01-11 10:30 0.6931 69.66 2024-01-11 11:00 −0.6931 69.66",
        "Frozen runs First bar Last bar Bars 2024-01-03 02:00 2024-01-03 16:30 30",
        "Runs without volume First bar Last bar Bars 2024-01-03 02:00 2024-01-03 16:30 30 2024-02-05 00:00",
        "each time once candles-duplicate 1,943 0",
        "bars missing 25.00% 1.30% BTC/USD candles without volume 50.00% 1.64% BTC/USD",
    ):
        assert words in text
    assert text.count("without volume, by month") == 1


def test_nothing_found_is_said_too() -> None:
    tables = {"BTC/USD": swing(96).table()}
    text = Page(render(report(tables, describe(tables), LIMITS))).text()
    assert "1 symbol, 96 candles" in text
    assert "✓ WITHIN LIMITS No row broken, every limit kept. Nothing to look at." in text


def test_what_would_not_be_published_is_not_within_limits(found: QualityReport) -> None:
    tight = found.model_copy(update={"limits": LIMITS.model_copy(update={"max_missing_frac": 0.01})})
    assert "✗ BEYOND LIMITS 0 broken rows" in Page(render(tight)).text()
    one = found.symbols[0]
    checks = [check.model_copy(update={"n_violations": 3}) for check in one.checks[:1]] + one.checks[1:]
    broken = found.model_copy(update={"symbols": [one.model_copy(update={"checks": checks}), *found.symbols[1:]]})
    assert "✗ BEYOND LIMITS 3 broken rows" in Page(render(broken)).text()


def test_a_list_that_was_cut_says_so() -> None:
    tables = {"BTC/USD": swing(96).table(without=range(1, 92, 4))}
    text = Page(render(report(tables, describe(tables), LIMITS))).text()
    assert "Gaps: the longest 20 of 23 First bar missing" in text


def test_hostile_words_stay_words(found: QualityReport) -> None:
    attack = "</style><script>alert(1)</script><img src=http://evil.example onerror='x'> {{ 7 * 7 }} \"&"
    check = found.symbols[0].checks[0].model_copy(update={"code": attack, "expected": attack})
    one = found.symbols[0].model_copy(update={"symbol": attack, "extra_columns": [attack], "checks": [check]})
    hostile = found.model_copy(update={"symbols": [one], "timeframe": attack, "first_day": found.first_day})
    page = Page(render(hostile))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert page.text().count("<script>alert(1)</script>") >= 7
    assert "{{ 7 * 7 }}" in page.text()


def places(chart: Chart, kind: str) -> list[tuple[float, float]]:
    """Left edge and height of each box of a kind."""
    found = [re.match(r"M([-\d.]+),[-\d.]+v(-?[\d.]+)h", mark.path) for mark in chart.marks if mark.kind == kind]
    return [(float(one[1]), -float(one[2])) for one in found if one]


def test_missing_bars_hang_where_their_day_is(found: QualityReport) -> None:
    chart = draw_coverage(found, found.symbols[0])
    x, y = chart.x.scale, chart.y.scale
    (first, short), (second, deep) = places(chart, "depth")
    assert (first, second) == pytest.approx((x(x.low), x(x.low + 6)), abs=0.06)
    assert deep == pytest.approx(y(0.5) - y(1), abs=0.06)
    assert short == pytest.approx(max(3.0, y(47 / 48) - y(1)), abs=0.06)
    notes = [mark.note for mark in chart.marks if mark.kind == "depth"]
    assert notes == ["from 2024-01-01: 1 of 48 bars missing", "from 2024-01-07: 24 of 48 bars missing"]


def test_a_symbol_is_drawn_over_its_own_days_on_the_line_of_all(found: QualityReport) -> None:
    one, other = (draw_coverage(found, symbol) for symbol in found.symbols)
    assert one.x == other.x
    (line,) = [mark.path for mark in other.marks if mark.kind == "model"]
    x, y = other.x.scale, other.y.scale
    assert line == f"M{x(x.low + 1):.1f},{y(1):.1f}L{x(x.low + 2):.1f},{y(1):.1f}"


def test_silent_months_stand_as_high_as_their_share(found: QualityReport) -> None:
    chart = draw_zero_volume(found, found.symbols[0])
    y = chart.y.scale
    heights = [height for _, height in places(chart, "count")]
    assert heights == pytest.approx([y(0) - y(30 / (48 * 31 - 25)), y(0) - y(1 / (48 * 9))], abs=0.06)


def test_every_figure_of_the_report_is_on_the_page(page: Page, found: QualityReport) -> None:
    text = page.text()
    for one in found.symbols:
        times = [gap.first_open_utc for gap in one.missing.longest] + [gap.last_open_utc for gap in one.missing.longest]
        times += [run.first_open_utc for run in (*one.frozen.longest, *one.zero_volume.longest)]
        times += [move.open_time_utc for move in one.outliers.largest]
        assert [time for time in times if wording.minute(time) not in text] == []
        shares = (one.missing.bars_frac, one.frozen.bars_frac, one.zero_volume.bars_frac)
        assert [share for share in shares if wording.percent(share) not in text] == []


def test_bytes_do_not_depend_on_the_process(page: Page, found: QualityReport) -> None:
    here = hashlib.sha256(page.source.encode()).hexdigest()
    for surroundings in ({"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}, {"PYTHONHASHSEED": "77", "LC_ALL": "C"}):
        run = subprocess.run(
            [sys.executable, "-c", RENDER],
            input=found.model_dump_json(),
            env={**os.environ, **surroundings, "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.strip() == here
