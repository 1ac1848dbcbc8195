"""The figures that gates judge, from what a card shows: as it is made, and again from the finished card alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.contracts.gate_figures import SCORES, worse_end

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.contracts.backtest_documents import TradingReport
    from candlelock.contracts.card_document import CardLatency, LeakageChecks, ModelCard
    from candlelock.contracts.documents import BacktestReport, Interval, LatencyReport, Values
    from candlelock.contracts.significance_documents import Significance

Figures = dict[str, "float | None"]


def score_intervals(intervals: Mapping[str, Interval], values: Values | None) -> dict[str, Interval]:
    """Every score by the name it has as a figure; those of a head's values start with `value_`."""
    own = {} if values is None else {f"value_{name}": interval for name, interval in values.metrics.items()}
    return {**intervals, **own}


def gate_intervals(
    intervals: Mapping[str, Interval], values: Values | None, significance: Significance
) -> dict[str, Interval]:
    """Those of scores and of what the back-test earned, by the names of the figures that they stand beside."""
    found = significance.returns
    earned = {} if found is None else {"sharpe": found.sharpe, "net_return_frac": found.net_return_frac}
    return score_intervals(intervals, values) | earned


def shown_figures(intervals: Mapping[str, Interval], backtest: BacktestReport) -> Figures:
    """Scores on test, each with the worse end of its interval, and the back-test's figures.

    `intervals`: as `score_intervals` gives them.
    """
    known = {name: intervals[name] for name in SCORES if name in intervals}
    return {
        **{name: interval.value for name, interval in known.items()},
        **{f"{name}_{(end := worse_end(name))}": getattr(interval, end) for name, interval in known.items()},
        "sharpe": backtest.sharpe,
        "net_return_frac": backtest.net_return_frac,
        "max_drawdown_frac": backtest.max_drawdown_frac,
        "win_rate_frac": backtest.win_rate_frac,
        "n_trades": backtest.n_trades,
        "n_backtest_days": backtest.n_days,
    }


def latency_figures(latency: LatencyReport | CardLatency) -> Figures:
    """Milliseconds, and how many rows were timed."""
    measured = {f"latency_{name}_ms": float(getattr(latency, name)) for name in ("mean", "p50", "p95", "p99")}
    return {**measured, "latency_samples": latency.samples}


def leakage_figures(checks: LeakageChecks) -> Figures:
    """How many of the three failed."""
    return {"n_failed_leakage_checks": sum(not passed for passed in checks.model_dump().values())}


def luck_figures(significance: Significance, trading: TradingReport) -> Figures:
    """What trials, days, baselines and costs leave of the scores; a Sharpe ratio that does not exist has none."""
    sharpe, ahead = significance.sharpe, significance.stability.months_ahead
    return {
        "sharpe_probability": None if sharpe is None else sharpe.probability_of_skill,
        "sharpe_deflated": None if sharpe is None else sharpe.deflated,
        "n_tried": None if sharpe is None else sharpe.trials.n_trials,
        "accuracy_p_no_better": significance.p_no_better.get("accuracy"),
        "log_loss_p_no_better": significance.p_no_better.get("log_loss"),
        "months_ahead_frac": ahead.share.value if ahead.n_months else None,
        "n_months": ahead.n_months,
        "break_even_bps": trading.break_even_bps,
    }


def read_figures(card: ModelCard) -> Figures:
    """Every figure the card alone tells; one that is not there is not known.

    Its fields come first. What they lack, counts of rows and blocks and the profit on decide, its gates quote; gates on
    latency are left out, as the digest does not cover them.
    """
    figures = shown_figures(score_intervals(card.intervals, card.values), card.backtest)
    figures |= latency_figures(card.latency_ms) | leakage_figures(card.leakage_checks)
    figures |= luck_figures(card.significance, card.trading)
    for gate in card.gates:
        if not gate.name.startswith("latency"):
            figures.setdefault(gate.figure_name, gate.figure)
            if gate.evidence is not None:
                figures.setdefault(gate.evidence, gate.n_evidence)
    return figures
