"""What a card says of trading beyond its headline."""

from __future__ import annotations

from candlelock.contracts.backtest_documents import (
    CapacityPoint,
    CostSurfacePoint,
    CurveFigures,
    Exposure,
    MonthFigures,
    SideFigures,
    TradingReport,
)

TRADING = TradingReport(
    curves=[
        CurveFigures(name="strategy", net_return_frac=0.0713, sharpe=0.4012, max_drawdown_frac=0.0911, n_trades=1_236),
        CurveFigures(name="buy_and_hold", net_return_frac=0.1127, sharpe=0.71, max_drawdown_frac=0.42, n_trades=3),
        CurveFigures(name="reversal", net_return_frac=-0.2319, sharpe=-1.83, max_drawdown_frac=0.31, n_trades=2_117),
    ],
    months=[
        MonthFigures(
            month="2019-04",
            return_frac=0.0217,
            buy_and_hold_return_frac=0.0533,
            reversal_return_frac=-0.0391,
            n_trades=207,
        )
    ],
    sides=[
        SideFigures(side="long", n_trades=1_236, win_rate_frac=0.5127, pnl=713.4, fees=1_236.08, carry=0.0),
        SideFigures(side="short", n_trades=0, win_rate_frac=None, pnl=0.0, fees=0.0, carry=0.0),
    ],
    entries={"market": 1_236, "limit": 0, "crossed": 0},
    exits={"time": 1_235, "reversal": 0, "halt": 0, "stop": 0, "target": 0, "end": 1},
    exposure=Exposure(
        mean_gross_frac=0.2213,
        highest_gross_frac=0.9987,
        mean_net_frac=0.2213,
        turnover_per_day=6.905,
        mean_bars_held=4.4,
        longest_gap_bars=0,
    ),
    break_even_bps=15.83,
    cost_surface=[
        CostSurfacePoint(fee_multiple=0, slippage_multiple=0, fee_bps=0.0, slippage_bps=0.0, net_return_frac=0.2519),
        CostSurfacePoint(fee_multiple=0, slippage_multiple=1, fee_bps=0.0, slippage_bps=2.5, net_return_frac=0.1901),
        CostSurfacePoint(fee_multiple=1, slippage_multiple=0, fee_bps=12.5, slippage_bps=0.0, net_return_frac=0.0987),
    ],
    impact_bps=100.0,
    impact_power=0.5,
    capacity=[CapacityPoint(capital=1_000_000, net_return_frac=-0.1377, pnl=-137_700.0, mean_volume_frac=0.0344)],
)
