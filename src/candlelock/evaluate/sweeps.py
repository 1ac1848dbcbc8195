"""The same signals at other costs and sizes, in float64: cost surface, break-even, capacity.

Does not belong here: what the strategy itself earned, which the ledger counts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from candlelock.contracts.backtest_documents import CapacityPoint, CostSurfacePoint
from candlelock.evaluate.costs import POWERS, exact_frac
from candlelock.evaluate.schedule import decide

if TYPE_CHECKING:
    from candlelock.contracts.backtest_params import BacktestParams
    from candlelock.evaluate.costs import Costs
    from candlelock.evaluate.fills import Record, Rules
    from candlelock.evaluate.market import Market

MULTIPLES = (0.0, 0.5, 1.0, 2.0, 4.0)
SIZES = (0.1, 1, 10, 100, 1000)
HIGHEST_BPS = 5_000.0


def sweep_costs(market: Market, rules: Rules, costs: Costs, params: BacktestParams) -> list[CostSurfacePoint]:
    """Every fee beside every slippage, both as multiples of those given; none beyond all a fill is worth."""
    out = []
    for fee in MULTIPLES:
        for slippage in MULTIPLES:
            paid = replace(costs.times(fee), slippage_frac=costs.times(slippage).slippage_frac)
            paid = replace(paid, impact_frac=costs.times(slippage).impact_frac)
            if max(paid.fee_frac, paid.slippage_frac) >= 1:
                continue
            equity = decide(market, rules, paid, params.capital)[1]
            point = CostSurfacePoint(
                fee_multiple=fee,
                slippage_multiple=slippage,
                fee_bps=float(paid.fee_frac * 10_000),
                slippage_bps=float(paid.slippage_frac * 10_000),
                net_return_frac=float(equity[-1] / equity[0] - 1),
            )
            out.append(point)
    return out


def find_break_even(market: Market, rules: Rules, costs: Costs, capital: int) -> float | None:
    """Cost of every fill, as its fee, in basis points at which nothing is earned, to 1e-6; carry stays as it is.

    None where nothing is earned without costs, or still something at the highest cost tried, 4,096 basis points.
    """

    def earned(bps: float) -> float:
        none = exact_frac(0.0)
        free = replace(costs, slippage_frac=none, impact_frac=none, power=0.0)
        paid = replace(free, fee_frac=exact_frac(bps), maker_frac=exact_frac(bps))
        equity = decide(market, rules, paid, capital)[1]
        return float(equity[-1] / equity[0] - 1)

    high = 1.0
    if earned(0.0) <= 0:
        return None
    while earned(high) > 0:
        high *= 4
        if high > HIGHEST_BPS:
            return None
    return float(brentq(earned, 0.0, high, xtol=1e-6))


def sweep_sizes(market: Market, rules: Rules, costs: Costs, params: BacktestParams) -> list[CapacityPoint]:
    """The strategy with other capitals, where slippage grows with an order's share of the volume of a bar.

    The model is that of the parameters; where it knows no volume, the square root on top of the given slippage.
    """
    power = impact_power(params)
    loaded = replace(costs, power=power, impact_frac=exact_frac(params.slippage.impact_bps))
    out = []
    for capital in sorted({max(round(params.capital * size), 1) for size in SIZES}):
        trades, equity = decide(market, rules, loaded, capital)
        point = CapacityPoint(
            capital=capital,
            net_return_frac=float(equity[-1] / equity[0] - 1),
            pnl=float(equity[-1] - equity[0]),
            mean_volume_frac=_mean_volume_frac(trades),
        )
        out.append(point)
    return out


def impact_power(params: BacktestParams) -> float:
    """The power of an order's share of the volume that slippage grows with, in the capacity."""
    return POWERS[params.slippage.model] or POWERS["square_root"]


def _mean_volume_frac(trades: Record) -> float | None:
    """Mean share of a bar's volume that entries took; None without a trade at a bar with volume."""
    known = trades[trades["entry_volume"] > 0]
    return float(np.mean(known["quantity"] / known["entry_volume"])) if len(known) else None
