"""The probability from which buying pays, chosen for profit after costs on rows that nothing was fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from candlelock.contracts.documents import ThresholdChoice

if TYPE_CHECKING:
    import pandas as pd

CANDIDATES = tuple(round(0.50 + 0.01 * step, 2) for step in range(36))


def optimize_threshold(
    rows: pd.DataFrame, hold_ms: int, cost_bps: float, min_trades: int
) -> tuple[float, list[ThresholdChoice]]:
    """The candidate with the largest total net profit among those with at least `min_trades`, and all candidates.

    `rows`: symbol, open_time_ms, p_up, future_return (NaN where unknown), sorted by symbol and time. A trade lasts
    `hold_ms` and trades of a symbol do not overlap; its profit is its simple return in basis points less `cost_bps`.
    With no candidate traded often enough, the one traded most is taken.
    """
    known = rows[rows["future_return"].notna()]
    choices = [_try(known, p_up, hold_ms, cost_bps) for p_up in CANDIDATES]
    eligible = [choice for choice in choices if choice.n_trades >= min_trades]
    if not eligible:
        return max(choices, key=lambda choice: choice.n_trades).p_up, choices
    return max(eligible, key=lambda choice: (choice.net_profit_bps, choice.p_up)).p_up, choices


def _try(rows: pd.DataFrame, p_up: float, hold_ms: int, cost_bps: float) -> ThresholdChoice:
    signals = rows[rows["p_up"] >= p_up]
    n_trades, profit = 0, 0.0
    for _, own in signals.groupby("symbol"):
        free_from = -1
        for opened, ahead in zip(own["open_time_ms"].to_numpy(), own["future_return"].to_numpy(), strict=True):
            if opened >= free_from:
                n_trades, profit, free_from = (
                    n_trades + 1,
                    profit + 1e4 * float(np.expm1(ahead)) - cost_bps,
                    opened + hold_ms,
                )
    return ThresholdChoice(p_up=p_up, n_trades=n_trades, net_profit_bps=round(profit, 6))
