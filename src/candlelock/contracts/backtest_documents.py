"""What is reported of the back-test beyond its headline: the document `trading.json`, for the card and for others."""

from __future__ import annotations

from typing import Literal

from candlelock.contracts.documents import Document

Entry = Literal["market", "limit", "crossed"]
Exit = Literal["time", "reversal", "halt", "stop", "target", "end"]
ENTRIES: tuple[Entry, ...] = ("market", "limit", "crossed")
EXITS: tuple[Exit, ...] = ("time", "reversal", "halt", "stop", "target", "end")


class CurveFigures(Document):
    """One equity curve over the test segment; Sharpe is annual, of daily returns."""

    name: Literal["strategy", "buy_and_hold", "reversal"]
    net_return_frac: float
    sharpe: float | None
    max_drawdown_frac: float
    n_trades: int


class MonthFigures(Document):
    """One UTC month: gains since the month before, and the entries of the strategy in it."""

    month: str
    return_frac: float
    buy_and_hold_return_frac: float
    reversal_return_frac: float
    n_trades: int


class SideFigures(Document):
    """The trades of one side; `pnl` in quote currency, after all costs."""

    side: Literal["long", "short"]
    n_trades: int
    win_rate_frac: float | None
    pnl: float
    fees: float
    carry: float


class Exposure(Document):
    """What was at work: positions against the equity at bar closes, values traded a day against the capital."""

    mean_gross_frac: float
    highest_gross_frac: float
    mean_net_frac: float
    turnover_per_day: float
    mean_bars_held: float | None
    longest_gap_bars: int


class CostSurfacePoint(Document):
    """The strategy at so many times its fees, and so many times its slippage, fixed and by share of volume.

    In basis points: the taker's fee, and the part of the slippage that is fixed.
    """

    fee_multiple: float
    slippage_multiple: float
    fee_bps: float
    slippage_bps: float
    net_return_frac: float


class CapacityPoint(Document):
    """The strategy with another capital, where an order's share of the volume costs slippage."""

    capital: int
    net_return_frac: float
    pnl: float
    mean_volume_frac: float | None


class TradingReport(Document):
    """Whatever is counted exactly is the ledger's; benchmarks, surface, capacity and break-even are float64.

    `break_even_bps`: the cost of a fill at which the strategy earns nothing; null where it earns nothing without costs,
    or still something at 4,096. `impact_power`: of the share of volume, in `capacity`.
    """

    curves: list[CurveFigures]
    months: list[MonthFigures]
    sides: list[SideFigures]
    entries: dict[Entry, int]
    exits: dict[Exit, int]
    exposure: Exposure
    break_even_bps: float | None
    cost_surface: list[CostSurfacePoint]
    impact_bps: float
    impact_power: float
    capacity: list[CapacityPoint]
