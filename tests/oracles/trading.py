"""A slow back-test of one account, in fractions: the rules of docs/backtest.md read off bar by bar.

Money is in whole units of 1e-8. It knows nothing of limits of the whole, nor of sizes but a fixed share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.contracts.backtest_params import BacktestParams

UNIT = 10**8
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Candle:
    """Prices and volume, exactly; the tick is 1e-2."""

    open: Fraction
    high: Fraction
    low: Fraction
    close: Fraction
    volume: int


def frac(bps: float | None) -> Fraction:
    return Fraction(str(bps)) / 10_000


def tick(price: Fraction, up: bool) -> Fraction:
    cents = price * 100
    return Fraction(math.ceil(cents) if up else math.floor(cents), 100)


def to_step(price: Fraction) -> Fraction:
    return Fraction(round(price * 10**18), 10**18)


@dataclass
class Account:
    """Cash in units; what is held, where it has to end, and the fills so far as (bar, side, price) with slippage."""

    params: BacktestParams
    cash: int
    horizon_bars: int
    side: int = 0
    quantity: int = 0
    due: int = 0
    stop: Fraction | None = None
    target: Fraction | None = None
    turns: bool = False
    fills: list[tuple[int, int, Fraction]] = field(default_factory=list)

    def slip(self, quantity: Fraction, volume: int) -> Fraction:
        model = self.params.slippage
        if model.model == "bps":
            return frac(self.params.slippage_bps)
        if model.model == "half_spread":
            return frac(model.spread_bps) / 2
        if volume == 0:
            return Fraction(99, 100)
        return min(frac(model.spread_bps) / 2 + frac(model.impact_bps) * quantity / volume, Fraction(99, 100))

    def pay(self, direction: int, price: Fraction, rate: Fraction) -> None:
        """Money of a fill that buys (1) or sells (-1) what is held."""
        value = round(self.quantity * price)
        self.cash -= direction * value + math.ceil(value * rate)

    def enter(self, bar: int, side: int, price: Fraction, volume: int, maker: bool, slips: bool) -> None:
        budget = max(self.cash, 0) * Fraction(self.params.sizing.max_frac)  # in debt nothing is bought or sold any more
        rate = self.fee(maker)
        slip = self.slip(budget / UNIT / price, volume) if slips else Fraction(0)
        paid = to_step(price * (1 + side * slip))
        quantity = math.floor(math.floor(budget / (1 + rate)) / paid)
        self.side, self.due, self.turns = side, bar + self.horizon_bars, False
        self.quantity = quantity
        self.pay(side, paid, rate)
        stop, target = self.params.exit.stop_bps, self.params.exit.target_bps
        self.stop = None if stop is None else tick(price * (1 - side * frac(stop)), up=side > 0)
        self.target = None if target is None else tick(price * (1 + side * frac(target)), up=side > 0)
        self.fills.append((bar, side, paid))

    def leave(self, bar: int, price: Fraction, volume: int, maker: bool = False) -> None:
        slip = Fraction(0) if maker else self.slip(Fraction(self.quantity, UNIT), volume)
        got = to_step(price * (1 - self.side * slip))
        self.pay(-self.side, got, self.fee(maker))
        self.fills.append((bar, -self.side, got))
        self.side, self.quantity = 0, 0

    def fee(self, maker: bool) -> Fraction:
        own = self.params.maker_fee_bps
        return frac(self.params.fee_bps if not maker or own is None else own)


def replay(
    params: BacktestParams,
    bars: Mapping[int, Candle],
    signals: Mapping[int, int],
    horizon_bars: int,
    cash: int,
    span: range,
    bar_hours: int,
) -> tuple[list[Fraction], list[tuple[int, int, Fraction]]]:
    """Equity of the account in units at the start and at each bar's close, and its fills. Bars start at midnight."""
    account, equity = Account(params, cash, horizon_bars), [Fraction(cash)]
    wanted, known, volume = 0, Fraction(0), 0
    for bar in span:
        candle = bars.get(bar)
        if candle is not None:
            if account.side and (account.turns or bar >= account.due):
                account.leave(bar, candle.open, volume)
            is_limited = False
            if not account.side and wanted:
                is_limited = try_entry(account, bar, wanted, candle, known, volume)
            if account.side:
                leave_within(account, bar, candle, volume, is_limited)
            if account.side and bar == max(bars):
                account.leave(bar, candle.close, volume)
            known, volume = candle.close, candle.volume
        if account.side:
            rate = frac(params.carry.funding_bps)
            rate = rate if account.side > 0 else frac(params.carry.borrow_bps) - rate
            periods = (bar + 1) * bar_hours // 8 - bar * bar_hours // 8
            account.cash -= math.ceil(account.quantity * known * rate * periods)
        equity.append(account.cash + account.side * account.quantity * known)
        side, wanted = signals.get(bar, 0), 0
        if side and account.side == side:
            account.due = account.due if account.turns else bar + 1 + horizon_bars
        elif side:
            account.turns = account.side != 0
            wanted = side
    return equity, account.fills


def try_entry(account: Account, bar: int, side: int, candle: Candle, known: Fraction, volume: int) -> bool:
    """Whether it was entered at a limit."""
    entry = account.params.entry
    if entry.kind == "market":
        account.enter(bar, side, candle.open, volume, maker=False, slips=True)
        return False
    limit = tick(known * (1 - side * frac(entry.limit_bps)), up=side < 0)
    is_through = candle.low < limit if side > 0 else candle.high > limit
    if is_through:
        rests = candle.open > limit if side > 0 else candle.open < limit
        account.enter(bar, side, limit, volume, maker=rests, slips=False)
    return is_through


def leave_within(account: Account, bar: int, candle: Candle, volume: int, is_limited: bool) -> None:
    side, stop, target = account.side, account.stop, account.target
    is_stopped = stop is not None and (candle.low <= stop if side > 0 else candle.high >= stop)
    is_reached = target is not None and not is_limited and (candle.high > target if side > 0 else candle.low < target)
    is_reached_first = is_reached and (candle.open > target if side > 0 else candle.open < target)
    if is_stopped and not is_reached_first:
        worse = min(stop, candle.open) if side > 0 else max(stop, candle.open)
        account.leave(bar, worse, volume)
    elif is_reached:
        account.leave(bar, target, volume, maker=True)
