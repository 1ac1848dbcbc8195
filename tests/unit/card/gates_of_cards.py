"""Gates as cards have them."""

from __future__ import annotations

from typing import Any

from candlelock.contracts import card_document as c


def some_gate(name: str, figure_name: str, status: c.GateStatus, figure: float, bound: str, why: str) -> c.Gate:
    behind: dict[str, Any] = {"interval": None, "evidence": None, "n_evidence": None, "min_n": None}
    return c.Gate(name=name, figure_name=figure_name, status=status, figure=figure, bound=bound, why=why, **behind)


GATES = [
    some_gate(
        "accuracy over the best constant", "lift_over_best_constant_pp", "PASS", 5.79, "≥ 2", "in percentage points"
    ),
    some_gate(
        "accuracy over the best rule", "lift_over_best_rule_pp_low", "PASS", 1.35, "> 0", "lower bound of the lift"
    ),
    some_gate("calibration", "calibration_ece", "PASS", 0.0083, "≤ 0.1", "expected calibration error of p_up"),
    some_gate("latency p95", "latency_p95_ms", "PASS", 0.5336, "≤ 80", "milliseconds for one row"),
    some_gate("leakage checks", "n_failed_leakage_checks", "PASS", 0, "≤ 0", "failed ones, as computed"),
    some_gate("back-test Sharpe", "sharpe", "FAIL", 0.4012, "≥ 1", "annual, after fees and slippage"),
    some_gate("back-test trades", "n_trades", "PASS", 1236, "≥ 50", "fewer prove nothing"),
]
