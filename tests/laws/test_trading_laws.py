"""Laws of the back-test with all its options, and a slow oracle of one account (tests/oracles/trading.py)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.contracts.tables import TIME
from candlelock.evaluate import fills
from candlelock.evaluate.costs import costs_of, rules_of
from candlelock.evaluate.ledger import keep_ledger
from candlelock.evaluate.market import DAY_MS, Signals
from candlelock.evaluate.schedule import decide, schedule_stays
from tests.oracles.trading import UNIT, Candle, replay
from tests.trading_runs import all_equity, trade, trading_params

if TYPE_CHECKING:
    from candlelock.contracts.backtest_params import BacktestParams
    from candlelock.evaluate.ledger import Ledger

BAR_HOURS = 4
BAR_MS = BAR_HOURS * 3_600_000
N_BARS = 25
SYMBOLS = ("A/Q", "B/Q", "C/Q")


@dataclass(frozen=True)
class Symbol:
    bars: dict[int, Candle]
    signals: dict[int, int]


@dataclass(frozen=True)
class Case:
    symbols: dict[str, Symbol]
    horizon_bars: int
    params: BacktestParams


def draw_candle(random: Random) -> Candle:
    """Within 97 and 103, so that levels one percent away are met in many bars."""
    cents = sorted(random.randint(9_700, 10_300) for _ in range(4))
    prices = random.choice(cents), cents[3], cents[0], random.choice(cents)
    return Candle(*(Fraction(c, 100) for c in prices), random.randint(0, 30))


def draw_symbol(random: Random) -> Symbol:
    """A quarter of the bars may be missing, half of them have a signal."""
    gap_frac = random.choice([0.0, 0.05, 0.25])
    bars = {bar: draw_candle(random) for bar in range(N_BARS) if bar == 0 or random.random() >= gap_frac}
    sides = {bar: random.choice([0, 0, 1, -1]) for bar in bars}
    return Symbol(bars, {bar: side for bar, side in sides.items() if side})


@st.composite
def settings_of(draw: st.DrawFn) -> BacktestParams:
    bps = st.sampled_from([0.0, 0.1, 7.5, 30.0])
    level = st.sampled_from([None, 0.3, 37.5, 100.0, 150.0])
    fee = draw(bps)
    return trading_params(
        capital=draw(st.integers(1, 10**6)),
        fee_bps=fee,
        maker_fee_bps=draw(st.sampled_from([None, 0.0, fee])),
        slippage_bps=draw(bps),
        entry={
            "kind": draw(st.sampled_from(["market", "limit"])),
            "limit_bps": draw(st.sampled_from([0.0, 12.5, 80.0])),
        },
        exit={"stop_bps": draw(level), "target_bps": draw(level)},
        slippage={
            "model": draw(st.sampled_from(["bps", "half_spread", "linear"])),
            "spread_bps": draw(bps),
            "impact_bps": draw(bps),
            "volume_bars": 1,
        },
        carry={"funding_bps": draw(st.sampled_from([0.0, 1.0, -2.5])), "borrow_bps": draw(bps)},
        sizing={"max_frac": draw(st.sampled_from([1.0, 0.5, 0.3]))},
    )


@st.composite
def cases(draw: st.DrawFn, max_symbols: int = 3) -> Case:
    """Markets are drawn as a whole, from one number: an example of many single draws would take most of the time."""
    random = Random(draw(st.integers(0, 2**32)))  # noqa: S311
    symbols = {name: draw_symbol(random) for name in SYMBOLS[: draw(st.integers(1, max_symbols))]}
    return Case(symbols, draw(st.integers(1, 5)), draw(settings_of()))


def table(symbol: Symbol, factor: int = 1) -> pa.Table:
    columns: dict[str, Any] = {"open_time_utc": pa.array([bar * BAR_MS for bar in symbol.bars]).cast(TIME)}
    for name in ("open", "high", "low", "close"):
        values = [Decimal(int(getattr(c, name) * 100 * factor)).scaleb(-2) for c in symbol.bars.values()]
        columns[name] = pa.array(values, pa.decimal128(24, 2))
    columns["volume"] = pa.array([Decimal(c.volume) for c in symbol.bars.values()], pa.decimal128(24, 0))
    return pa.table(columns)


def signals(symbol: Symbol) -> Signals:
    at = np.array(list(symbol.signals), dtype=np.int64) * BAR_MS
    return Signals(at, np.array(list(symbol.signals.values()), dtype=np.int64), np.ones(len(at)))


def run(case: Case, factor: int = 1) -> Ledger:
    tables = {name: table(symbol, factor) for name, symbol in case.symbols.items()}
    share = case.params.sizing.max_frac
    given_signals = {name: replace(s, weight=s.weight * share) for name, s in named_signals(case).items()}
    return trade(tables, given_signals, case.params, case.horizon_bars, BAR_MS)


def named_signals(case: Case) -> dict[str, Signals]:
    return {name: signals(symbol) for name, symbol in case.symbols.items()}


@settings(max_examples=250, deadline=None)
@given(cases())
def test_the_ledger_agrees_with_a_bar_by_bar_replay(case: Case) -> None:
    ledger = run(case)
    n_symbols, capital = len(case.symbols), case.params.capital
    share = capital * UNIT // n_symbols
    first = min(min(symbol.bars) for symbol in case.symbols.values())
    span = range(first, first + len(all_equity(ledger)) - 1)
    made = [
        replay(case.params, s.bars, s.signals, case.horizon_bars, share, span, BAR_HOURS) for s in case.symbols.values()
    ]
    idle = capital * UNIT - share * n_symbols
    expected = [sum(values) + idle for values in zip(*(equity for equity, _ in made), strict=True)]
    assert [Fraction(value) * UNIT for value in all_equity(ledger)] == expected
    rules, costs = rules_of(case.params, case.horizon_bars), costs_of(case.params)
    highest = float(max(candle.high for symbol in case.symbols.values() for candle in symbol.bars.values()))
    for times in (0.0, 1.0, 2.0):
        _, passed = decide(ledger.schedule.market, rules, costs.times(times), capital)
        exact = keep_ledger(
            schedule_stays(ledger.schedule.market, rules, costs.times(times), capital), costs.times(times), capital
        )
        rounded = 3e-8 * highest * len(exact.trades)  # float64 may round a quantity the other way
        assert np.allclose(passed, exact.equity, rtol=1e-6 / capital + 1e-9, atol=1e-5 + rounded)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_fill_comes_before_its_signal_or_beyond_its_bar(case: Case) -> None:
    for made in run(case).trades:
        stay, symbol = made.stay, case.symbols[made.stay.symbol]
        entry, leave = stay.entry_time_ms // BAR_MS, stay.exit_time_ms // BAR_MS
        assert symbol.signals[entry - 1] == stay.side
        assert leave >= entry
        bar = symbol.bars[entry]
        price = Fraction(stay.entry_price)
        if stay.entered == fills.MARKET:
            assert price == bar.open
        else:  # never better than the limit, and the bar went through it
            assert stay.side * price > stay.side * (bar.low if stay.side > 0 else bar.high)
        if stay.left == fills.STOP:
            assert symbol.bars[leave].low <= Fraction(stay.exit_price) <= symbol.bars[leave].high
        elif stay.left == fills.TARGET:  # where the bar opened beyond it, no better than it stood
            best = symbol.bars[leave].high if stay.side > 0 else symbol.bars[leave].low
            assert stay.side * Fraction(stay.exit_price) < stay.side * best
        elif stay.left == fills.END:
            assert Fraction(stay.exit_price) == symbol.bars[max(symbol.bars)].close
        else:
            assert Fraction(stay.exit_price) == symbol.bars[leave].open


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_trades_sum_to_the_final_equity(case: Case) -> None:
    ledger = run(case)
    assert all_equity(ledger)[-1] == case.params.capital + sum(made.pnl for made in ledger.trades)
    assert ledger.final_equity == all_equity(ledger)[-1]
    assert sum(len(symbol.bars) for symbol in case.symbols.values()) >= len(ledger.trades)


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from([0.3, 5.0]), st.sampled_from([0.0, 5.0]))
def test_higher_costs_never_help(case: Case, more_fee_bps: float, more_slippage_bps: float) -> None:
    # Where slippage or funding grow with the position, costs that make it smaller can help.
    model = case.params.slippage.model
    given_slippage = {"model": "half_spread" if model == "linear" else model}
    plain = case.params.model_copy(
        update={
            "slippage": case.params.slippage.model_copy(update=given_slippage),
            "carry": case.params.carry.model_copy(update={"funding_bps": 0.0}),
        }
    )
    cheap = run(replace(case, params=plain))
    more = {"fee_bps": plain.fee_bps + more_fee_bps, "slippage_bps": plain.slippage_bps + more_slippage_bps}
    spread = {"spread_bps": plain.slippage.spread_bps + more_slippage_bps}
    dearer = plain.model_copy(update={**more, "slippage": plain.slippage.model_copy(update=spread)})
    dear = run(replace(case, params=dearer))
    assert dear.final_equity <= cheap.final_equity + Decimal("1e-5") * (1 + len(cheap.trades))


@settings(max_examples=40, deadline=None)
@given(cases(max_symbols=1))
def test_a_higher_price_of_the_same_moves_earns_the_same(case: Case) -> None:
    # Levels are put on ticks, which are a tenth as coarse then: without them.
    free = {"exit": case.params.exit.model_copy(update={"stop_bps": None, "target_bps": None})}
    free["slippage"] = case.params.slippage.model_copy(update={"model": "bps"})
    free["entry"] = case.params.entry.model_copy(update={"kind": "market"})
    plain = replace(case, params=case.params.model_copy(update=free))
    once, tenfold = run(plain), run(plain, factor=10)
    room = Decimal("1e-7") * (len(once.trades) + 1) * 2000
    assert abs(once.final_equity - tenfold.final_equity) <= room
    assert [t.stay.entry_time_ms for t in once.trades] == [t.stay.entry_time_ms for t in tenfold.trades]


@settings(max_examples=40, deadline=None)
@given(cases(), st.permutations(SYMBOLS), st.sampled_from([1.0, 0.4]))
def test_symbols_commute(case: Case, names: list[str], gross_frac: float) -> None:
    risk = case.params.risk.model_copy(update={"gross_frac": gross_frac})
    limited = replace(case, params=case.params.model_copy(update={"risk": risk}))
    renamed = dict(zip(names, limited.symbols.values(), strict=False))
    once, again = run(limited), run(replace(limited, symbols=renamed))
    if gross_frac == 1:
        assert all_equity(once) == all_equity(again)
    else:  # the order of sums in float64 moves a size by its last bits
        assert np.allclose(once.equity, again.equity, rtol=1e-9, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(2, N_BARS - 1))
def test_the_future_does_not_change_the_past(case: Case, last_bar: int) -> None:
    def until(symbol: Symbol) -> Symbol:
        bars = {bar: candle for bar, candle in symbol.bars.items() if bar <= last_bar}
        return Symbol(bars, {bar: side for bar, side in symbol.signals.items() if bar <= last_bar})

    risk = case.params.risk.model_copy(update={"gross_frac": 0.6, "daily_loss_frac": 0.01, "drawdown_frac": 0.03})
    guarded = replace(case, params=case.params.model_copy(update={"risk": risk}))
    short = run(replace(guarded, symbols={name: until(symbol) for name, symbol in guarded.symbols.items()}))
    # A symbol's last bar closes its position, which is the one thing the end of the data changes.
    n_marks = min(max(b for b in symbol.bars if b <= last_bar) for symbol in case.symbols.values()) + 1
    n_marks -= min(min(symbol.bars) for symbol in case.symbols.values())
    assert all_equity(run(guarded))[:n_marks] == all_equity(short)[:n_marks]


@settings(max_examples=20, deadline=None)
@given(cases())
def test_without_signals_equity_is_constant(case: Case) -> None:
    quiet = {name: replace(symbol, signals={}) for name, symbol in case.symbols.items()}
    ledger = run(replace(case, symbols=quiet))
    assert ledger.trades == ()
    assert set(all_equity(ledger)) == {case.params.capital}


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from([0.1, 0.35, 0.7]))
def test_entries_keep_below_the_gross_limit(case: Case, gross_frac: float) -> None:
    risk = case.params.risk.model_copy(update={"gross_frac": gross_frac})
    ledger = run(replace(case, params=case.params.model_copy(update={"risk": risk})))
    market, bars = ledger.schedule.market, ledger.schedule.market.bars
    columns = {symbol: number for number, symbol in enumerate(market.prices)}
    for bar in {t.stay.first_mark - 1 for t in ledger.trades}:
        held = [
            t for t in ledger.trades if t.stay.first_mark <= bar < t.stay.end_mark - (t.stay.left in LEAVES_AT_OPEN)
        ]
        used = sum(abs(float(t.quantity)) * bars.close[bar - 1, columns[t.stay.symbol]] * 0.01 for t in held)
        new = sum(float(t.stake) for t in ledger.trades if t.stay.first_mark - 1 == bar)
        assert new <= max(gross_frac * ledger.equity[bar] - used, 0) * (1 + 1e-9) + 1e-6


LEAVES_AT_OPEN = (fills.TIME, fills.REVERSAL, fills.HALT)


@settings(max_examples=80, deadline=None)
@given(cases(), st.sampled_from([0.002, 0.01, 0.02]))
def test_a_fall_ends_trading_for_good(case: Case, drawdown_frac: float) -> None:
    risk = case.params.risk.model_copy(update={"drawdown_frac": drawdown_frac})
    ledger = run(replace(case, params=case.params.model_copy(update={"risk": risk})))
    fallen = np.flatnonzero(1 - ledger.equity / np.maximum.accumulate(ledger.equity) >= drawdown_frac * (1 + 1e-9))
    if len(fallen):
        after = ledger.schedule.market.mark_time_ms[fallen[0]]
        assert all(t.stay.entry_time_ms < after for t in ledger.trades)
        for trade_ in ledger.trades:
            if trade_.stay.end_mark > fallen[0] + 1 and trade_.stay.left in LEAVES_AT_OPEN:
                opens = ledger.schedule.market.prices[trade_.stay.symbol].opens_ms
                assert trade_.stay.exit_time_ms == opens[np.searchsorted(opens, after)]


@settings(max_examples=80, deadline=None)
@given(cases(), st.sampled_from([0.002, 0.005, 0.01]))
def test_a_day_that_loses_too_much_is_over(case: Case, daily_loss_frac: float) -> None:
    risk = case.params.risk.model_copy(update={"daily_loss_frac": daily_loss_frac})
    ledger = run(replace(case, params=case.params.model_copy(update={"risk": risk})))
    marks, equity = ledger.schedule.market.mark_time_ms, ledger.equity
    start = equity[0]
    for mark in range(1, len(marks)):
        if (marks[mark - 1]) % DAY_MS == 0:
            start = equity[mark - 1]
        if equity[mark] < start * (1 - daily_loss_frac) * (1 - 1e-9):
            day_end = -(-marks[mark] // DAY_MS) * DAY_MS
            assert not any(marks[mark] <= t.stay.entry_time_ms < day_end for t in ledger.trades)


@pytest.mark.parametrize("name", ["stop", "target"])
def test_a_level_in_every_bar_is_never_passed_over(name: str) -> None:
    bars = {bar: Candle(Fraction(100), Fraction(103), Fraction(97), Fraction(100), 1) for bar in range(9)}
    case = Case({"A/Q": Symbol(bars, {0: 1})}, 5, trading_params(exit={f"{name}_bps": 100.0}))
    (made,) = run(case).trades
    assert (made.stay.exit_time_ms // BAR_MS, float(made.stay.exit_price)) == (1, 99.0 if name == "stop" else 101.0)
