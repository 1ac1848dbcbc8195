"""Each rule of the back-test broken once, on both sides, and its look-alike that keeps it.

Trades and candles are written as a long's; a short's are their mirror image at 100. All bars are open 100, high 101,
low 99, close 100, but for those that a case changes and the first, which shows that a tick is a hundredth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from candlelock.leakage.fills import check_fills
from candlelock.leakage.stays import Heard, Orders, Stays
from tests.trading_runs import trading_params

BAR = 3_600_000
BEGIN = 1_704_067_200_000
N_BARS = 12
ROW = 7  # of the trade in question
PLAIN = Orders(math.nan, math.nan, math.nan, horizon_bars=3, may_halt=False)
LIMIT = replace(PLAIN, limit_frac=0.005)
BARRIERS = replace(PLAIN, stop_frac=0.01, target_frac=0.02)
FINE = replace(PLAIN, limit_frac=0.00503, stop_frac=0.01003, target_frac=0.02003)  # levels between two ticks
NARROW = dict.fromkeys(range(N_BARS), (100.0, 100.5, 99.5, 100.0))  # meets no stop or target
Bars = dict[int, tuple[float, float, float, float]]


@dataclass(frozen=True)
class Case:
    """A trade entered in bar `into` and left in `out`; `own`, `other`: bars that open at a signal of its side."""

    entered: str = "market"
    left: str = "time"
    into: int = 2
    out: int = 5
    paid: float = 100.0
    got: float = 100.0
    own: tuple[int, ...] = (2,)
    other: tuple[int, ...] = ()
    bars: Bars = field(default_factory=dict)
    holes: tuple[int, ...] = ()
    orders: Orders | None = None
    before: tuple[str, int, int] | None = None  # the trade before: how it left, bars of entry and exit


def mirror(price: float, side: int) -> float:
    return price if side > 0 else 200.0 - price


def candles(case: Case, side: int) -> pd.DataFrame:
    lines = [(BEGIN, 100.01, 101.0, 99.0, 100.0)]
    for bar in range(1, N_BARS):
        opened, high, low, close = (mirror(price, side) for price in case.bars.get(bar, (100.0, 101.0, 99.0, 100.0)))
        lines.append((BEGIN + BAR * bar, opened, max(high, low), min(high, low), close))
    frame = pd.DataFrame(lines, columns=["open_time_ms", "open", "high", "low", "close"])
    return frame.drop(index=list(case.holes)).reset_index(drop=True)


def trades(case: Case, side: int) -> pd.DataFrame:
    line = (case.entered, case.left, case.into, case.out, case.paid, case.got)
    lines: list[tuple[Any, ...]] = [line]
    if case.before:
        left, into, out = case.before
        lines.insert(0, ("market", left, into, out, 100.0, 99.0 if left == "stop" else 100.0))
    frame = pd.DataFrame(lines, columns=["entered", "left", "into", "out", "entry_price", "exit_price"])
    for name in ("entry_price", "exit_price"):
        frame[name] = [mirror(price, side) for price in frame[name]]
    frame["entry_ms"], frame["exit_ms"] = BEGIN + BAR * frame["into"], BEGIN + BAR * frame["out"]
    frame.index = pd.RangeIndex(ROW + 1 - len(frame), ROW + 1)
    return frame.assign(symbol="A", side="long" if side > 0 else "short")


def found(case: Case, side: int) -> list[tuple[str, int | None]]:
    own, other = ({"A": BEGIN + BAR * np.array(bars, dtype=np.int64)} for bars in (case.own, case.other))
    longs, shorts = (own, other) if side > 0 else (other, own)
    frames = {"A": candles(case, side)}
    check = check_fills(trades(case, side), longs, frames, BAR, shorts=shorts, orders=case.orders)
    return [(leak.code, leak.row) for leak in check.findings]


KEPT = {
    "the next open": Case(),
    "slippage": Case(paid=100.1, got=99.9),
    "after the trade before": Case(before=("stop", 1, 2), into=3, out=6, own=(1, 3)),
    "at the open that closed the trade before": Case(before=("halt", 1, 2), own=(1, 2)),
    "a limit traded through": Case("limit", paid=99.5),
    "a limit that the open had passed": Case("crossed", paid=99.5, bars={2: (98.0, 98.5, 97.0, 98.0)}),
    "a limit where the orders put it": Case("limit", paid=99.5, orders=LIMIT),
    "a limit put on a tick": Case("limit", paid=99.49, bars=NARROW | {2: (100.0, 100.5, 99.4, 100.0)}, orders=FINE),
    "a stop put on a tick": Case(left="stop", got=99.0, out=4, bars=NARROW | {4: (99.5, 100.0, 99.0, 99.5)},
                                 orders=replace(FINE, limit_frac=math.nan)),
    "a target put on a tick": Case(left="target", got=102.01, out=4, bars=NARROW | {4: (101.0, 103.0, 100.5, 102.0)},
                                   orders=replace(FINE, limit_frac=math.nan)),
    "the last close": Case(left="end", out=12, got=100.4, bars={11: (100.0, 101.0, 99.0, 100.4)}),
    "the stop": Case(left="stop", got=99.5),
    "a stop gapped over": Case(left="stop", got=97.0, bars={5: (97.0, 98.0, 96.0, 97.0)}),
    "a target traded through": Case(left="target", got=100.9),
    "a target that the open had passed": Case(left="target", got=101.5, bars={5: (103.0, 104.0, 102.0, 103.0)}),
    "a target in the bar of a market entry": Case(left="target", out=2, got=100.9),
    "a stop in the bar of a limit entry": Case("limit", "stop", out=2, paid=99.5, got=99.2),
    "turned round": Case(left="reversal", other=(5,)),
    "turned round after a hole": Case(left="reversal", other=(4,), holes=(4,)),
    "its time": Case(orders=PLAIN),
    "its time, restarted": Case(orders=PLAIN, own=(2, 4, 7), out=10),
    "its time, after a hole": Case(orders=PLAIN, holes=(5,), out=6),
    "halted": Case(left="halt", out=4, orders=replace(PLAIN, may_halt=True)),
    "halted, orders not known": Case(left="halt", out=4),
    "the stop of the orders": Case(left="stop", paid=100.2, got=98.9, bars=NARROW | {4: (99.5, 100.0, 98.0, 99.0)},
                                   out=4, orders=BARRIERS),
    "a stop just missed": Case(bars=dict.fromkeys(range(N_BARS), (100.0, 101.0, 99.01, 100.0)), orders=BARRIERS),
    "the target of the orders": Case(left="target", got=102.0, out=4, orders=BARRIERS,
                                     bars=NARROW | {4: (101.0, 103.0, 100.5, 102.0)}),
    "a target touched and no more": Case(bars=NARROW | {4: (100.0, 102.0, 99.5, 100.0)}, orders=BARRIERS),
    "an open beyond the target of a bar that fell to the stop": Case(
        left="target", got=102.0, out=4, bars=NARROW | {4: (102.5, 103.0, 98.0, 99.0)}, orders=BARRIERS),
    "the stop of a bar that has both": Case(
        left="stop", got=99.0, out=4, bars=NARROW | {4: (100.0, 103.0, 98.0, 99.0)}, orders=BARRIERS),
}  # fmt: skip

EARLY, PRICE, ORDER = "fill-early", "fill-price", "fill-order"
BROKEN = {
    "a bar before the signal": (Case(own=(3,)), EARLY),
    "a bar after it was over": (Case(own=(1,)), EARLY),
    "no signal at all": (Case(own=()), EARLY),
    "the signal of the other side": (Case(own=(), other=(2,)), EARLY),
    "within the trade before": (Case(before=("time", 1, 4), own=(1, 2)), EARLY),
    "in the bar whose stop ended the trade before": (Case(before=("stop", 1, 2), own=(1, 2)), EARLY),
    "left before it was entered": (Case(into=5, out=3, own=(5,)), ORDER),
    "left at the open entered at": (Case(out=2), ORDER),
    "a stop before the entry": (Case(left="stop", out=1, got=99.5), ORDER),
    "better than the open": (Case(paid=99.9), PRICE),
    "an entry in a hole": (Case(holes=(2,)), PRICE),
    "an exit in a hole": (Case(holes=(5,)), PRICE),
    "a limit touched and no more": (Case("limit", paid=99.0), PRICE),
    "a limit at a bar that opened beyond it": (
        Case("limit", paid=99.5, bars={2: (98.0, 100.5, 97.0, 98.0)}), PRICE),
    "crossed, at a bar that opened before it": (Case("crossed", paid=99.5), PRICE),
    "a limit beyond the signal's close": (Case("limit", paid=99.5, bars={1: (100.0, 101.0, 99.0, 99.2)}), PRICE),
    "a limit better than stood": (Case("limit", paid=99.4, orders=LIMIT), PRICE),
    "a limit nearer than stood": (Case("limit", paid=99.6, orders=LIMIT), PRICE),
    "a limit where orders go to the market": (Case("limit", paid=99.5, orders=PLAIN), PRICE),
    "the market where orders are limits": (Case(orders=LIMIT), PRICE),
    "left better than the open": (Case(got=100.1), PRICE),
    "turned round better than the open": (Case(left="reversal", other=(5,), got=100.1), PRICE),
    "halted better than the open": (Case(left="halt", got=100.1), PRICE),
    "an unknown word, better than the open": (Case(left="luck", got=100.1), PRICE),
    "better than the last close": (Case(left="end", out=12, got=100.1), PRICE),
    "the end before the end": (Case(left="end", out=9), PRICE),
    "a stop better than the open": (Case(left="stop", got=99.6, bars={5: (99.5, 100.0, 99.0, 99.5)}), PRICE),
    "a stop that gains": (Case(left="stop", got=101.0, bars={5: (103.0, 104.0, 100.0, 103.0)}), PRICE),
    "a target touched and sold at": (Case(left="target", got=101.0), PRICE),
    "a target that loses": (Case(left="target", got=99.5, bars={5: (98.0, 100.0, 97.0, 99.0)}), PRICE),
    "a target in the bar of a limit entry": (Case("limit", "target", out=2, paid=99.5, got=100.5), ORDER),
    "turned round without a signal": (Case(left="reversal"), EARLY),
    "turned round before the signal": (Case(left="reversal", other=(7,)), EARLY),
    "held on through a signal of the other side": (Case(other=(4,)), ORDER),
    "a target in the bar whose open was to close it": (Case(left="target", got=100.9, other=(5,)), ORDER),
    "before its time": (Case(out=4, orders=PLAIN), EARLY),
    "before its time, restarted": (Case(own=(2, 4), orders=PLAIN), EARLY),
    "an open after its time": (Case(out=6, orders=PLAIN), ORDER),
    "a signal too late to restart its time": (Case(own=(2, 6), out=9, orders=PLAIN), ORDER),
    "halted where no loss halts": (Case(left="halt", out=4, orders=PLAIN), EARLY),
    "a stop better than stood": (
        Case(left="stop", got=99.4, out=4, bars=NARROW | {4: (99.5, 100.0, 98.0, 99.0)}, orders=BARRIERS), PRICE),
    "a stop that was not touched": (
        Case(left="stop", got=99.0, out=4, bars=NARROW, orders=BARRIERS), PRICE),
    "a stop where none stood": (Case(left="stop", got=99.0, out=4, orders=PLAIN), PRICE),
    "a target better than stood": (
        Case(left="target", got=102.5, out=4, bars=NARROW | {4: (101.0, 103.0, 100.5, 102.0)}, orders=BARRIERS), PRICE),
    "a target nearer than stood": (
        Case(left="target", got=101.5, out=4, bars=NARROW | {4: (101.0, 102.0, 100.5, 101.0)}, orders=BARRIERS), PRICE),
    "held through the stop": (Case(bars=NARROW | {4: (100.0, 100.5, 99.0, 100.0)}, orders=BARRIERS), ORDER),
    "held to the end through the stop": (
        Case(left="end", into=10, out=12, own=(10,), bars=NARROW | {11: (100.0, 100.5, 98.0, 100.0)}, orders=BARRIERS),
        ORDER),
    "held through the target": (Case(bars=NARROW | {4: (100.0, 102.1, 99.5, 100.0)}, orders=BARRIERS), ORDER),
    "the target of a bar that has both": (
        Case(left="target", got=102.0, out=4, bars=NARROW | {4: (100.0, 103.0, 98.0, 99.0)}, orders=BARRIERS), ORDER),
}  # fmt: skip


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize("name", KEPT)
def test_a_rule_kept_raises_nothing(name: str, side: int) -> None:
    assert found(KEPT[name], side) == []


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_rule_broken_is_found_at_its_trade(name: str, side: int) -> None:
    case, code = BROKEN[name]
    assert found(case, side) == [(code, ROW)]


def test_a_finding_says_how_many_and_when() -> None:
    lot = pd.concat([trades(Case(paid=99.9), 1), trades(Case(into=6, out=9), 1), trades(Case(into=10, out=11), 1)])
    lot = lot.assign(symbol="A").reset_index(drop=True)
    signals = {"A": BEGIN + BAR * np.array([2, 7])}
    early, price = check_fills(lot, signals, {"A": candles(Case(), 1)}, BAR).findings
    assert early.detail.startswith("2 entries, this one at 2024-01-01T06:00:00Z")
    assert (early.row, early.used_utc, early.known_utc) == (1, "2024-01-01T06:00:00Z", "2024-01-01T07:00:00Z")
    assert (price.row, price.known_utc) == (0, None)
    assert "for 99.9, where the bar opened at 100" in price.detail


def test_orders_are_read_off_the_parameters() -> None:
    limited = trading_params(
        entry={"kind": "limit", "limit_bps": 50.0}, exit={"target_bps": 200.0}, risk={"drawdown_frac": 0.3}
    )
    of = Orders.of(limited, 4)
    assert (of.limit_frac, of.target_frac, of.horizon_bars, of.may_halt) == (0.005, 0.02, 4, True)
    assert math.isnan(of.stop_frac)
    plain = Orders.of(trading_params(), 1)
    assert math.isnan(plain.limit_frac)
    assert not plain.may_halt


@pytest.mark.parametrize(("prices", "tick"), [((100.0, 250.0), 1.0), ((100.5, 99.25), 0.01), ((0.00012, 7.1), 1e-5)])
def test_the_tick_is_the_last_decimal_in_use(prices: tuple[float, float], tick: float) -> None:
    frame = candles(Case(), 1)
    frame.loc[0, ["open", "close"]] = prices  # the others are whole
    assert Stays.of(trades(Case(), 1), frame, BAR).tick == pytest.approx(tick)


def test_each_side_hears_its_own_signals() -> None:
    heard = Heard(np.array([1]), np.array([2]))
    both = pd.concat([trades(Case(), 1), trades(Case(), -1)])
    stays = Stays.of(both, candles(Case(), 1), BAR)
    assert heard.by_side(stays, lambda own, _: np.repeat(own, 2)).tolist() == [1, 2]
