"""The figures a gate may judge: a closed list, each with its unit, its meaning and the direction that is good.

Does not belong here: where a card has them from (`card.card_figures`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["high", "low"]


@dataclass(frozen=True)
class Figure:
    """`better`: the direction that is good. `is_share`: lies in [0, 1]. `is_count`: may stand as evidence of a gate."""

    unit: str
    meaning: str
    better: Better
    is_share: bool = False
    is_count: bool = False


def _share(meaning: str, better: Better = "high") -> Figure:
    return Figure("fraction", meaning, better, is_share=True)


def _count(unit: str, meaning: str) -> Figure:
    return Figure(unit, meaning, "high", is_count=True)


SCORES = {
    "lift_over_best_constant_pp": Figure("points", "accuracy less that of the better constant answer", "high"),
    "lift_over_best_rule_pp": Figure("points", "accuracy less that of the better of persistence and reversal", "high"),
    "accuracy": _share("directions that were right, up from p_up 0.5"),
    "precision": _share("rows called up that went up"),
    "recall": _share("rows that went up that were called up"),
    "f1": _share("harmonic mean of precision and recall; always up reaches 0.70 where 54 % go up"),
    "auc_roc": _share("pairs of an up and a down that p_up puts in order"),
    "log_loss": Figure("nats", "log loss of p_up; a coin has 0.6931", "low"),
    "brier": _share("mean squared error of p_up; a coin has 0.25", "low"),
    "calibration_ece": _share("expected calibration error over bins of equal width", "low"),
    "calibration_ece_equal_mass": _share("expected calibration error over bins of as many rows", "low"),
    "value_rmse": Figure("the head's", "heads of values: root mean square of the errors", "low"),
    "value_mae": Figure("the head's", "heads of values: mean size of the errors", "low"),
    "value_r2": Figure("1", "heads of values: share of the labels' variance that is foretold", "high"),
    "value_rank_correlation": Figure("1", "heads of values: Spearman's, of foretold and true values", "high"),
    "value_skill": Figure("1", "heads of values: share of the best baseline's squared error that is saved", "high"),
}


def worse_end(score: str) -> Better:
    """Which end of a score's interval is the worse one; `<score>_<end>` is its name as a figure."""
    return "low" if SCORES[score].better == "high" else "high"


def _end(score: Figure, name: str) -> Figure:
    bound = "lower" if score.better == "high" else "upper"
    return Figure(score.unit, f"{bound} bound of the interval of {name}", score.better, score.is_share)


FIGURES: dict[str, Figure] = {
    **SCORES,
    **{f"{name}_{worse_end(name)}": _end(score, name) for name, score in SCORES.items()},
    "n_rows": _count("rows", "rows of test with a label"),
    "n_blocks": _count("blocks", "blocks of time in test that the bootstrap draws from"),
    "sharpe": Figure("1", "of the back-test: annual, of daily returns, after fees and slippage", "high"),
    "net_return_frac": Figure("fraction", "return of the back-test after costs", "high"),
    "max_drawdown_frac": _share("largest loss of the back-test from its highest equity so far", "low"),
    "win_rate_frac": _share("trades of the back-test that gained after costs"),
    "n_trades": _count("trades", "trades of the back-test"),
    "n_backtest_days": _count("days", "days of the back-test"),
    "break_even_bps": Figure("basis points", "cost of a fill at which the strategy earns nothing", "high"),
    "sharpe_probability": _share("that the true Sharpe ratio is above 0, by the days it was measured on"),
    "sharpe_deflated": _share("that it is above the best to be expected of all trials without skill"),
    "n_tried": _count("trials", "settings searched and models that test was read for, by the ledger of trials"),
    "accuracy_p_no_better": _share("p-value of: some baseline is right as often as the model", "low"),
    "log_loss_p_no_better": _share("p-value of: some baseline's log loss is as low", "low"),
    "months_ahead_frac": _share("months of test in which the model is right more often than the reversal rule"),
    "n_months": _count("months", "months of test in which one of the two is ahead"),
    "decide_net_profit_bps": Figure("basis points", "net profit at the threshold on the decide segment", "high"),
    "n_decide_trades": _count("trades", "trades at the threshold on the decide segment"),
    "latency_mean_ms": Figure("ms", "mean for one row through the whole bundle", "low"),
    "latency_p50_ms": Figure("ms", "median for one row through the whole bundle", "low"),
    "latency_p95_ms": Figure("ms", "95th percentile for one row through the whole bundle", "low"),
    "latency_p99_ms": Figure("ms", "99th percentile for one row through the whole bundle", "low"),
    "latency_samples": _count("rows", "rows that were timed"),
    "n_failed_leakage_checks": Figure(
        "checks", "of future_info, time_split and feature_audit, those that failed", "low"
    ),
}
COUNTS = [name for name, figure in FIGURES.items() if figure.is_count]
