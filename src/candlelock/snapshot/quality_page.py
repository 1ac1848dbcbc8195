"""The quality report as one HTML page in the style of the Model Card; it needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.contracts.quality_documents import RowCheck
from candlelock.page import wording
from candlelock.page.environment import open_templates
from candlelock.snapshot.quality_figures import draw_coverage, draw_zero_volume

if TYPE_CHECKING:
    from candlelock.contracts.quality_documents import QualityReport


def render(report: QualityReport) -> str:
    """The page. The same report gives the same text on any machine."""
    template = open_templates("candlelock.snapshot").get_template("quality.html.j2")
    checks, limited = _checks(report), _limited(report)
    return template.render(
        report=report,
        checks=checks,
        limited=limited,
        is_sound=not any(check.n_violations for check in checks)
        and all(share <= most for _, share, _, most in limited),
        findings=_findings(report),
        coverage={one.symbol: draw_coverage(report, one) for one in report.symbols},
        silence={one.symbol: draw_zero_volume(report, one) for one in report.symbols if one.zero_volume.n_bars},
        wording=wording,
    )


def _limited(report: QualityReport) -> list[tuple[str, float, str, float]]:
    """What is limited, its highest share, the symbol that has it, the limit."""
    missing = max((one.missing.bars_frac, one.symbol) for one in report.symbols)
    silent = max((one.zero_volume.bars_frac, one.symbol) for one in report.symbols)
    return [
        ("bars missing", *missing, report.limits.max_missing_frac),
        ("candles without volume", *silent, report.limits.max_zero_volume_frac),
    ]


def _checks(report: QualityReport) -> list[RowCheck]:
    """Each rule over all symbols."""
    by_rule = zip(*(one.checks for one in report.symbols), strict=True)
    return [
        RowCheck(
            code=checks[0].code,
            expected=checks[0].expected,
            n_checked=sum(check.n_checked for check in checks),
            n_violations=sum(check.n_violations for check in checks),
        )
        for checks in by_rule
    ]


def _findings(report: QualityReport) -> list[str]:
    """What to look at, over all symbols: kinds that were found, with their number."""
    totals = [
        (sum(one.missing.n_bars for one in report.symbols), "missing bar", "missing bars"),
        (sum(one.frozen.n_runs for one in report.symbols), "frozen run", "frozen runs"),
        (sum(one.zero_volume.n_bars for one in report.symbols), "candle without volume", "candles without volume"),
        (sum(one.outliers.n_bars for one in report.symbols), "outlier", "outliers"),
        (sum(one.opens.n_jumps for one in report.symbols), "open jump", "open jumps"),
    ]
    return [f"{wording.count(n)} {one if n == 1 else more}" for n, one, more in totals if n]
