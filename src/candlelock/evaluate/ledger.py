"""An exact ledger: what a schedule of stays earns after fees and slippage.

- The capital is shared evenly: each symbol trades an account of its own with capital / n_symbols, rounded down to 1e-8.
- An entry spends the whole account, fee included; what rounding leaves stays in cash. An account too small to buy 1e-8
  stays out. Quantities are rounded down to 1e-8.
- A fill's price is the printed price × (1 + slippage) when buying, × (1 − slippage) when selling, an exit at the last
  close included; rounded to 1e-18. Its value is quantity × price, rounded to 1e-8. Its fee is a fraction of that value,
  rounded up to 1e-8.

All of it is `decimal.Decimal` with 50 digits, so nothing is lost while values stay below 1e24: equity is cash +
quantity × last close at every bar, and the final equity is the capital plus the sum of all profits, to the last digit.
The trades table alone rebuilds it.

Does not belong here: which bars are traded (`schedule`), figures (`backtest`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Context, Decimal, localcontext
from typing import TYPE_CHECKING

import numpy as np

from candlelock.evaluate.schedule import PRICE_STEP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from candlelock.evaluate.schedule import Decimals, Schedule, Stay

EXACT = Context(prec=50, rounding=ROUND_HALF_EVEN)
STEP = Decimal("1e-8")
FRAC_PER_BPS = Decimal("1e-4")


@dataclass(frozen=True)
class Costs:
    """Fee and slippage of one fill, both in [0, 1)."""

    fee_frac: Decimal
    slippage_frac: Decimal


@dataclass(frozen=True)
class Trade:
    """A stay with its money. `paid` and `received` include the fees of their fill."""

    stay: Stay
    entry_price: Decimal
    exit_price: Decimal
    quantity: Decimal
    value: Decimal
    fees: Decimal
    paid: Decimal
    received: Decimal

    @property
    def pnl(self) -> Decimal:
        """Profit after fees, in quote currency."""
        return EXACT.subtract(self.received, self.paid)


@dataclass(frozen=True)
class Ledger:
    """The trades, by symbol and time, and the equity at every mark of the schedule (start, each bar's close)."""

    schedule: Schedule
    capital: Decimal
    trades: tuple[Trade, ...]
    equity: Decimals


def costs_of(fee_bps: float, slippage_bps: float, multiple: float = 1.0) -> Costs:
    """Costs in basis points as exact fractions, `multiple` times over; floats count as the decimals they print as."""
    fee, slippage, times = (Decimal(str(number)) for number in (fee_bps, slippage_bps, multiple))
    with localcontext(EXACT):
        return Costs(fee * times * FRAC_PER_BPS, slippage * times * FRAC_PER_BPS)


def keep_ledger(schedule: Schedule, costs: Costs, capital: int) -> Ledger:
    """Trade every stay of `schedule` with `capital` in quote currency."""
    with localcontext(EXACT):
        share = (Decimal(capital) / len(schedule.stays)).quantize(STEP, ROUND_DOWN)
        trades = tuple(t for stays in schedule.stays.values() for t in _trades(stays, costs, share))
        return Ledger(schedule, Decimal(capital), trades, capital + _profit(schedule, trades))


def _trades(stays: tuple[Stay, ...], costs: Costs, cash: Decimal) -> Iterator[Trade]:
    for stay in stays:
        trade = _trade(stay, costs, cash)
        if trade.quantity:
            yield trade
            cash += trade.pnl


def _trade(stay: Stay, costs: Costs, cash: Decimal) -> Trade:
    entry_price = (stay.entry_price * (1 + costs.slippage_frac)).quantize(PRICE_STEP)
    exit_price = (stay.exit_price * (1 - costs.slippage_frac)).quantize(PRICE_STEP)
    # On the grid of 1e-8 a value of at most `budget` and its fee, rounded up, never exceed the cash.
    budget = (cash / (1 + costs.fee_frac)).quantize(STEP, ROUND_DOWN)
    quantity = (budget / entry_price).quantize(STEP, ROUND_DOWN)
    bought, sold = (quantity * entry_price).quantize(STEP), (quantity * exit_price).quantize(STEP)
    entry_fee, exit_fee = (value * costs.fee_frac for value in (bought, sold))
    entry_fee, exit_fee = entry_fee.quantize(STEP, ROUND_UP), exit_fee.quantize(STEP, ROUND_UP)
    paid, received = bought + entry_fee, sold - exit_fee
    return Trade(stay, entry_price, exit_price, quantity, bought + sold, entry_fee + exit_fee, paid, received)


def _profit(schedule: Schedule, trades: tuple[Trade, ...]) -> Decimals:
    """Profit of all symbols at each mark; shape (n_bars + 1,)."""
    realised = np.full(len(schedule.mark_time_ms), Decimal(0), dtype=object)
    unrealised = realised.copy()
    for trade in trades:
        held = slice(trade.stay.first_mark, trade.stay.end_mark)
        unrealised[held] += trade.quantity * schedule.price[trade.stay.symbol][held] - trade.paid
        realised[trade.stay.end_mark] += trade.pnl
    profit: Decimals = np.cumsum(realised) + unrealised
    return profit
