"""An exact ledger: what a schedule of stays earns after fees, slippage and carry.

- The capital is shared evenly: each symbol trades an account of its own with capital / n_symbols, rounded down to 1e-8.
- An entry puts `weight` of the account at work, fee included; of all of it, what rounding leaves stays in cash. An
  account too small for 1e-8 stays out. Quantities are rounded down to 1e-8. A short receives what it sells for.
- A fill's price is the printed price × (1 + slippage) when buying, × (1 − slippage) when selling, an exit at the last
  close included; rounded to 1e-18; at a limit it is the limit. Its value is quantity × price, rounded to 1e-8. Its fee
  is a fraction of that value, rounded up to 1e-8. Carry is rounded to 1e-8 towards more paid.

All of it is whole numbers: money and quantities of 1e-8, prices of fills of 1e-18, equity of 10 ** -(8 + decimals of
the prices). So equity is cash + quantity × last close at every bar, short quantities below zero, and the final equity
is the capital plus the sum of all profits, to the last digit. Figures leave as decimals of 50 digits.

Does not belong here: which bars are traded (`fills`, `schedule`), figures (`backtest`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from candlelock.evaluate import fills
from candlelock.evaluate.costs import EXACT
from candlelock.evaluate.schedule import share_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from candlelock.evaluate.costs import Costs
    from candlelock.evaluate.market import Market, Prices, Times, Units
    from candlelock.evaluate.schedule import Schedule, Stay

PLACES, PRICE_PLACES = 8, 18
UNIT, PRICE_UNIT = 10**PLACES, 10**PRICE_PLACES
Ratio = tuple[int, int]
NONE, WHOLE = (0, 1), (1, 1)


@dataclass(frozen=True)
class Trade:
    """A stay with its money in whole numbers: quantity, values and fees of both fills of 1e-8, their prices of 1e-18.

    `flow_units`: money of entry and exit, fees taken off, below zero if paid. `payments`: mark, and what was paid there
    for time. `pnl_units`: profit after fees and carry. All of 1e-8; properties give decimals, in quote currency.
    """

    stay: Stay
    price_units: tuple[int, int]
    quantity_units: int
    value_units: tuple[int, int]
    fee_units: tuple[int, int]
    flow_units: tuple[int, int]
    payments: tuple[tuple[int, int], ...]
    pnl_units: int

    @property
    def signed_units(self) -> int:
        """`quantity` in units."""
        return self.stay.side * self.quantity_units

    @property
    def carried_units(self) -> int:
        """`carried` in units."""
        return sum(self.flow_units) - self.pnl_units

    @property
    def entry_price(self) -> Decimal:
        """Slippage included."""
        return _decimal(self.price_units[0], PRICE_PLACES)

    @property
    def exit_price(self) -> Decimal:
        """Slippage included."""
        return _decimal(self.price_units[1], PRICE_PLACES)

    @property
    def quantity(self) -> Decimal:
        """Amount held; below zero if short."""
        return _decimal(self.signed_units)

    @property
    def fees(self) -> Decimal:
        """Of both fills."""
        return _decimal(sum(self.fee_units))

    @property
    def stake(self) -> Decimal:
        """Money that changed hands on entry, fee included."""
        return _decimal(abs(self.flow_units[0]))

    @property
    def carried(self) -> Decimal:
        """All that was paid for time."""
        return _decimal(self.carried_units)

    @property
    def pnl(self) -> Decimal:
        """Profit after fees and carry."""
        return _decimal(self.pnl_units)

    @property
    def return_frac(self) -> float:
        """Profit against the money of the entry."""
        return self.pnl_units / abs(self.flow_units[0])


@dataclass(frozen=True)
class Account:
    """One symbol's trades as whole numbers of 1e-8: money when all but the last are over, and while one runs.

    Shape (n_trades,): `first_mark`, `end_mark`, `signed` (quantity, below zero if short), `spent` (money on entry,
    below zero if paid). `closed`, shape (n_trades + 1,): profit after so many trades. `paid_at`, shape (n_payments,),
    and `paid`, one longer: marks at which carry was paid, and what was paid before each.
    """

    first_mark: Times
    end_mark: Times
    signed: Units
    spent: Units
    closed: Units
    paid_at: Times
    paid: Units

    def profit_units(self, prices: Prices, marks: Times) -> Units:
        """Profit at these marks in whole numbers of 10 ** -(PLACES + prices.scale)."""
        n_entered = np.searchsorted(self.first_mark, marks, side="right")
        at = np.maximum(n_entered - 1, 0)
        is_open = (n_entered > 0) & (marks < self.end_mark[at])
        profit: Units = self.closed[n_entered - is_open] * 10**prices.scale
        held, now = at[is_open], marks[is_open]
        money = self.spent[held]
        if len(self.paid_at):
            since = np.searchsorted(self.paid_at, self.first_mark[held])
            money = money + self.paid[since] - self.paid[np.searchsorted(self.paid_at, now, side="right")]
        profit[is_open] += self.signed[held] * prices.marked(now).astype(object) + money * 10**prices.scale
        return profit


@dataclass(frozen=True)
class Ledger:
    """The trades, by symbol and time."""

    schedule: Schedule
    capital: Decimal
    trades: tuple[Trade, ...]

    @cached_property
    def accounts(self) -> dict[str, Account]:
        """Symbol -> account, of those that have traded."""
        by_symbol: dict[str, list[Trade]] = {}
        for trade in self.trades:
            by_symbol.setdefault(trade.stay.symbol, []).append(trade)
        return {symbol: _account(trades) for symbol, trades in by_symbol.items()}

    @cached_property
    def final_equity(self) -> Decimal:
        """The capital and all profits."""
        return _decimal(int(self.capital) * UNIT + sum(trade.pnl_units for trade in self.trades))

    def equity_units(self, marks: Times) -> tuple[Units, int]:
        """Equity at these marks of the schedule in whole numbers of 10 ** -places, and the places."""
        prices = self.schedule.market.prices
        scale = max(price.scale for price in prices.values())
        total = np.full(len(marks), int(self.capital) * 10 ** (PLACES + scale), dtype=object)
        for symbol, account in self.accounts.items():
            total += account.profit_units(prices[symbol], marks) * 10 ** (scale - prices[symbol].scale)
        return total, PLACES + scale

    def equity_at(self, marks: Times) -> npt.NDArray[np.object_]:
        """Equity at these marks, exactly."""
        units, places = self.equity_units(marks)
        return np.array([Decimal(value).scaleb(-places, EXACT) for value in units], dtype=object)

    @cached_property
    def equity(self) -> npt.NDArray[np.float64]:
        """Equity at every mark, each the float64 nearest to the exact one; shape (n_bars + 1,)."""
        units, places = self.equity_units(np.arange(len(self.schedule.market.mark_time_ms)))
        return np.asarray(units / 10**places, dtype=np.float64)


def keep_ledger(schedule: Schedule, costs: Costs, capital: int) -> Ledger:
    """Trade every stay of `schedule` with `capital` in quote currency."""
    share = int(share_of(capital, len(schedule.stays)).scaleb(PLACES, EXACT))
    paid = _Paid(costs, *(f.as_integer_ratio() for f in (costs.fee_frac, costs.maker_frac, costs.slippage_frac)))
    trades = tuple(t for stays in schedule.stays.values() for t in _trades(stays, paid, share, schedule.market))
    return Ledger(schedule, Decimal(capital), trades)


def total(amounts: Iterable[tuple[int, ...]]) -> Decimal:
    """The sum of whole numbers of 1e-8."""
    return _decimal(sum(map(sum, amounts)))


@dataclass(frozen=True)
class _Paid:
    """Costs, and those that every fill shares as numerator and denominator."""

    costs: Costs
    taker: Ratio
    maker: Ratio
    slippage: Ratio

    def slip(self, quantity: Decimal, volume: float) -> Ratio:
        """Slippage of a taker's fill of `quantity`."""
        if self.costs.power == 0:
            return self.slippage
        with localcontext(EXACT):
            return self.costs.slip(quantity, volume).as_integer_ratio()


def _trades(stays: tuple[Stay, ...], paid: _Paid, cash: int, market: Market) -> Iterator[Trade]:
    for stay in stays:
        trade = _trade(stay, paid, cash, market) if cash > 0 else None
        if trade and trade.quantity_units:
            yield trade
            cash += trade.pnl_units


def _trade(stay: Stay, paid: _Paid, cash: int, market: Market) -> Trade:
    is_market, is_target = stay.entered == fills.MARKET, stay.left == fills.TARGET
    rates = paid.maker if stay.entered == fills.LIMIT else paid.taker, paid.maker if is_target else paid.taker
    weight = stay.weight.as_integer_ratio() if stay.weight != 1 else WHOLE
    slip = paid.slip(_at_work(stay, cash), stay.entry_volume) if is_market else NONE
    entered_at, left_at = stay.printed
    entry = _fill_price(entered_at, slip, stay.side)
    # On the grid of 1e-8 a value of at most `budget` and its fee, rounded up, never exceed the cash.
    (fee, whole), (part, all_of) = rates[0], weight
    budget = cash * part * whole // (all_of * (whole + fee))
    quantity = budget * PRICE_UNIT // entry
    slip = NONE if is_target else paid.slip(_decimal(quantity), stay.exit_volume)
    leave = _fill_price(left_at, slip, -stay.side)
    values = _round(quantity * entry, PRICE_UNIT), _round(quantity * leave, PRICE_UNIT)
    fees = _ceil(values[0] * rates[0][0], rates[0][1]), _ceil(values[1] * rates[1][0], rates[1][1])
    flows = -stay.side * values[0] - fees[0], stay.side * values[1] - fees[1]
    payments = tuple(_payments(stay, paid.costs, quantity, market)) if paid.costs.has_carry else ()
    pnl = flows[0] + flows[1] - sum([amount for _, amount in payments])
    return Trade(stay, (entry, leave), quantity, values, fees, flows, payments, pnl)


def _at_work(stay: Stay, cash: int) -> Decimal:
    """Quantity that the share of the account is worth at the printed price; slippage is taken from it."""
    if stay.entry_volume == 0:
        return Decimal(0)
    with localcontext(EXACT):
        return _decimal(cash) * Decimal(stay.weight) / stay.entry_price


def _fill_price(printed: Ratio, slip: Ratio, direction: int) -> int:
    """Units of 1e-18 of a printed price made worse by `slip` for who buys (1) or sells (-1)."""
    (units, per), (part, whole) = printed, slip
    return _round(units * PRICE_UNIT * (whole + direction * part), per * whole)


def _payments(stay: Stay, costs: Costs, quantity: int, market: Market) -> Iterator[tuple[int, int]]:
    """What is paid at each mark at which the position is open and eight hours have ended since the mark before."""
    prices, periods = market.prices[stay.symbol], market.bars.periods
    rate, whole = (costs.funding_frac if stay.side == 1 else costs.borrowed_frac).as_integer_ratio()
    marks = np.arange(stay.first_mark, stay.end_mark)
    marks = marks[periods[marks - 1] > 0]
    for mark, ticks in zip(marks.tolist(), prices.marked(marks).tolist(), strict=True):
        yield mark, _ceil(quantity * int(ticks) * rate * int(periods[mark - 1]), 10**prices.scale * whole)


def _account(trades: list[Trade]) -> Account:
    payments = [payment for trade in trades for payment in trade.payments]
    return Account(
        first_mark=np.array([trade.stay.first_mark for trade in trades]),
        end_mark=np.array([trade.stay.end_mark for trade in trades]),
        signed=_array([trade.signed_units for trade in trades]),
        spent=_array([trade.flow_units[0] for trade in trades]),
        closed=_array([0, *accumulate(trade.pnl_units for trade in trades)]),
        paid_at=np.array([mark for mark, _ in payments], dtype=np.int64),
        paid=_array([0, *accumulate(amount for _, amount in payments)]),
    )


def _round(amount: int, per: int) -> int:
    """The quotient, to the nearest whole number, to the even one of two."""
    whole, rest = divmod(amount, per)
    return whole + (2 * rest > per or (2 * rest == per and whole % 2 == 1))


def _ceil(amount: int, per: int) -> int:
    return -(-amount // per)


def _decimal(units: int, places: int = PLACES) -> Decimal:
    return Decimal(units).scaleb(-places, EXACT)


def _array(values: list[int]) -> npt.NDArray[Any]:
    return np.array(values, dtype=object)
