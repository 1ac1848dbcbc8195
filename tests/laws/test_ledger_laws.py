"""Laws of the back-test's ledger, and a slow oracle: one bar after the other, in fractions and whole 1e-8 units."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.contracts.tables import MONEY
from candlelock.evaluate.trading import trade_list
from tests.trading_runs import all_equity, long_signals, trade, trading_params

if TYPE_CHECKING:
    from candlelock.evaluate.ledger import Ledger

BAR_MS = 60_000
FIRST_MS = 25_000_000 * BAR_MS
UNIT = 10**8
SYMBOLS = ("A/Q", "B/Q", "C/Q")
N_BARS, LATEST_START = 25, 3
PRICES = st.integers(1, 10**13)


@dataclass(frozen=True)
class Symbol:
    """Open and close (decimals with 8 places) of the bars that exist, and the bars with a signal."""

    bars: dict[int, tuple[Decimal, Decimal]]
    signals: frozenset[int]


@dataclass(frozen=True)
class Case:
    symbols: dict[str, Symbol]
    horizon_bars: int
    fee_bps: float
    slippage_bps: float
    capital: int


@st.composite
def cases(draw: st.DrawFn, lowest_units: st.SearchStrategy[int] = PRICES, range_percent: int = 400) -> Case:
    """Markets of 25 bars with gaps, late starts and early ends; a symbol's prices lie within `range_percent`."""
    symbols = {}
    for name in SYMBOLS[: draw(st.integers(1, 3))]:
        gaps = draw(st.sets(st.integers(LATEST_START + 1, N_BARS), max_size=6))
        span = range(draw(st.integers(0, LATEST_START)), draw(st.sampled_from([N_BARS, N_BARS - 3])))
        lowest = draw(lowest_units)
        price = st.integers(lowest, lowest * range_percent // 100).map(lambda units: Decimal(units).scaleb(-8))
        bars = {bar: (draw(price), draw(price)) for bar in span if bar not in gaps}
        signals = itertools.accumulate(draw(st.lists(st.integers(1, 8), max_size=N_BARS)))
        symbols[name] = Symbol(bars, frozenset(bars).intersection(signals))
    bps = st.sampled_from([0.0, 0.1, 7.5, 10.0, 100.0])
    return Case(symbols, draw(st.integers(1, 5)), draw(bps), draw(bps), draw(st.integers(1, 10**7)))


def table(symbol: Symbol) -> pa.Table:
    times = [FIRST_MS + bar * BAR_MS for bar in symbol.bars]
    opens, closes = zip(*symbol.bars.values(), strict=True)
    prices = {"open": pa.array(opens, pa.decimal128(24, 8)), "close": pa.array(closes, pa.decimal128(24, 8))}
    return pa.table({"open_time_utc": pa.array(times, pa.timestamp("ms", "UTC")), **prices})


def run(case: Case) -> Ledger:
    signals = {
        name: np.array([FIRST_MS + bar * BAR_MS for bar in sorted(s.signals)], dtype=np.int64)
        for name, s in case.symbols.items()
    }
    candles = {name: table(symbol) for name, symbol in case.symbols.items()}
    params = trading_params(capital=case.capital, fee_bps=case.fee_bps, slippage_bps=case.slippage_bps)
    return trade(candles, long_signals(signals), params, case.horizon_bars, BAR_MS)


def rate(bps: float) -> Fraction:
    return Fraction(str(bps)) / 10_000


def replay(case: Case, symbol: Symbol, cash: int, n_bars: int, first: int) -> list[Fraction]:
    """Equity of one account in units of 1e-8 at the start and at each bar's close: the rules, read off naively."""
    fee, slippage = rate(case.fee_bps), rate(case.slippage_bps)
    quantity, due, price = 0, 0, Fraction(0)
    equity = [Fraction(cash)]

    def sell(at: Decimal) -> None:
        nonlocal cash, quantity
        value = round(quantity * Fraction(at) * (1 - slippage))
        cash, quantity = cash + value - math.ceil(value * fee), 0

    for bar in range(first, first + n_bars):
        if bar in symbol.bars:
            at_open, at_close = symbol.bars[bar]
            is_wanted = bar - 1 in symbol.signals
            if quantity and bar >= due:
                sell(at_open)
            elif not quantity and is_wanted:
                cost = Fraction(at_open) * (1 + slippage)
                quantity = math.floor(math.floor(cash / (1 + fee)) / cost)
                cash -= round(quantity * cost) + math.ceil(round(quantity * cost) * fee)
                due = bar + case.horizon_bars
            if quantity and bar in symbol.signals:
                due = bar + 1 + case.horizon_bars
            if bar == max(symbol.bars):
                sell(at_close)
            price = Fraction(at_close)
        equity.append(cash + quantity * price)
    return equity


def in_units(value: Decimal) -> Fraction:
    return Fraction(value) * UNIT


@settings(max_examples=120, deadline=None)
@given(cases())
def test_the_ledger_agrees_with_a_bar_by_bar_replay(case: Case) -> None:
    ledger = run(case)
    first = min(min(symbol.bars) for symbol in case.symbols.values())
    n_bars = len(all_equity(ledger)) - 1
    share = case.capital * UNIT // len(case.symbols)
    accounts = [replay(case, symbol, share, n_bars, first) for symbol in case.symbols.values()]
    idle = case.capital * UNIT - share * len(accounts)
    assert [in_units(value) for value in all_equity(ledger)] == [
        sum(values) + idle for values in zip(*accounts, strict=True)
    ]


@settings(max_examples=50, deadline=None)
@given(cases())
def test_the_trades_table_alone_balances(case: Case) -> None:
    ledger = run(case)
    rows = trade_list(ledger).to_pylist()
    share = case.capital * UNIT // len(case.symbols)
    cash = dict.fromkeys(case.symbols, share)
    for row in rows:
        bought, sold = (
            round(in_units(row["quantity"]) * Fraction(row[side])) for side in ("entry_price", "exit_price")
        )
        fees = [math.ceil(value * rate(case.fee_bps)) for value in (bought, sold)]
        left = cash[row["symbol"]] - bought - fees[0]
        # All spent: not even one more unit of quantity with its fee, or else what rounding the value and the fee takes.
        assert 0 <= left <= Fraction(row["entry_price"]) * (1 + rate(case.fee_bps)) + 3
        assert in_units(row["fees"]) == sum(fees)
        assert in_units(row["pnl"]) == sold - bought - sum(fees)
        cash[row["symbol"]] += sold - bought - sum(fees)
    assert in_units(ledger.final_equity) == case.capital * UNIT + sum(in_units(row["pnl"]) for row in rows)
    assert in_units(ledger.final_equity) == sum(cash.values()) + case.capital * UNIT - share * len(cash)
    assert trade_list(ledger)["pnl"].type == MONEY


@settings(max_examples=50, deadline=None)
@given(cases())
def test_no_fill_comes_before_its_signal_is_known(case: Case) -> None:
    for made in run(case).trades:
        symbol = case.symbols[made.stay.symbol]
        entry, leave = ((ms - FIRST_MS) // BAR_MS for ms in (made.stay.entry_time_ms, made.stay.exit_time_ms))
        assert entry - 1 in symbol.signals
        assert made.stay.entry_price == symbol.bars[entry][0]
        assert leave - entry >= case.horizon_bars or leave == max(symbol.bars) + 1


@settings(max_examples=50, deadline=None)
@given(cases(), st.integers(LATEST_START, N_BARS - 1))
def test_the_future_does_not_change_the_past(case: Case, last_bar: int) -> None:
    def until(symbol: Symbol) -> Symbol:
        bars = {bar: prices for bar, prices in symbol.bars.items() if bar <= last_bar}
        return Symbol(bars, frozenset(bar for bar in symbol.signals if bar <= last_bar))

    short = run(replace(case, symbols={name: until(symbol) for name, symbol in case.symbols.items()}))
    # A symbol's last bar closes its position, which is the one thing the end of the data changes.
    same = min(max(b for b in symbol.bars if b <= last_bar) for symbol in case.symbols.values())
    n_marks = same - min(min(symbol.bars) for symbol in case.symbols.values()) + 1
    assert all_equity(run(case))[:n_marks] == all_equity(short)[:n_marks]


@settings(max_examples=20, deadline=None)
@given(cases())
def test_without_signals_equity_is_constant(case: Case) -> None:
    quiet = {name: replace(symbol, signals=frozenset()) for name, symbol in case.symbols.items()}
    ledger = run(replace(case, symbols=quiet))
    assert ledger.trades == ()
    assert set(all_equity(ledger)) == {case.capital}


@settings(max_examples=50, deadline=None)
@given(cases(), st.permutations(SYMBOLS))
def test_symbols_commute(case: Case, names: list[str]) -> None:
    renamed = dict(zip(names, case.symbols.values(), strict=False))
    assert all_equity(run(replace(case, symbols=renamed))) == all_equity(run(case))


def rounding_bound(ledger: Ledger, highest: Decimal) -> Decimal:
    """What rounding can cost: per trade the price of 1e-8 and three units of 1e-8, grown by at most 1.05 ** 13 < 2."""
    return 2 * len(ledger.trades) * (highest + 3) * Decimal("1e-8")


# Prices between 98 and 102 and at most 13 trades a symbol keep the growth of a rounding error below 2.
NEAR_100 = cases(st.just(98 * UNIT), range_percent=104)


@settings(max_examples=50, deadline=None)
@given(NEAR_100, st.sampled_from([0.0, 0.3, 5.0]), st.sampled_from([0.0, 0.3, 5.0]))
def test_higher_costs_never_help(case: Case, more_fee_bps: float, more_slippage_bps: float) -> None:
    cheap = run(case)
    dear = run(replace(case, fee_bps=case.fee_bps + more_fee_bps, slippage_bps=case.slippage_bps + more_slippage_bps))
    assert dear.final_equity <= cheap.final_equity + rounding_bound(cheap, Decimal(103))


@settings(max_examples=50, deadline=None)
@given(NEAR_100)
def test_the_unit_of_the_price_does_not_matter(case: Case) -> None:
    def tenfold(symbol: Symbol) -> Symbol:
        return replace(symbol, bars={bar: (10 * at, 10 * close) for bar, (at, close) in symbol.bars.items()})

    ledger = run(case)
    scaled = run(replace(case, symbols={name: tenfold(symbol) for name, symbol in case.symbols.items()}))
    assert abs(scaled.final_equity - ledger.final_equity) <= rounding_bound(ledger, Decimal(1030))
    assert [t.stay.entry_time_ms for t in scaled.trades] == [t.stay.entry_time_ms for t in ledger.trades]
